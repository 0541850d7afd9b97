//! Starts the binary, reads its addresses from its log, sends HTTP requests to it, and stops it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

mod collector;
mod destination;
#[cfg(feature = "aws")]
mod moto;
mod ports;

pub(crate) use collector::Collector;
pub(crate) use destination::{SpanDestination, export_request};
#[cfg(feature = "aws")]
pub(crate) use moto::{AccountNames, CREDENTIALS, Moto};
pub(crate) use ports::free_address;

/// The timeout of each step of a test.
pub(crate) const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// A running airdig; killed when dropped.
pub(crate) struct Airdig {
    child: Child,
    log: Receiver<String>,
    entries: Vec<Json>,
}

/// The binary under test.
pub(crate) fn airdig() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airdig"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

impl Airdig {
    /// Starts `airdig run` and waits until it logs that it is ready.
    pub(crate) fn start(config: &Path, environment: &[(&str, &Path)]) -> Airdig {
        Airdig::start_with(&[config], environment)
    }

    /// Like [`Airdig::start`] with several files; a later file overrides earlier ones.
    pub(crate) fn start_with(configs: &[&Path], environment: &[(&str, &Path)]) -> Airdig {
        let mut command = airdig();
        command.arg("run").envs(environment.iter().copied());
        for config in configs {
            command.arg("--config").arg(config);
        }
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("airdig starts");
        let log = log_of(&mut child);
        let mut airdig = Airdig {
            child,
            log,
            entries: Vec::new(),
        };
        airdig.wait_for_log("ready");
        airdig
    }

    /// Waits for a log line with this message.
    pub(crate) fn wait_for_log(&mut self, message: &str) {
        let start = Instant::now();
        loop {
            let line = self
                .log
                .recv_timeout(STEP_TIMEOUT.saturating_sub(start.elapsed()));
            let line = line
                .unwrap_or_else(|_| panic!("no log line {message:?} after {:#?}", self.entries));
            let entry: Json = serde_json::from_str(&line).unwrap_or(Json::String(line));
            let matches = field(&entry, "message") == message;
            self.entries.push(entry);
            if matches {
                return;
            }
        }
    }

    /// The address on which a component listens, as it logged it.
    pub(crate) fn address(&self, component: &str, protocol: &str) -> String {
        self.entries
            .iter()
            .find(|entry| {
                field(entry, "message") == "listening"
                    && field(entry, "component") == component
                    && field(entry, "protocol") == protocol
            })
            .map(|entry| field(entry, "address").to_owned())
            .unwrap_or_else(|| {
                panic!(
                    "{component} does not listen for {protocol}: {:#?}",
                    self.entries
                )
            })
    }

    /// Sends a GraphQL query; panics if the response has errors.
    pub(crate) fn query(&self, query: &str) -> Json {
        let url = format!(
            "http://{}/graphql",
            self.address("exporters/graphql", "http")
        );
        let body = serde_json::json!({ "query": query }).to_string();
        let (status, answer) = post(&url, "application/json", body.as_bytes());
        assert_eq!(status, 200, "{answer}");
        let answer: Json = serde_json::from_str(&answer).expect("the response is JSON");
        assert!(answer.get("errors").is_none(), "{query}: {answer:#}");
        answer["data"].clone()
    }

    /// Sends SIGTERM and waits until airdig has drained and exits.
    pub(crate) fn stop(mut self) -> ExitStatus {
        stop(&mut self.child)
    }
}

impl Drop for Airdig {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Receives the lines that a child writes to standard error.
fn log_of(child: &mut Child) -> Receiver<String> {
    let stderr = child.stderr.take().expect("stderr is piped");
    let (lines, log) = channel();
    std::thread::spawn(move || {
        BufReader::new(stderr)
            .lines()
            .map_while(Result::ok)
            .for_each(|line| {
                let _ = lines.send(line);
            });
    });
    log
}

/// Sends SIGTERM and waits until the process exits.
fn stop(child: &mut Child) -> ExitStatus {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .arg(pid)
            .status()
            .expect("kill runs")
            .success()
    );
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status;
        }
        assert!(start.elapsed() < STEP_TIMEOUT, "the process does not stop");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The path of a program that `tests/peers/install.sh` installed.
pub(crate) fn peer(program: &str) -> PathBuf {
    let peers =
        std::env::var_os("AIRDIG_PEERS").expect("run `make test`: it installs the peers first");
    Path::new(&peers).join(program)
}

/// A field of a JSON log line; tracing nests an event's own fields.
fn field<'a>(entry: &'a Json, name: &str) -> &'a str {
    entry["fields"][name]
        .as_str()
        .or_else(|| entry[name].as_str())
        .unwrap_or_default()
}

/// Status and body of a POST.
pub(crate) fn post(url: &str, content_type: &str, body: &[u8]) -> (u16, String) {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(STEP_TIMEOUT));
    let agent: ureq::Agent = config.build().into();
    let mut response = agent
        .post(url)
        .content_type(content_type)
        .send(body)
        .expect("the server responds");
    (
        response.status().as_u16(),
        response
            .body_mut()
            .read_to_string()
            .expect("the response is text"),
    )
}

/// Calls `poll` until it returns a value; `what` names the expected event.
pub(crate) fn eventually<T>(what: &str, mut poll: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = poll() {
            return answer;
        }
        assert!(
            start.elapsed() < STEP_TIMEOUT,
            "timed out waiting for {what}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}
