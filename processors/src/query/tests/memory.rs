//! Tests that the memory of a plan does not grow with the number of its runs.

use super::*;

/// The name of the test that measures the memory. It runs in its own process, since other tests would change the
/// memory of this one.
const MEASURING_TEST: &str = "query::tests::memory::memory_stays_the_same_over_100_000_runs";

#[test]
fn a_plan_that_runs_100_000_times_keeps_its_memory() {
    let this = std::env::current_exe().unwrap();
    let output = std::process::Command::new(this)
        .args(["--exact", MEASURING_TEST, "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{stdout}"
    );
}

#[test]
#[ignore = "the test above runs it in its own process"]
fn memory_stays_the_same_over_100_000_runs() {
    let sqls = [
        "SELECT name FROM traces WHERE attributes['n'] >= 1",
        "SELECT name, count(*) FROM traces GROUP BY name ORDER BY name LIMIT 3",
        "SELECT l.name FROM traces l JOIN traces r ON l.name = r.name",
    ];
    let mut queries = sqls.map(query);
    let rows = spans(&[("a", json!({"n": 1}))]);
    let mut run = |times: usize| {
        for _ in 0..times {
            let query = &mut queries[0];
            query
                .run(
                    vec![(Signal::Traces, vec![rows.clone()])],
                    UnixNanos(1),
                    None,
                )
                .unwrap();
        }
        for query in &mut queries[1..] {
            for _ in 0..times / 100 {
                query
                    .run(
                        vec![(Signal::Traces, vec![rows.clone()])],
                        UnixNanos(1),
                        None,
                    )
                    .unwrap();
            }
        }
    };
    run(2_000);
    let before = resident_kib();
    run(100_000);
    let after = resident_kib();
    assert!(after < before + 2_048, "{before} KiB, then {after} KiB");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
