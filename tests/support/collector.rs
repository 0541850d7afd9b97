//! Runs the OpenTelemetry Collector that `tests/peers/install.sh` builds from `tests/peers/collector.yaml`.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use super::{STEP_TIMEOUT, log_of, peer, stop};

/// A running Collector; killed when dropped.
pub(crate) struct Collector {
    child: Child,
}

impl Collector {
    /// Starts the Collector and waits until it logs that it is ready.
    pub(crate) fn start(config: &Path, environment: &[(&str, &str)]) -> Collector {
        let mut command = Command::new(peer("bin/otelcol"));
        command
            .arg("--config")
            .arg(config)
            // Two Collectors would both listen on port 8888 for their own metrics.
            .args(["--set", "service.telemetry.metrics.level=none"])
            .envs(environment.iter().copied());
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the Collector starts");
        let log = log_of(&mut child);
        let collector = Collector { child };
        let start = Instant::now();
        let mut lines = Vec::new();
        loop {
            let line = log.recv_timeout(STEP_TIMEOUT.saturating_sub(start.elapsed()));
            let line = line.unwrap_or_else(|_| panic!("the Collector is not ready: {lines:#?}"));
            if line.contains("Everything is ready") {
                return collector;
            }
            lines.push(line);
        }
    }

    /// Sends SIGTERM and waits until the process exits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        stop(&mut self.child)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
