//! airdig beside the OpenTelemetry Collector: the same configuration, the same load, the same
//! machine. README.md says how to repeat it and how to read it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the figures are what this is for"
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
use report::Measured;
use requests::{Requests, SERVICES, SPANS};
use scenario::Scenario;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What to measure.
#[derive(Debug, Parser)]
struct Arguments {
    /// The Collector that `tests/peers/install.sh` has built
    #[arg(long)]
    collector: PathBuf,
    /// Another build of airdig, to be measured beside this one
    #[arg(long)]
    before: Option<PathBuf>,
    /// The scenarios; all without it
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Rounds of each program, in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Requests that wait for their answer at the same time; without it as many as each scenario says
    #[arg(long)]
    in_flight: Vec<usize>,
    /// Turns of 16 requests in a round
    #[arg(long, default_value_t = 256)]
    turns: u64,
    /// The same before the measurement begins
    #[arg(long, default_value_t = 64)]
    warm_up: u64,
    /// Where the table is written, too
    #[arg(long)]
    out: Option<PathBuf>,
    /// Given by cargo
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
                let measured = round::measure(program, case, &requests, &arguments, folder.path());
                let round = measured.await.map_err(|error| {
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
            &Measured {
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
