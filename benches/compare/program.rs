//! Runs the programs under test as child processes and reads their CPU and memory from the kernel.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// The unit of CPU times in `/proc` (`USER_HZ`), independent of the tick of the kernel.
const TICKS: f64 = 100.0;

/// The binary that cargo built with this benchmark.
const AIRDIG: &str = env!("CARGO_BIN_EXE_airdig");

/// A program to measure.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    path: PathBuf,
    arguments: Vec<&'static str>,
    /// The argument that prints its version.
    version: &'static str,
}

impl Program {
    pub(crate) fn airdig() -> Program {
        Program {
            name: "airdig",
            path: AIRDIG.into(),
            arguments: vec!["run"],
            version: "version",
        }
    }

    pub(crate) fn collector(path: &Path) -> Program {
        Program {
            name: "Collector",
            path: path.to_owned(),
            // By default the Collector listens on a fixed port for its metrics; airdig does so only if configured.
            arguments: vec!["--set", "service.telemetry.metrics.level=none"],
            version: "--version",
        }
    }

    /// Another build of airdig.
    pub(crate) fn before(path: &Path) -> Program {
        Program {
            name: "airdig before",
            path: path.to_owned(),
            arguments: vec!["run"],
            version: "version",
        }
    }

    /// The version that the program prints.
    pub(crate) fn version(&self) -> Result<String, Failure> {
        let output = Command::new(&self.path).arg(self.version).output();
        let output = output.map_err(|error| format!("{}: {error}", self.path.display()))?;
        let text = String::from_utf8(output.stdout)?;
        let version = text.split_whitespace().last();
        Ok(version.ok_or("the program printed no version")?.to_owned())
    }

    /// Starts it with a configuration in which `${env:LISTEN}` and `${env:SINK}` are these addresses. Its store and
    /// its log are files in `folder`.
    pub(crate) fn start(
        &self,
        config: &str,
        listen: &str,
        sink: &str,
        folder: &Path,
    ) -> Result<RunningProgram, Failure> {
        let file = folder.join("config.yaml");
        fs::write(&file, config)?;
        let log = File::create(folder.join(format!("{}.log", self.name)))?;
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .arg("--config")
            .arg(file)
            .env("LISTEN", listen)
            .env("SINK", sink)
            .env("STORE", folder.join(format!("{}.db", self.name)));
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(RunningProgram { child })
    }
}

/// A child; killed when dropped.
#[derive(Debug)]
pub(crate) struct RunningProgram {
    child: Child,
}

/// Bytes of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgramMemory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl RunningProgram {
    /// CPU time used so far, in user mode and in the kernel. Source: proc_pid_stat(5).
    pub(crate) fn cpu(&self) -> Result<Duration, Failure> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold spaces; fields 14 and 15 are utime and stime.
        let (_, fields) = text.rsplit_once(')').ok_or("no name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_secs_f64(ticks as f64 / TICKS))
    }

    /// Resident memory. Source: proc_pid_status(5).
    pub(crate) fn memory(&self) -> Result<ProgramMemory, Failure> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| -> Result<u64, Failure> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next());
            Ok(kib.ok_or_else(|| format!("no {name}"))?.parse::<u64>()? << 10)
        };
        Ok(ProgramMemory {
            now: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }

    /// Sends SIGTERM and waits until the process exits.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let pid = self.child.id().to_string();
        Command::new("kill").arg(pid).status()?;
        let start = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the program exited with {status}").into()),
                None if start.elapsed() > Duration::from_secs(60) => {
                    return Err("the program does not stop".into());
                }
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

impl Drop for RunningProgram {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on which no program listens.
pub(crate) fn free_address() -> Result<String, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
