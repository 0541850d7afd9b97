//! The OpenTelemetry Collector as a peer: the program that `tests/peers/collector.yaml` describes.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use super::{PATIENCE, log_of, peer, stop};

/// A running Collector; killed when dropped.
pub(crate) struct Collector {
    child: Child,
}

impl Collector {
    /// Starts it and waits until it says that it is ready.
    pub(crate) fn start(config: &Path, environment: &[(&str, &str)]) -> Collector {
        let mut command = Command::new(peer("bin/otelcol"));
        command
            .arg("--config")
            .arg(config)
            // Two of them at once would both serve their own metrics on port 8888.
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
        let mut seen = Vec::new();
        loop {
            let line = log.recv_timeout(PATIENCE.saturating_sub(start.elapsed()));
            let line = line.unwrap_or_else(|_| panic!("the Collector is not ready: {seen:#?}"));
            if line.contains("Everything is ready") {
                return collector;
            }
            seen.push(line);
        }
    }

    /// Sends SIGTERM and waits for the end.
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
