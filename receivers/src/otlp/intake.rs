//! The way of one request, the same for both protocols: decompressed, decoded, handed to the
//! pipelines, and answered once it is delivered.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use pipeline::channel::Output;
use pipeline::{Batch, Delivery, Outcome, Signal};
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::body;
use super::budget::{Budget, Charge};
use super::compression::{Coding, decompress};
use super::decode::{Format, decode};
use super::rejection::Rejection;

/// How long a sender waits, once its request is here, that did not say how long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A larger body is decoded beside the threads that serve connections: it takes more than 500 µs.
const QUICK: usize = 256 << 10;

/// What all requests of one receiver share.
#[derive(Debug)]
pub(super) struct Intake {
    output: Output,
    source: Arc<str>,
    budget: Budget,
}

/// A request whose body was read.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) signal: Signal,
    pub(super) format: Format,
    pub(super) coding: Coding,
    pub(super) message: Bytes,
    /// Bytes that it may have when decompressed.
    pub(super) limit: usize,
    /// When the sender gives up, if it said so.
    pub(super) gives_up: Option<Instant>,
    pub(super) charge: Charge,
}

/// Rows that were refused for good while all others were delivered; mostly none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) rejected_rows: u64,
    pub(super) reason: String,
}

impl Intake {
    pub(super) fn new(output: Output, source: Arc<str>, budget: Budget) -> Intake {
        Intake {
            output,
            source,
            budget,
        }
    }

    /// # Errors
    /// When no pipeline takes this signal from here.
    pub(super) fn check_served(&self, signal: Signal) -> Result<(), Rejection> {
        if self.output.wants(signal) {
            return Ok(());
        }
        Err(Rejection::unserved(format!(
            "no pipeline takes {signal} from {}",
            self.source
        )))
    }

    /// The whole body, of `limit` bytes at most, and what it takes of the budget.
    ///
    /// # Errors
    /// When it is too large, too slow or cut off, or there is no room for it now.
    pub(super) async fn read(
        &self,
        body: Body,
        limit: usize,
        gives_up: Option<Instant>,
    ) -> Result<(Bytes, Charge), Rejection> {
        let slowest = Instant::now() + body::SLOWEST;
        let until = gives_up.map_or(slowest, |gives_up| gives_up.min(slowest));
        let mut charge = self.budget.charge();
        let whole = body::read(body, limit, until, &mut charge).await?;
        Ok((whole, charge))
    }

    /// Resolves once all that was made of the request is durable.
    ///
    /// # Errors
    /// When the request was not taken as a whole.
    pub(super) async fn take(&self, request: Request) -> Result<Taken, Rejection> {
        self.deliver(request).await
    }

    /// Every request that is not taken is counted, whatever was wrong with it.
    pub(super) fn count(&self, signal: Signal, rejection: &Rejection) {
        self.output.request_refused(signal, rejection.kind.name());
        // A line for each at a higher level would let senders fill the disk.
        debug!(source = %self.source, %signal, kind = ?rejection.kind, message = rejection.message, "request not taken");
    }

    async fn deliver(&self, request: Request) -> Result<Taken, Rejection> {
        let said = request.gives_up;
        let until = said.unwrap_or_else(|| Instant::now() + PATIENCE);
        let (delivery, receipt) = Delivery::new(Some(until));
        let (batch, charge) = self.decode(request, delivery).await?;
        batch.delivery().sends(batch.num_rows());
        if batch.num_rows() > 0 {
            self.output.try_send(&batch)?;
        }
        // What waits now is charged by the queues, and answers when the last of them is done.
        drop(batch);
        drop(charge);
        let Ok(outcome) = timeout_at(until, receipt).await else {
            return Err(if said.is_some() {
                Rejection::deadline("not delivered within the time that the sender gave")
            } else {
                Rejection::unavailable(format!("not delivered within {} s", PATIENCE.as_secs()))
            });
        };
        match outcome {
            Outcome::Delivered => Ok(Taken::default()),
            Outcome::Partial {
                rejected_rows,
                reason,
            } => Ok(Taken {
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
    ) -> Result<(Batch, Charge), Rejection> {
        let source = self.source.clone();
        // How much a compressed body says is not known before.
        let quick = request.coding == Coding::Identity && request.message.len() <= QUICK;
        let work = move || unpack(request, &source, delivery);
        if quick {
            return work();
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(unpacked) => unpacked,
            Err(error) if error.is_panic() => {
                Err(Rejection::failed(format!("decoding failed: {error}")))
            }
            Err(_) => Err(Rejection::unavailable("stopped before it was decoded")),
        }
    }
}

fn unpack(
    mut request: Request,
    source: &str,
    delivery: Delivery,
) -> Result<(Batch, Charge), Rejection> {
    let message = decompress(
        request.coding,
        request.message,
        request.limit,
        &mut request.charge,
    )?;
    let batch = decode(request.signal, request.format, message, source, delivery)?;
    Ok((batch, request.charge))
}
