//! One round: starts a program, warms it up, sends the load, waits until all spans have arrived, and stops it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::load::{self, LoadOutcome};
use crate::program::{Program, ProgramMemory, free_address};
use crate::requests::{CALLS, Requests, SERVICES};
use crate::scenario::Scenario;
use crate::sink::{self, SinkCounts};
use crate::{Arguments, Failure};

/// If nothing arrives for this long, the missing spans are counted as lost.
const LOSS_TIMEOUT: Duration = Duration::from_secs(5);

/// The results of one program in one scenario.
#[derive(Debug)]
pub(crate) struct Round {
    /// CPU seconds per million spans, from the first request until all spans have arrived.
    pub(crate) cpu: f64,
    pub(crate) spans_a_second: f64,
    /// Seconds.
    pub(crate) p50: f64,
    /// Seconds.
    pub(crate) p99: f64,
    /// Bytes.
    pub(crate) peak: u64,
    pub(crate) refusals: u64,
    pub(crate) lost: i64,
}

/// The results of an idle program.
#[derive(Debug)]
pub(crate) struct Idle {
    /// Bytes.
    pub(crate) memory: u64,
    /// CPU seconds per minute.
    pub(crate) cpu: f64,
}

pub(crate) async fn measure(
    program: &Program,
    (scenario, in_flight): (Scenario, usize),
    requests: &Arc<Requests>,
    arguments: &Arguments,
    folder: &Path,
) -> Result<Round, Failure> {
    let (sink, counted) = sink::listen().await?;
    let listen = free_address()?;
    let config = scenario.config();
    let running = program.start(&config, &listen, &sink.to_string(), folder)?;
    let channel = load::connect(&listen).await?;

    let warm_up_turns = Scenario::turns(in_flight, arguments.warm_up);
    let warm_up = warm_up_turns * SERVICES;
    let warm = load::send(&channel, requests, 0, warm_up, in_flight).await?;
    settle(scenario, &counted, &warm, warm_up_turns).await;

    let cpu = running.cpu()?;
    let turns = Scenario::turns(in_flight, arguments.turns);
    let count = turns * SERVICES;
    let sent = load::send(&channel, requests, warm_up, count, in_flight).await?;
    let all = LoadOutcome {
        spans: warm.spans + sent.spans,
        ..LoadOutcome::default()
    };
    let turns = warm_up_turns + turns;
    settle(scenario, &counted, &all, turns).await;
    let cpu = running.cpu()? - cpu;

    let ProgramMemory { peak, .. } = running.memory()?;
    drop(channel);
    running.stop().await?;
    let percentile = |of: usize| {
        let index = (sent.latencies.len() * of / 100).min(sent.latencies.len() - 1);
        sent.latencies[index].as_secs_f64()
    };
    Ok(Round {
        cpu: cpu.as_secs_f64() * 1e6 / sent.spans as f64,
        spans_a_second: sent.spans as f64 / sent.took.as_secs_f64(),
        p50: percentile(50),
        p99: percentile(99),
        peak,
        refusals: sent.refusals,
        lost: missing(scenario, &counted, &all, turns),
    })
}

/// Measures memory and CPU of a program that has received some spans and is now idle.
pub(crate) async fn idle(
    program: &Program,
    requests: &Arc<Requests>,
    config: &str,
    folder: &Path,
) -> Result<Idle, Failure> {
    /// By then edge statistics and unpaired spans were exported.
    const FLUSH_TIME: Duration = Duration::from_secs(20);
    const IDLE_TIME: Duration = Duration::from_secs(60);
    let (sink, _) = sink::listen().await?;
    let listen = free_address()?;
    let running = program.start(config, &listen, &sink.to_string(), folder)?;
    let channel = load::connect(&listen).await?;
    load::send(&channel, requests, 0, SERVICES, 1).await?;
    tokio::time::sleep(FLUSH_TIME).await;
    let before = running.cpu()?;
    tokio::time::sleep(IDLE_TIME).await;
    let cpu = running.cpu()? - before;
    let ProgramMemory { now: memory, .. } = running.memory()?;
    running.stop().await?;
    Ok(Idle {
        memory,
        cpu: cpu.as_secs_f64() * 60.0 / IDLE_TIME.as_secs_f64(),
    })
}

/// Waits until all spans have arrived, or until nothing has arrived for `LOSS_TIMEOUT`.
async fn settle(scenario: Scenario, counted: &SinkCounts, sent: &LoadOutcome, turns: u64) {
    let mut last = (0, Instant::now());
    while missing(scenario, counted, sent, turns) != 0 && last.1.elapsed() < LOSS_TIMEOUT {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let arrived = counted.spans() + counted.calls();
        if arrived != last.0 {
            last = (arrived, Instant::now());
        }
    }
}

/// Spans that have not arrived; for a service graph, the spans of calls that its metrics do not count.
fn missing(scenario: Scenario, counted: &SinkCounts, sent: &LoadOutcome, turns: u64) -> i64 {
    match scenario {
        Scenario::Forward | Scenario::Straight | Scenario::Gzip => {
            sent.spans as i64 - counted.spans() as i64
        }
        Scenario::ServiceGraph => 2 * ((turns * CALLS) as i64 - counted.calls() as i64),
        Scenario::Drop => 0,
    }
}
