//! `airdig run`: runs the pipelines until SIGINT or SIGTERM, or until a component fails.

use std::io;
use std::process::ExitCode;

use pipeline::component::ErrorChain;
use pipeline::engine::Engine;
use pipeline::registry::Registry;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info};

use super::configuration::ConfigArguments;
use super::{BAD_CONFIGURATION, FAILED, logs, print_error};

/// Runs the engine, and returns the exit code of the process.
pub(super) fn run(
    arguments: &ConfigArguments,
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
            print_error(&format!("cannot start the runtime threads: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    runtime.block_on(async {
        let mut stop = match StopSignals::listen() {
            Ok(stop) => stop,
            Err(error) => {
                error!(%error, "cannot install the handlers of SIGINT and SIGTERM");
                return ExitCode::from(FAILED);
            }
        };
        let engine = match Engine::build(topology, registry) {
            Ok(engine) => engine,
            Err(error) => {
                error!(error = %ErrorChain(&error), "cannot build the components of the configuration");
                return ExitCode::from(BAD_CONFIGURATION);
            }
        };
        match engine.run(async move { stop.received().await }).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                error!(error = %ErrorChain(&error), "stopped");
                ExitCode::from(FAILED)
            }
        }
    })
}

/// SIGINT (Ctrl-C) and SIGTERM. Handlers are installed before any component is built, so that no signal is
/// missed.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn listen() -> io::Result<StopSignals> {
        Ok(StopSignals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for a signal, and logs it.
    async fn received(&mut self) {
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        };
        info!(signal = name, "stopping");
    }
}
