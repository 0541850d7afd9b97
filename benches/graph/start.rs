//! What a start on an existing graph takes, in a process of its own: until the store is open and
//! `identity` has read all names, and how much memory that needs.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::figure::Figure;
use crate::process;
use crate::store::OpenStore;

pub(crate) const NAME: &str = "start";
const TIMES: usize = 3;
const LIMIT: Duration = Duration::from_secs(300);

#[derive(Debug, Deserialize, Serialize)]
struct Started {
    /// Seconds.
    open: f64,
    /// Seconds.
    names: f64,
    aliases: usize,
    rss_mib: f64,
    peak_mib: f64,
}

/// In the process of its own: one line of JSON.
pub(crate) async fn started(file: &Path) -> String {
    let start = Instant::now();
    let store = OpenStore::open(file).await;
    let open = start.elapsed().as_secs_f64();
    let aliases = store.read_names().await.expect("the names are read");
    let started = Started {
        open,
        names: start.elapsed().as_secs_f64() - open,
        aliases,
        rss_mib: process::memory_mib("VmRSS"),
        peak_mib: process::memory_mib("VmHWM"),
    };
    serde_json::to_string(&started).expect("the figures are numbers")
}

pub(crate) async fn measure(file: &Path) -> Vec<Figure> {
    eprintln!("{NAME}");
    let mut all = Vec::new();
    for _ in 0..TIMES {
        match run(file).await {
            Some(started) => all.push(started),
            None => {
                return vec![Figure::failed(format!(
                    "{NAME}: over {} s",
                    LIMIT.as_secs()
                ))];
            }
        }
    }
    let figure = |what: &str, unit: &str, value: fn(&Started) -> f64| {
        let values: Vec<f64> = all.iter().map(value).collect();
        let aliases = all.first().map_or(0, |started| started.aliases);
        Figure::of_samples(format!("{NAME}: {what}"), unit, &values).of(aliases)
    };
    vec![
        figure("open", "ms", |started| started.open * 1e3),
        figure("read all names", "s", |started| started.names),
        figure("RSS afterwards", "MiB", |started| started.rss_mib),
        figure("peak RSS", "MiB", |started| started.peak_mib),
    ]
}

async fn run(file: &Path) -> Option<Started> {
    let itself = std::env::current_exe().ok()?;
    let mut command = Command::new(itself);
    command.arg("--start").arg(file);
    let output = command.stdout(Stdio::piped()).kill_on_drop(true).output();
    let output = tokio::time::timeout(LIMIT, output).await.ok()?.ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
