//! Runs the chosen cells and writes down what they found.

use std::fs;
use std::path::Path;

use super::cells::{CELLS, Cell, Form, choose};
use super::error::BenchError;
use super::machine;
use super::peers::bench_folder;
use super::report::Report;
use crate::binaries::workspace;

/// Enough for a stable median of what takes well under a millisecond.
const FLOOR_ROUNDS: u32 = 200;

/// Measures the cells of these names, all of them when none is named.
pub async fn run(names: &[String], form: Form) -> Result<(), BenchError> {
    let folder = bench_folder()?;
    for cell in choose(names)? {
        eprintln!("{}: {} ...", cell.name, cell.title);
        let report = measure(cell, form, &folder).await?;
        if form == Form::Check {
            println!("{}: every contender ran and answered rightly", cell.name);
        } else {
            println!("## {}: {}\n\n{}", cell.name, cell.title, report.to_markdown());
            let path = folder.join(format!("{}.json", cell.name));
            let json = serde_json::to_string_pretty(&report)?;
            fs::write(&path, json).map_err(BenchError::io(path.display().to_string()))?;
        }
    }
    if form == Form::Full {
        write_page(&folder)
    } else {
        Ok(())
    }
}

async fn measure(cell: &Cell, form: Form, folder: &Path) -> Result<Report, BenchError> {
    let load = machine::load_average();
    let before = machine::fdatasync_floor(folder, form.pick(FLOOR_ROUNDS, 3))?;
    let mut report = (cell.run)(form).await?;
    let after = machine::fdatasync_floor(folder, form.pick(FLOOR_ROUNDS, 3))?;
    cell.name.clone_into(&mut report.cell);
    report.row("load average before", load, "");
    report.row("load average after", machine::load_average(), "");
    report.row("fdatasync of 4 KiB before, p50", before.p50_ms(), "ms");
    report.row("fdatasync of 4 KiB after, p50", after.p50_ms(), "ms");
    Ok(report)
}

/// `BENCH.md`, from the last figures of every cell there is.
fn write_page(folder: &Path) -> Result<(), BenchError> {
    let mut page = format!(
        "# Figures\n\nWritten by `cargo xtask bench` on {}. Each figure stands beside its peers and its floor from the \
         same run, taken in turns; ratios are what counts.\n",
        machine::description()
    );
    for cell in &CELLS {
        let Ok(json) = fs::read(folder.join(format!("{}.json", cell.name))) else {
            continue;
        };
        let report: Report = serde_json::from_slice(&json)?;
        let section = format!(
            "\n## {}: {}\n\n{}\n\n{}",
            cell.name,
            cell.title,
            cell.method,
            report.to_markdown()
        );
        page.push_str(&section);
    }
    let path = workspace().join("BENCH.md");
    fs::write(&path, page).map_err(BenchError::io("BENCH.md"))
}
