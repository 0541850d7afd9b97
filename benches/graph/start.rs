//! Measures a start on an existing graph, in a separate process: the time until the store is open (listening waits
//! for no more), the time until all names and the graph are read (batches wait for both), and the memory.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::figure::Figure;
use crate::process;
use crate::store::OpenStore;

pub(crate) const NAME: &str = "start";
/// Starts are repeated unless reading the names takes longer than `SLOW` seconds.
const TIMES: usize = 3;
const SLOW: f64 = 20.0;
const LIMIT: Duration = Duration::from_secs(300);

#[derive(Debug, Deserialize, Serialize)]
struct StartFigures {
    /// Seconds.
    open: f64,
    /// Seconds.
    names: f64,
    aliases: usize,
    /// Seconds.
    graph: f64,
    nodes: usize,
    rss_mib: f64,
    peak_mib: f64,
}

/// Runs in the separate process; returns one line of JSON.
pub(crate) async fn started(file: &Path) -> String {
    let start = Instant::now();
    let store = OpenStore::open(file).await;
    let open = start.elapsed().as_secs_f64();
    let aliases = store.read_names().await.expect("the names are read");
    let names = start.elapsed().as_secs_f64() - open;
    let nodes = store.read_graph().await.expect("the graph is read");
    let started = StartFigures {
        open,
        names,
        aliases,
        graph: start.elapsed().as_secs_f64() - open - names,
        nodes,
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
            Ok(started) => all.push(started),
            Err(figure) => return vec![figure],
        }
        if all.iter().any(|started| started.names > SLOW) {
            break;
        }
    }
    let figure = |what: &str, unit: &str, value: fn(&StartFigures) -> f64| {
        let values: Vec<f64> = all.iter().map(value).collect();
        let aliases = all.first().map_or(0, |started| started.aliases);
        Figure::of_samples(format!("{NAME}: {what}"), unit, &values).of(aliases)
    };
    let nodes = all.first().map_or(0, |started| started.nodes);
    vec![
        figure("open", "ms", |started| started.open * 1e3),
        figure("read all names", "s", |started| started.names),
        figure("read the graph", "s", |started| started.graph).of(nodes),
        figure("RSS afterwards", "MiB", |started| started.rss_mib),
        figure("peak RSS", "MiB", |started| started.peak_mib),
    ]
}

/// On failure returns the figure that states the reason.
async fn run(file: &Path) -> Result<StartFigures, Figure> {
    let name = || format!("{NAME}: read all names");
    let failed = |error: std::io::Error| {
        eprintln!("{NAME} failed: {error}");
        Figure::failed(name())
    };
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("--start").arg(file);
    let output = command.stdout(Stdio::piped()).kill_on_drop(true).output();
    let Ok(output) = tokio::time::timeout(LIMIT, output).await else {
        return Err(Figure::too_slow(name(), "s", LIMIT.as_secs_f64(), LIMIT));
    };
    let output = output.map_err(failed)?;
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.into()))
}
