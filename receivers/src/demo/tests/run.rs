//! Tests of the running receiver: its signals, and its stop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pipeline::component::{Host, Receiver};
use pipeline::registry::BuildReceiver;
use pipeline::testing::capture;
use pipeline::{Signal, SignalSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::demo::{Config, Demo};

fn demo() -> Box<Demo> {
    let config: Config = serde_json::from_value(serde_json::json!({"speed": 1000})).unwrap();
    let host = Host::new("demo".parse().unwrap(), SignalSet::ALL, Arc::default());
    Box::new(Demo::build(config, &host).unwrap())
}

#[tokio::test]
async fn signals_are_emitted_until_the_stop() {
    let (output, mut queue) = capture(SignalSet::ALL);
    let stop = CancellationToken::new();
    let running = tokio::spawn(demo().run(output, stop.clone()));
    let mut signals = BTreeSet::new();
    let expected = [Signal::Resources, Signal::Changes, Signal::Traces];
    while !expected.iter().all(|signal| signals.contains(signal)) {
        let queued = timeout(Duration::from_secs(60), queue.recv()).await;
        signals.insert(queued.unwrap().unwrap().batch().signal());
    }
    stop.cancel();
    let ended = timeout(Duration::from_secs(1), running).await;
    ended.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn full_queue_does_not_delay_the_stop() {
    let (sender, _queue) = pipeline::channel::channel("full", SignalSet::ALL, 1);
    let output = pipeline::channel::Output::new(vec![sender]);
    let stop = CancellationToken::new();
    let running = tokio::spawn(demo().run(output, stop.clone()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!running.is_finished(), "the receiver waits for the queue");
    stop.cancel();
    let ended = timeout(Duration::from_secs(1), running).await;
    ended.unwrap().unwrap().unwrap();
}
