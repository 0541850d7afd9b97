//! Compares airdig with the OpenTelemetry Collector: the same configuration, the same load, the same machine.
//! README.md describes how to run it and how to read the results.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "prints the results"
)]

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;

mod load;
mod program;
mod raw;
mod report;
mod requests;
mod round;
mod scenario;
mod sink;
mod wire;

use program::Program;
use report::MeasuredCase;
use requests::{Requests, SERVICES, SPANS};
use scenario::Scenario;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measure airdig and the OpenTelemetry Collector.
#[derive(Debug, Parser)]
struct Arguments {
    /// The Collector that `tests/peers/install.sh` built
    #[arg(long)]
    collector: PathBuf,
    /// Another build of airdig to measure, too
    #[arg(long)]
    before: Option<PathBuf>,
    /// The scenarios; by default all
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Rounds per program; the programs alternate
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Requests in flight; by default those of each scenario
    #[arg(long)]
    in_flight: Vec<usize>,
    /// Turns of 16 requests per round
    #[arg(long, default_value_t = 256)]
    turns: u64,
    /// Turns before the measurement begins
    #[arg(long, default_value_t = 64)]
    warm_up: u64,
    /// A file to write the table to, too
    #[arg(long)]
    out: Option<PathBuf>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let mut programs = vec![Program::airdig(), Program::collector(&arguments.collector)];
    programs.extend(arguments.before.as_deref().map(Program::before));
    let requests = Arc::new(Requests::new());
    let folder = tempfile::tempdir()?;
    let mut text = report::machine(&programs)?;
    text += &format!(
        " {} rounds of {:.1} M spans each, {} bytes a span, {SPANS} spans a request.\n\n",
        arguments.rounds,
        (arguments.turns * SERVICES * SPANS) as f64 / 1e6,
        requests.bytes_of_a_span()
    );
    text += report::head();
    let scenarios = match arguments.scenario.as_slice() {
        [] => Scenario::ALL.as_slice(),
        chosen => chosen,
    };
    let cases = scenarios.iter().flat_map(|scenario| {
        let in_flight = match arguments.in_flight.as_slice() {
            [] => scenario.in_flight(),
            chosen => chosen,
        };
        in_flight.iter().map(|in_flight| (*scenario, *in_flight))
    });
    for (scenario, in_flight) in cases {
        let mut rounds: Vec<_> = programs.iter().map(|_| Vec::new()).collect();
        for number in 0..arguments.rounds {
            for (program, rounds) in programs.iter().zip(&mut rounds) {
                let case = (scenario, in_flight);
                let outcome = round::measure(program, case, &requests, &arguments, folder.path());
                let round = outcome.await.map_err(|error| {
                    let log = folder.path().join(format!("{}.log", program.name));
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    format!("{} in {scenario:?}: {error}\n{log}", program.name)
                })?;
                eprintln!(
                    "{scenario:?} {in_flight} {} {number}: {round:.3?}",
                    program.name
                );
                rounds.push(round);
            }
        }
        text += &report::rows(
            &MeasuredCase {
                scenario,
                in_flight,
                rounds,
            },
            &programs,
        );
    }
    text += "\n";
    text += report::idle_head();
    for program in &programs {
        for pipeline in scenario::IDLE {
            if pipeline.only_airdig && program.name == "Collector" {
                continue;
            }
            let idle = round::idle(program, &requests, &pipeline.config(), folder.path()).await?;
            text += &report::idle(&idle, program, pipeline.title);
        }
    }
    println!("{text}");
    if let Some(out) = arguments.out {
        std::fs::write(out, text)?;
    }
    Ok(())
}
