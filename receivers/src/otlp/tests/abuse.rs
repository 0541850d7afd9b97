//! Peers that do not mean well.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use pipeline::SignalSet;
use prost::Message;
use rand::RngCore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::service::{Running, run, run_before, spans, stuck};
use crate::otlp::budget::LEAST;

/// Sends a request of one span over HTTP and returns the status.
async fn status(running: &Running) -> u16 {
    let body = spans(1).encode_to_vec();
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    stream.write_all(&head(body.len())).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[9..]).parse().unwrap()
}

fn head(length: usize) -> Vec<u8> {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    );
    head.into_bytes()
}

/// Until the status is as expected, for a few seconds at most.
async fn becomes(running: &Running, expected: u16) {
    for _ in 0..200 {
        if status(running).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the status did not become {expected}");
}

#[tokio::test]
async fn noise_on_the_sockets_harms_nobody_else() {
    let running = run_before(|_| ()).await;
    let mut rng = rand::rng();
    for address in [running.grpc, running.http] {
        for begin in [
            "",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "POST / HTTP/1.1\r\n",
        ] {
            let mut noise = vec![0; 4096];
            rng.fill_bytes(&mut noise);
            let mut stream = TcpStream::connect(address).await.unwrap();
            // The other side may hang up in the middle.
            let _ = stream.write_all(begin.as_bytes()).await;
            let _ = stream.write_all(&noise).await;
        }
    }
    assert_eq!(status(&running).await, 200);
    let endpoint = format!("http://{}", running.grpc);
    let mut client = TraceServiceClient::connect(endpoint).await.unwrap();
    client.export(spans(1)).await.unwrap();
}

#[tokio::test]
async fn bodies_that_never_end_hold_bounded_memory_and_others_are_told_to_wait() {
    let running = run_before(|_| ()).await;
    let quarter = vec![0; LEAST / 4];
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(running.http).await.unwrap();
        stream.write_all(&head(quarter.len() + 1)).await.unwrap();
        stream.write_all(&quarter).await.unwrap();
        stalled.push(stream);
    }
    becomes(&running, 429).await;
    drop(stalled);
    becomes(&running, 200).await;
}

#[tokio::test]
async fn those_who_go_away_leave_nothing_behind() {
    let (output, mut queue) = stuck(SignalSet::TELEMETRY, 1 << 20);
    let running = run(output).await;
    let body = spans(1).encode_to_vec();
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    stream.write_all(&head(body.len())).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let queued = queue.recv().await.unwrap();
    drop(stream);
    drop(queued.into_parts());
    running.stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), running.task).await;
    ended.expect("the receiver ends").unwrap().unwrap();
    assert_eq!(queue.used(), 0);
}
