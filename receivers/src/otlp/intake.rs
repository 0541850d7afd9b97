//! Handles one request of either protocol: reads, decompresses and decodes it, sends the batch to the pipelines and
//! waits for the outcome of its delivery.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use pipeline::channel::Output;
use pipeline::{Batch, Delivery, Outcome, Signal, otlp};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::body;
use super::budget::{BudgetCharge, RequestBudget};
use super::compression::{ContentCoding, decompress};
use super::rejection::RequestRejection;

/// How long the receiver waits for the delivery of a request whose sender set no timeout.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest body, in bytes, that is decoded on the task of its connection. Decoding a larger body takes more than
/// 500 µs, so it runs on the blocking pool.
const INLINE_DECODE_LIMIT: usize = 256 << 10;

/// The state that all requests to one receiver share.
#[derive(Debug)]
pub(super) struct RequestHandler {
    output: Output,
    source: Arc<str>,
    budget: RequestBudget,
}

/// The encoding of an OTLP body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtlpEncoding {
    Protobuf,
    Json,
}

/// A request whose body was read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) signal: Signal,
    pub(super) encoding: OtlpEncoding,
    pub(super) coding: ContentCoding,
    pub(super) message: Bytes,
    /// The maximum size of the decompressed message, in bytes.
    pub(super) limit: usize,
    /// The sender's deadline, if it set one.
    pub(super) deadline: Option<Instant>,
    /// Keeps the bytes of the request reserved in the budget.
    pub(super) charge: BudgetCharge,
}

/// An accepted request. If some of its rows were rejected permanently, all other rows were delivered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AcceptedExport {
    pub(super) rejected_rows: u64,
    /// Why rows were rejected.
    pub(super) reason: String,
}

impl RequestHandler {
    pub(super) fn new(output: Output, source: Arc<str>, budget: RequestBudget) -> RequestHandler {
        RequestHandler {
            output,
            source,
            budget,
        }
    }

    /// Checks that a pipeline accepts this signal.
    ///
    /// # Errors
    /// If no pipeline accepts this signal from this receiver.
    pub(super) fn check_signal(&self, signal: Signal) -> Result<(), RequestRejection> {
        if self.output.accepts(signal) {
            return Ok(());
        }
        Err(RequestRejection::unsupported_signal(format!(
            "no pipeline accepts {signal} from receiver {}",
            self.source
        )))
    }

    /// Reads a whole body of at most `limit` bytes, and returns it with its charge to the budget.
    ///
    /// # Errors
    /// If the body is too large, too slow or truncated, or the budget is exhausted.
    pub(super) async fn read(
        &self,
        body: Body,
        limit: usize,
        deadline: Option<Instant>,
    ) -> Result<(Bytes, BudgetCharge), RequestRejection> {
        let latest = Instant::now() + body::READ_TIMEOUT;
        let until = deadline.map_or(latest, |deadline| deadline.min(latest));
        let mut charge = self.budget.charge();
        let whole = body::read(body, limit, until, &mut charge).await?;
        Ok((whole, charge))
    }

    /// Counts and logs a rejected request.
    pub(super) fn count_rejection(&self, signal: Signal, rejection: &RequestRejection) {
        self.output
            .count_refused_request(signal, rejection.kind.name());
        // At a higher log level, senders could fill the disk with log lines.
        debug!(source = %self.source, %signal, kind = ?rejection.kind, message = rejection.message, "rejected a request");
    }

    /// Sends a request to the pipelines and waits until its delivery completes.
    ///
    /// # Errors
    /// If the request is rejected as a whole.
    pub(super) async fn deliver(
        &self,
        request: Request,
    ) -> Result<AcceptedExport, RequestRejection> {
        let senders_deadline = request.deadline;
        let until = senders_deadline.unwrap_or_else(|| Instant::now() + DEFAULT_TIMEOUT);
        let (delivery, receipt) = Delivery::new(Some(until));
        let (batch, charge) = self.decode(request, delivery).await?;
        batch.delivery().set_sent_rows(batch.num_rows());
        if batch.num_rows() > 0 {
            self.output.try_send(&batch)?;
        }
        // The queues account for the memory of the batch now. The receipt resolves when no clone of the delivery is
        // left.
        drop(batch);
        drop(charge);
        let Ok(outcome) = timeout_at(until, receipt).await else {
            return Err(if senders_deadline.is_some() {
                RequestRejection::deadline("deadline exceeded before the request was delivered")
            } else {
                let seconds = DEFAULT_TIMEOUT.as_secs();
                RequestRejection::unavailable(format!("timeout: not delivered within {seconds} s"))
            });
        };
        match outcome {
            Outcome::Delivered => Ok(AcceptedExport::default()),
            Outcome::Partial {
                rejected_rows,
                reason,
            } => Ok(AcceptedExport {
                rejected_rows,
                reason,
            }),
            Outcome::Refused(refusal) => Err(refusal.into()),
        }
    }

    async fn decode(
        &self,
        request: Request,
        delivery: Delivery,
    ) -> Result<(Batch, BudgetCharge), RequestRejection> {
        let source = self.source.clone();
        // The decompressed size is not known in advance, so a compressed body is always decoded on the pool.
        let inline = request.coding == ContentCoding::Identity
            && request.message.len() <= INLINE_DECODE_LIMIT;
        let work = move || decompress_and_decode(request, &source, delivery);
        if inline {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(decoded) => decoded,
            Err(error) if error.is_panic() => Err(RequestRejection::failed(format!(
                "decoding the request panicked: {error}"
            ))),
            Err(_) => Err(RequestRejection::unavailable(
                "the receiver stopped before it decoded the request",
            )),
        }
    }
}

fn decompress_and_decode(
    mut request: Request,
    source: &str,
    delivery: Delivery,
) -> Result<(Batch, BudgetCharge), RequestRejection> {
    let message = decompress(
        request.coding,
        request.message,
        request.limit,
        &mut request.charge,
    )?;
    let batch = decode_batch(request.signal, request.encoding, message, source, delivery)?;
    Ok((batch, request.charge))
}

/// Decodes a body into a batch.
///
/// # Errors
/// If the body is not an export request of this signal.
fn decode_batch(
    signal: Signal,
    encoding: OtlpEncoding,
    body: Bytes,
    source: &str,
    delivery: Delivery,
) -> Result<Batch, RequestRejection> {
    let batch = match encoding {
        OtlpEncoding::Protobuf => otlp::decode(signal, body, source, delivery),
        OtlpEncoding::Json => otlp::json::decode(signal, &body, source, delivery),
    };
    batch.map_err(|error| {
        RequestRejection::malformed(format!(
            "cannot decode the request as OTLP {signal}: {error}"
        ))
    })
}
