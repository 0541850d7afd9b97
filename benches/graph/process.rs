//! CPU time and memory of this process, from `/proc`, and file sizes.

use std::path::Path;
use std::time::Duration;

/// Ticks per second of the times in `/proc` (`USER_HZ`, the same on all Linux machines).
const TICKS: f64 = 100.0;

/// CPU seconds that the process has used so far, user and system.
pub(crate) fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks: f64 = fields.filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS
}

/// A line of `/proc/self/status` that is in kB, such as `VmRSS`, in MiB.
pub(crate) fn memory_mib(line: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rest = status.lines().find_map(|all| all.strip_prefix(line));
    let kib = rest.and_then(|rest| rest.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// The database and its log.
pub(crate) fn file_mib(file: &Path) -> f64 {
    let log = file.with_extension("db-wal");
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    (length(file) + length(&log)) as f64 / f64::from(1 << 20)
}

/// Waits until a cancelled statement has ended, a minute at most.
pub(crate) async fn wait_until_idle() {
    for _ in 0..120 {
        let before = cpu_seconds();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if cpu_seconds() - before < 0.05 {
            return;
        }
    }
    eprintln!("a cancelled statement still runs: the next figures are too high");
}
