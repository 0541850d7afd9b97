//! Formats the results as a Markdown table: medians with minimum and maximum.

use std::fmt::Write;

use crate::Failure;
use crate::program::Program;
use crate::round::{Idle, Round};
use crate::scenario::Scenario;

const MIB: f64 = (1 << 20) as f64;

/// The rounds of one scenario with one number of requests in flight: of airdig, of the Collector, and optionally of
/// another build.
pub(crate) struct MeasuredCase {
    pub(crate) scenario: Scenario,
    pub(crate) in_flight: usize,
    /// By program.
    pub(crate) rounds: Vec<Vec<Round>>,
}

/// The header of the table.
pub(crate) fn head() -> &'static str {
    "| | in flight | | CPU s / M spans | M spans/s | p50 ms | p99 ms | peak MiB | lost | refused |\n\
     |---|--:|---|---|---|---|---|---|---|---|\n"
}

pub(crate) fn rows(measured: &MeasuredCase, programs: &[Program]) -> String {
    let mut text = String::new();
    for (program, rounds) in programs.iter().zip(&measured.rounds) {
        let figure = |of: fn(&Round) -> f64, digits| spread(rounds.iter().map(of), digits);
        let cells = [
            figure(|round| round.cpu, 2),
            figure(|round| round.spans_a_second / 1e6, 2),
            figure(|round| round.p50 * 1e3, 1),
            figure(|round| round.p99 * 1e3, 1),
            figure(|round| round.peak as f64 / MIB, 0),
            rounds
                .iter()
                .map(|round| round.lost)
                .sum::<i64>()
                .to_string(),
            rounds
                .iter()
                .map(|round| round.refusals)
                .sum::<u64>()
                .to_string(),
        ];
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            measured.scenario.title(),
            measured.in_flight,
            program.name,
            cells.join(" | ")
        );
    }
    let cpu = |program: usize| median(measured.rounds[program].iter().map(|round| round.cpu));
    let _ = writeln!(
        text,
        "| | | share | **{:.2}** | | | | | | |",
        cpu(0) / cpu(1)
    );
    text
}

pub(crate) fn idle_head() -> &'static str {
    "| idle | | MiB | CPU s / min |\n|---|---|---|---|\n"
}

pub(crate) fn idle(idle: &Idle, program: &Program, title: &str) -> String {
    let memory = idle.memory as f64 / MIB;
    format!(
        "| {title} | {} | {memory:.0} | {:.2} |\n",
        program.name, idle.cpu
    )
}

/// The environment on which the results depend.
pub(crate) fn machine(programs: &[Program]) -> Result<String, Failure> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("an unnamed CPU", |text| {
        text.trim_start_matches([' ', '\t', ':'])
    });
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    let versions: Result<Vec<_>, Failure> = programs
        .iter()
        .map(|program| Ok(format!("{} {}", program.name, program.version()?)))
        .collect();
    Ok(format!(
        "{}; {model}, {cores} cores, load {load} when it began. Median (least–greatest).",
        versions?.join(", ")
    ))
}

fn spread(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    match figures.as_slice() {
        [] => String::new(),
        [one] => format!("{one:.digits$}"),
        [minimum, .., maximum] => {
            let median = median(figures.iter().copied());
            format!("{median:.digits$} ({minimum:.digits$}–{maximum:.digits$})")
        }
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}
