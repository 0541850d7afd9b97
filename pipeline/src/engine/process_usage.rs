//! Reads the CPU time and memory of the process from Linux' `/proc`. They are unknown on other systems.

use std::fs;
use std::time::Duration;

/// The CPU time and memory of the process.
pub(super) struct ProcessUsage {
    /// User and system time.
    pub(super) cpu: Duration,
    /// Resident memory in bytes.
    pub(super) resident: u64,
}

/// Reads `/proc/self`, see proc(5). Returns `None` on systems without it.
pub(super) fn process_usage() -> Option<ProcessUsage> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    Some(ProcessUsage {
        cpu: cpu(&stat)?,
        resident: resident(&status)?,
    })
}

/// Reads fields 14 and 15 of `stat`, in ticks of 1/100 s. The second field is the name of the program in parentheses,
/// which may contain any character.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// Reads the resident memory in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    #[test]
    fn fields_are_counted_after_the_name() {
        let stat = "7 (a) b) S 1 1 1 0 -1 4194560 9 0 0 0 150 50 0 0 20 0";
        assert_eq!(super::cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(super::resident("VmRSS:\t  12 kB\n"), Some(12_288));
    }
}
