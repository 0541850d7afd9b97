//! An AWS account to scan: moto, an emulator of AWS's APIs, with the resources that `tests/aws/account.py` creates.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;

use super::ports::free_port;
use super::{airdig, eventually, peer};

/// Credentials that moto accepts.
pub(crate) const CREDENTIALS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "testing"),
    ("AWS_REGION", "us-east-1"),
    // Without this, the SDK waits for the instance metadata service, which does not exist here.
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// A running moto, or a gate in front of one, on a separate port; killed when dropped.
pub(crate) struct Moto {
    child: Child,
    pub(crate) url: String,
}

impl Moto {
    /// Starts an empty moto.
    pub(crate) fn start() -> Moto {
        let port = free_port();
        let mut command = Command::new(peer("python/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        Moto::spawn(command, port)
    }

    /// Starts a proxy that forwards requests to this moto and denies the actions that the file `denied` lists.
    pub(crate) fn gate(&self, denied: &std::path::Path) -> Moto {
        let port = free_port();
        let mut command = python("gate.py");
        command
            .args(["--port", &port.to_string(), "--to", &self.url])
            .arg("--denied")
            .arg(denied);
        Moto::spawn(command, port)
    }

    fn spawn(mut command: Command, port: u16) -> Moto {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let moto = Moto {
            child: child.expect("it starts"),
            url: format!("http://127.0.0.1:{port}"),
        };
        let ready = format!("{}/moto-api/", moto.url);
        eventually("moto answers", || {
            ureq::get(&ready).call().is_ok().then_some(())
        });
        moto
    }

    /// Builds the account of `tests/aws/` and returns its logical names.
    pub(crate) fn build_account(&self) -> AccountNames {
        let printed = self.run("account.py", &[]);
        let names: BTreeMap<String, Json> = serde_json::from_str(&printed).expect("it prints JSON");
        AccountNames(names)
    }

    /// Runs a script of `tests/aws/` against this moto and returns its output.
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> String {
        let mut command = python(script);
        command
            .args(["--endpoint", &self.url])
            .args(arguments)
            .envs(CREDENTIALS);
        let output = command.output().expect("python runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {errors}");
        String::from_utf8(output.stdout).expect("it prints text")
    }

    /// Runs `airdig scan` on this account and returns its output.
    pub(crate) fn scan(&self, arguments: &[&str]) -> String {
        let mut command = airdig();
        command.args(["scan", "--endpoint", &self.url, "--region", "us-east-1"]);
        let output = command
            .args(arguments)
            .envs(CREDENTIALS)
            .output()
            .expect("airdig runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).expect("it prints text")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python(script: &str) -> Command {
    let mut command = Command::new(peer("python/bin/python"));
    command.arg(format!("{}/tests/aws/{script}", env!("CARGO_MANIFEST_DIR")));
    command
}

/// The resources of the account: logical name → id, uid, kind.
pub(crate) struct AccountNames(BTreeMap<String, Json>);

impl AccountNames {
    pub(crate) fn uid(&self, name: &str) -> &str {
        let uid = self.0.get(name).and_then(|it| it["uid"].as_str());
        uid.unwrap_or_else(|| panic!("the account has no resource {name}"))
    }

    pub(crate) fn id(&self, name: &str) -> &str {
        self.0[name]["id"].as_str().expect("it has an id")
    }

    /// Uid → logical name.
    pub(crate) fn by_uid(&self) -> BTreeMap<&str, &str> {
        let named = self
            .0
            .iter()
            .filter_map(|(name, it)| Some((it["uid"].as_str()?, name.as_str())));
        named.collect()
    }

    /// The names of resources that a scan reports, with their kinds.
    pub(crate) fn scanned(&self) -> BTreeMap<&str, &str> {
        let existing = self.0.iter().filter(|(_, it)| it.get("gone").is_none());
        existing
            .filter_map(|(name, it)| Some((name.as_str(), it["kind"].as_str()?)))
            .collect()
    }
}
