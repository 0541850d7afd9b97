//! `airdig run`: until SIGINT or SIGTERM, or until something fails.

use std::io;
use std::process::ExitCode;

use pipeline::component::Chain;
use pipeline::engine::Engine;
use pipeline::registry::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info};

use super::configuration::Arguments;
use super::{BAD_CONFIGURATION, FAILED, complain, logs};

pub(super) fn run(
    arguments: &Arguments,
    registry: &Registry,
    level: Option<logs::Level>,
) -> ExitCode {
    let topology = match arguments.topology(registry) {
        Ok(topology) => topology,
        Err(exit) => return exit,
    };
    logs::start(level, topology.telemetry.log_level.as_deref());
    for note in &topology.notes {
        info!("{note}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("cannot start threads: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    runtime.block_on(async {
        let mut stop = match Stop::listen() {
            Ok(stop) => stop,
            Err(error) => {
                error!(%error, "cannot listen for signals");
                return ExitCode::from(FAILED);
            }
        };
        let engine = match Engine::build(topology, registry) {
            Ok(engine) => engine,
            Err(error) => {
                error!(error = %Chain(&error), "cannot build what the configuration asks for");
                return ExitCode::from(BAD_CONFIGURATION);
            }
        };
        match engine.run(async move { stop.asked().await }).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                error!(error = %Chain(&error), "stopped");
                ExitCode::from(FAILED)
            }
        }
    })
}

/// SIGINT (Ctrl-C) and SIGTERM. They are listened for before anything is built, so that none is
/// missed.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> io::Result<Stop> {
        Ok(Stop {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        };
        info!(signal = name, "stopping");
    }
}
