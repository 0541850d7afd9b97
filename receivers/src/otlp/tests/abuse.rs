//! Tests with peers that send garbage, stall or disconnect.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use pipeline::SignalSet;
use prost::Message;
use rand::RngCore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::service::{Running, run, run_with_pipeline, spans, stalled_pipeline};
use crate::otlp::budget::MIN_BUDGET;

/// Sends a request of one span over HTTP and returns the status.
async fn status(running: &Running) -> u16 {
    let body = spans(1).encode_to_vec();
    let mut stream = TcpStream::connect(running.http).await.unwrap();
    stream.write_all(&head(body.len())).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).await.unwrap();
    String::from_utf8_lossy(&response[9..]).parse().unwrap()
}

fn head(length: usize) -> Vec<u8> {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
    );
    head.into_bytes()
}

/// Sends requests until the status is as expected, for a few seconds at most.
async fn wait_for_status(running: &Running, expected: u16) {
    for _ in 0..200 {
        if status(running).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the status did not become {expected}");
}

#[tokio::test]
async fn noise_on_the_sockets_does_not_affect_other_clients() {
    let running = run_with_pipeline(|_| ()).await;
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
            // The receiver may close the connection at any time.
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
async fn stalled_bodies_hold_bounded_memory_and_other_requests_get_429() {
    let running = run_with_pipeline(|_| ()).await;
    let quarter = vec![0; MIN_BUDGET / 4];
    let mut stalled = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(running.http).await.unwrap();
        stream.write_all(&head(quarter.len() + 1)).await.unwrap();
        stream.write_all(&quarter).await.unwrap();
        stalled.push(stream);
    }
    wait_for_status(&running, 429).await;
    drop(stalled);
    wait_for_status(&running, 200).await;
}

#[tokio::test]
async fn disconnected_sender_leaves_nothing_in_the_queue() {
    let (output, mut queue) = stalled_pipeline(SignalSet::TELEMETRY, 1 << 20);
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
    assert_eq!(queue.used_bytes(), 0);
}
