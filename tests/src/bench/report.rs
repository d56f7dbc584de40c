//! What a cell found: figures, and the comparisons they are worth.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub cell: String,
    pub rows: Vec<Row>,
    pub ratios: Vec<Ratio>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    pub value: f64,
    pub unit: String,
}

/// A comparison, or a figure with a bound of its own. It holds when the value is at most the aim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    pub name: String,
    pub value: f64,
    pub aim: f64,
    pub holds: bool,
}

impl Report {
    pub fn row(&mut self, name: impl Into<String>, value: f64, unit: &str) {
        self.rows.push(Row {
            name: name.into(),
            value,
            unit: unit.to_owned(),
        });
    }

    pub fn ratio(&mut self, name: impl Into<String>, value: f64, aim: f64) {
        self.ratios.push(Ratio {
            name: name.into(),
            value,
            aim,
            holds: value <= aim,
        });
    }

    /// Ours against another's, aimed at being no larger than so many times theirs.
    pub fn against(&mut self, name: impl Into<String>, ours: f64, theirs: f64, aim: f64) {
        self.ratio(name, ours / theirs, aim);
    }

    /// As tables in markdown, which are readable in a terminal too.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from("| figure | value | unit |\n|---|---:|---|\n");
        for row in &self.rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {} | {} | {} |", row.name, digits(row.value), row.unit);
        }
        text.push_str("\n| comparison | value | at most | |\n|---|---:|---:|---|\n");
        for ratio in &self.ratios {
            let verdict = if ratio.holds { "holds" } else { "**missed**" };
            let (value, aim) = (digits(ratio.value), digits(ratio.aim));
            let _ = writeln!(text, "| {} | {value} | {aim} | {verdict} |", ratio.name);
        }
        text
    }
}

/// Three digits that mean something.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        whole if whole >= 1.0 && whole.fract() == 0.0 => 0,
        ..0.1 => 4,
        0.1..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_holds_up_to_its_aim() {
        let mut report = Report::default();
        report.row("start", 12.345, "ms");
        report.against("ours / theirs", 10.0, 20.0, 0.5);
        report.ratio("memory", 41.0, 40.0);
        let text = report.to_markdown();
        assert!(text.contains("| start | 12.3 | ms |"), "{text}");
        assert!(
            text.contains("| ours / theirs | 0.500 | 0.500 | holds |"),
            "{text}"
        );
        assert!(text.contains("| memory | 41 | 40 | **missed** |"), "{text}");
    }

    #[test]
    fn the_written_form_is_the_documented_one() {
        let mut report = Report {
            cell: "S3".to_owned(),
            ..Report::default()
        };
        report.row("start", 1.5, "ms");
        report.ratio("start in ms", 1.5, 50.0);
        let json = serde_json::to_string(&report).unwrap();
        let expected = r#"{"cell":"S3","rows":[{"name":"start","value":1.5,"unit":"ms"}],"ratios":[{"name":"start in ms","value":1.5,"aim":50.0,"holds":true}]}"#;
        assert_eq!(json, expected);
    }
}
