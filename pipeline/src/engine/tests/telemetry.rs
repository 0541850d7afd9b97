//! The engine counts rows and serves the counts as metrics.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{TestPipeline, TestPlan, blocking, refusal, spans};
use crate::Signal;
use crate::component::ErrorChain;
use crate::engine::Limits;
use crate::testing::{CapturingExporter, DerivingProcessor, ExportBehaviour, RejectingProcessor};

/// An address that is not in use.
async fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn scrape(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nhost: airdig\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn accepted_refused_sent_and_failed_rows_are_counted() {
    let (receiver, mut outcomes) = spans(&["a", "b"]);
    let (good, _) = CapturingExporter::new();
    let (picky, _) = CapturingExporter::new();
    let (block, held) = blocking();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("block", block)
        .through("turn", DerivingProcessor(Signal::Nodes));
    let address = free_address().await;
    let mut setup = TestPlan::new()
        // Capacity for one batch: the second is refused.
        .limits(Limits {
            pipeline_bytes: 1,
            ..Limits::default()
        })
        .receiver("canned", receiver)
        .exporter("good", good)
        .accepts(&[Signal::Traces, Signal::Nodes])
        .exporter("picky", picky.later_attempts(ExportBehaviour::Reject))
        .accepts(&[Signal::Traces])
        .pipeline(pipe.to("good").to("picky"));
    setup.0.metrics_address = Some(address);
    let engine = setup.run();
    assert_eq!(refusal(&mut outcomes).await.component, "pipelines/p");
    drop(held);
    assert_eq!(refusal(&mut outcomes).await.component, "exporters/picky");
    let text = scrape(address).await;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    for line in [
        "# TYPE otelcol_receiver_accepted_spans counter",
        r#"otelcol_receiver_accepted_spans{receiver="canned"} 1"#,
        r#"otelcol_receiver_refused_spans{receiver="canned"} 1"#,
        r#"otelcol_processor_incoming_items{processor="turn",pipeline="p"} 1"#,
        r#"otelcol_processor_outgoing_items{processor="turn",pipeline="p"} 2"#,
        r#"otelcol_exporter_sent_spans{exporter="good"} 1"#,
        r#"airdig_exporter_sent_nodes{exporter="good"} 1"#,
        r#"otelcol_exporter_send_failed_spans{exporter="good"} 0"#,
        r#"otelcol_exporter_sent_spans{exporter="picky"} 0"#,
        r#"otelcol_exporter_send_failed_spans{exporter="picky"} 1"#,
        r#"otelcol_exporter_enqueue_failed_spans{exporter="picky"} 0"#,
        r#"otelcol_exporter_queue_capacity{exporter="picky"} 1000"#,
        r#"otelcol_exporter_in_flight_requests{exporter="picky"} 0"#,
    ] {
        assert!(text.lines().any(|other| other == line), "{line} in {text}");
    }
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn rows_that_a_processor_refuses_are_counted() {
    let (receiver, mut outcomes) = spans(&["a"]);
    let (exporter, _) = CapturingExporter::new();
    let pipe = TestPipeline::new("p")
        .from("canned")
        .through("refuse", RejectingProcessor);
    let address = free_address().await;
    let mut setup = TestPlan::new()
        .receiver("canned", receiver)
        .exporter("x", exporter)
        .pipeline(pipe.to("x"));
    setup.0.metrics_address = Some(address);
    let engine = setup.run();
    assert_eq!(refusal(&mut outcomes).await.component, "processors/refuse");
    let text = scrape(address).await;
    let line = r#"airdig_processor_refused_items{processor="refuse",pipeline="p"} 1"#;
    assert!(text.lines().any(|other| other == line), "{text}");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn address_in_use_is_reported_before_components_run() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let mut setup = TestPlan::new();
    setup.0.metrics_address = Some(address);
    let error = setup.run().ended().await.unwrap_err();
    let message = ErrorChain(&error).to_string();
    assert!(message.starts_with("cannot serve metrics on "), "{message}");
}
