//! What the machine was like while something was measured, and what a process used of it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::BenchError;
use super::samples::Samples;

/// Processes that wanted to run in the last minute, on average.
pub fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or_default()
}

/// Appends 4 KiB and forces it to the disk, as a commit does: the floor under everything durable.
pub fn fdatasync_floor(folder: &Path, rounds: u32) -> Result<Samples, BenchError> {
    let path = folder.join("fdatasync-floor");
    let mut file = File::create(&path).map_err(BenchError::io("the disk's floor"))?;
    let mut samples = Samples::default();
    for _ in 0..rounds {
        let began = Instant::now();
        file.write_all(&[0x5a; 4096])
            .and_then(|()| file.sync_data())
            .map_err(BenchError::io("the disk's floor"))?;
        samples.add(began.elapsed());
    }
    fs::remove_file(&path).map_err(BenchError::io("the disk's floor"))?;
    Ok(samples)
}

/// Processor time of all threads of a process.
///
/// `utime` and `stime` of `/proc/PID/stat` count in steps of 10 ms, longer than a whole start takes; the scheduler's
/// own account of each thread counts in nanoseconds.
pub fn cpu_of(pid: u32) -> Duration {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Duration::ZERO;
    };
    let nanos = threads.flatten().filter_map(|thread| {
        let account = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        account.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Resident memory in MiB.
pub fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// Model and number of processors, and the kernel: one line above the tables.
pub fn description() -> String {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let count = cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // The rest names the builder of the kernel, which is nobody's business.
    let kernel = kernel.split('.').take(2).collect::<Vec<_>>().join(".");
    format!("{count} x {model}, Linux {kernel}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_used_time_and_memory() {
        let pid = std::process::id();
        assert!(cpu_of(pid) > Duration::ZERO);
        assert!(resident_mib(pid) > 0.5);
        assert_eq!(cpu_of(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn the_floor_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(fdatasync_floor(folder.path(), 3).unwrap().count(), 3);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
