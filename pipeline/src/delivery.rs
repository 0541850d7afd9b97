//! Acknowledgements: a sender waits until all batches that were derived from its request are durable.
//!
//! ```text
//!  receiver ── Delivery::new ──▶ (Delivery, Receipt)
//!     │                             │         ▲
//!     │   every batch derived from  │         │ resolves when the last
//!     ▼   it carries a clone        ▼         │ clone is dropped
//!  request                        batches ────┘
//! ```
//!
//! A dropped clone counts as delivered. A component that cannot deliver a batch calls [`Delivery::refuse`] before it
//! drops the clone. The engine does that for every batch that it holds and cannot finish. If a panic drops a clone,
//! the clone refuses the batch.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::sync;

/// Links a batch to the senders that wait for its acknowledgement. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// `None` if no sender waits.
    senders: Option<Arc<Senders>>,
}

/// The senders that wait for a batch.
#[derive(Debug)]
enum Senders {
    /// One request.
    One(PendingRequest),
    /// A batch that was merged from the rows of several requests.
    Many(Vec<MergedPart>),
}

/// One of the parts of a merged batch.
#[derive(Debug)]
struct MergedPart {
    delivery: Delivery,
    /// The number of rows of this part, if the merged batch has the rows of its parts in order. `None` if it is unknown
    /// which rows are those of this part.
    rows: Option<usize>,
}

/// A request whose outcome is not known yet. Dropping it sends the outcome.
#[derive(Debug)]
struct PendingRequest {
    deadline: Option<Instant>,
    /// The number of rows in the sender's request, if it is known.
    sent_rows: OnceLock<u64>,
    failures: Mutex<RequestFailures>,
    outcome: Mutex<Option<oneshot::Sender<Outcome>>>,
}

/// The refusals and rejections of a request so far.
#[derive(Debug, Default)]
struct RequestFailures {
    refusal: Option<Refusal>,
    rejected_rows: u64,
    rejected_reason: String,
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All batches that were derived from the request are durable.
    Delivered,
    /// Some rows are rejected permanently; all others are durable (OTLP's partial success).
    Partial { rejected_rows: u64, reason: String },
    /// At least one branch refused the request.
    Refused(Refusal),
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{component}: {reason}")]
pub struct Refusal {
    /// The id of the component that refused the request: `exporters/sqlite`.
    pub component: String,
    /// What failed on what. It contains no secret, since the sender reads it.
    pub reason: String,
    pub retry: Retry,
}

/// Whether the sender may send the request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// The destination is overloaded or down; the sender may send the request again after this time.
    After(Duration),
    /// The destination rejects the data permanently.
    Never,
}

impl Delivery {
    /// The delivery of a request whose sender waits until `deadline` at the latest.
    pub fn new(deadline: Option<Instant>) -> (Delivery, Receipt) {
        let (outcome, receipt) = oneshot::channel();
        let pending = PendingRequest {
            deadline,
            sent_rows: OnceLock::new(),
            failures: Mutex::default(),
            outcome: Mutex::new(Some(outcome)),
        };
        let delivery = Delivery {
            senders: Some(Arc::new(Senders::One(pending))),
        };
        (delivery, Receipt(receipt))
    }

    /// The delivery of a batch for which no sender waits.
    pub const fn untracked() -> Delivery {
        Delivery { senders: None }
    }

    /// The delivery of a batch that the senders of all parts wait for. It is unknown which rows each sender sent.
    pub fn merge(parts: impl IntoIterator<Item = Delivery>) -> Delivery {
        let parts = parts.into_iter().filter(Delivery::is_awaited);
        Delivery::from_parts(
            parts
                .map(|delivery| MergedPart {
                    delivery,
                    rows: None,
                })
                .collect(),
        )
    }

    /// The delivery of a batch whose rows are those of several parts, in order. Each part has its number of rows.
    pub fn merge_rows(parts: impl IntoIterator<Item = (Delivery, usize)>) -> Delivery {
        // A part may consist of several parts itself.
        let parts = parts
            .into_iter()
            .flat_map(|(delivery, rows)| delivery.by_sender(rows));
        let part = |(delivery, rows): (Delivery, Range<usize>)| MergedPart {
            delivery,
            rows: Some(rows.len()),
        };
        let parts: Vec<MergedPart> = parts.map(part).collect();
        match parts.iter().any(|part| part.delivery.is_awaited()) {
            true => Delivery::from_parts(parts),
            false => Delivery::untracked(),
        }
    }

    fn from_parts(mut parts: Vec<MergedPart>) -> Delivery {
        match parts.len() {
            0 => Delivery::untracked(),
            1 => parts.swap_remove(0).delivery,
            _ => Delivery {
                senders: Some(Arc::new(Senders::Many(parts))),
            },
        }
    }

    /// The parts of a merged batch, each with the range of its rows. `rows` is the number of rows that the batch has
    /// now. If the batch is not merged, or if its parts have another number of rows in total, returns one range of all
    /// rows with all senders.
    pub fn by_sender(&self, rows: usize) -> Vec<(Delivery, Range<usize>)> {
        let whole = || vec![(self.clone(), 0..rows)];
        let Some(Senders::Many(parts)) = self.senders.as_deref() else {
            return whole();
        };
        let (mut ranges, mut start) = (Vec::with_capacity(parts.len()), 0);
        for part in parts {
            let Some(part_rows) = part.rows else {
                return whole();
            };
            ranges.push((part.delivery.clone(), start..start + part_rows));
            start += part_rows;
        }
        if start == rows { ranges } else { whole() }
    }

    /// The delivery of a range of rows of a batch that has `total` rows.
    pub fn slice(&self, total: usize, range: &Range<usize>) -> Delivery {
        let parts = self.by_sender(total);
        if parts.len() < 2 {
            return self.clone();
        }
        let parts = parts.into_iter().filter_map(|(delivery, rows)| {
            let overlap = rows.start.max(range.start)..rows.end.min(range.end);
            (!overlap.is_empty()).then_some((delivery, overlap.len()))
        });
        Delivery::merge_rows(parts)
    }

    /// The delivery of new rows that a component derived from a batch. All senders of the batch wait for the new rows,
    /// since it is unknown which sender's rows each new row comes from.
    #[must_use]
    pub fn for_derived_rows(&self) -> Delivery {
        match self.senders.as_deref() {
            Some(Senders::Many(parts)) if parts.iter().any(|part| part.rows.is_some()) => {
                Delivery::merge(parts.iter().map(|part| part.delivery.for_derived_rows()))
            }
            _ => self.clone(),
        }
    }

    /// Sets the number of rows in the sender's request. The outcome never counts more rejected rows.
    pub fn set_sent_rows(&self, rows: usize) {
        if let Some(Senders::One(pending)) = self.senders.as_deref() {
            let _ = pending.sent_rows.set(rows as u64);
        }
    }

    /// Whether a sender waits for the acknowledgement.
    pub fn is_awaited(&self) -> bool {
        self.senders.is_some()
    }

    /// The earliest deadline of the waiting senders; `None` if no waiting sender has a deadline.
    pub fn deadline(&self) -> Option<Instant> {
        match self.senders.as_deref()? {
            Senders::One(pending) => pending.deadline,
            Senders::Many(parts) => {
                let deadlines = parts.iter().filter_map(|part| part.delivery.deadline());
                deadlines.min()
            }
        }
    }

    /// The latest deadline of the waiting senders. A sender without a deadline counts with `otherwise`, which is also
    /// the result if no sender waits.
    pub(crate) fn last_deadline(&self, otherwise: Instant) -> Instant {
        match self.senders.as_deref() {
            None => otherwise,
            Some(Senders::One(pending)) => pending.deadline.unwrap_or(otherwise),
            Some(Senders::Many(parts)) => {
                let deadlines = parts.iter().map(|part| &part.delivery);
                let deadlines = deadlines.filter(|part| part.is_awaited());
                let deadlines = deadlines.map(|part| part.last_deadline(otherwise));
                deadlines.max().unwrap_or(otherwise)
            }
        }
    }

    /// The time until the earliest deadline, zero after it; `None` if no waiting sender has a deadline.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Reports that a branch refused the batch. Of several refusals, the sender gets a permanent one if there is one,
    /// otherwise the one with the longest retry delay.
    pub fn refuse(&self, refusal: &Refusal) {
        match self.senders.as_deref() {
            None => {}
            Some(Senders::Many(parts)) => {
                parts.iter().for_each(|part| part.delivery.refuse(refusal));
            }
            Some(Senders::One(pending)) => {
                let mut failures = sync::lock(&pending.failures);
                if failures
                    .refusal
                    .as_ref()
                    .is_none_or(|known| known.retry < refusal.retry)
                {
                    failures.refusal = Some(refusal.clone());
                }
            }
        }
    }

    /// Reports that some rows were rejected permanently and the others were accepted. It is unknown which sender sent
    /// the rejected rows. So the outcome of each sender counts all of them, but at most as many as the sender has in
    /// the batch, and at most as many as it sent.
    pub fn reject_rows(&self, rows: u64, reason: &str) {
        match self.senders.as_deref() {
            None => {}
            Some(Senders::Many(parts)) => {
                // A sender may have several parts.
                let mut senders: HashMap<*const Senders, (&Delivery, u64)> = HashMap::new();
                for part in parts {
                    let Some(part_senders) = &part.delivery.senders else {
                        continue;
                    };
                    let part_rows = part.rows.map_or(u64::MAX, |rows| rows as u64);
                    let sender = senders.entry(Arc::as_ptr(part_senders));
                    let (_, limit) = sender.or_insert((&part.delivery, 0));
                    *limit = limit.saturating_add(part_rows);
                }
                for (delivery, limit) in senders.into_values() {
                    delivery.reject_rows(rows.min(limit), reason);
                }
            }
            Some(Senders::One(pending)) => {
                let mut failures = sync::lock(&pending.failures);
                failures.rejected_rows += rows;
                if failures.rejected_reason.is_empty() {
                    reason.clone_into(&mut failures.rejected_reason);
                }
            }
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // A component that panics while it holds a batch has not delivered it, even if other branches have.
        if self.senders.is_some() && std::thread::panicking() {
            self.refuse(&Refusal::stopped("a component panicked"));
        }
    }
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        let failures = std::mem::take(sync::get_mut(&mut self.failures));
        let sent_rows = self.sent_rows.get().copied().unwrap_or(u64::MAX);
        let outcome = match failures {
            RequestFailures {
                refusal: Some(refusal),
                ..
            } => Outcome::Refused(refusal),
            RequestFailures {
                rejected_rows: 0, ..
            } => Outcome::Delivered,
            RequestFailures {
                rejected_rows,
                rejected_reason: reason,
                ..
            } => Outcome::Partial {
                rejected_rows: rejected_rows.min(sent_rows),
                reason,
            },
        };
        if let Some(sender) = sync::get_mut(&mut self.outcome).take() {
            // An error means that the receiver dropped its receipt.
            let _ = sender.send(outcome);
        }
    }
}

impl Refusal {
    /// A refusal of the engine, because a component stopped before it delivered the batch. The sender may send the
    /// request again after a second.
    pub fn stopped(reason: &str) -> Refusal {
        Refusal {
            component: "engine".to_owned(),
            reason: reason.to_owned(),
            retry: Retry::After(Duration::from_secs(1)),
        }
    }
}

/// A future that resolves to the outcome of the request.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Outcome>);

impl Receipt {
    /// Returns the outcome, or `None` if it is not known yet. It does not wait.
    pub fn try_outcome(&mut self) -> Option<Outcome> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Outcome::Refused(Refusal::stopped(
                "the request ended without an outcome",
            ))),
        }
    }
}

impl Future for Receipt {
    type Output = Outcome;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        std::pin::Pin::new(&mut self.0)
            .poll(context)
            .map(|outcome| {
                outcome.unwrap_or_else(|_| {
                    Outcome::Refused(Refusal::stopped("the request ended without an outcome"))
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Delivery, Outcome, Refusal, Retry};

    fn refusal(retry: Retry) -> Refusal {
        Refusal {
            component: "exporters/x".into(),
            reason: "full".into(),
            retry,
        }
    }

    #[tokio::test]
    async fn receipt_resolves_when_the_last_clone_is_dropped() {
        let (delivery, mut receipt) = Delivery::new(None);
        let branch = delivery.clone();
        drop(delivery);
        assert!(futures::poll!(&mut receipt).is_pending());
        drop(branch);
        assert_eq!(receipt.await, Outcome::Delivered);
    }

    #[tokio::test]
    async fn sender_gets_the_permanent_refusal_if_there_are_several_refusals() {
        let (delivery, receipt) = Delivery::new(None);
        delivery.refuse(&refusal(Retry::After(Duration::from_secs(3))));
        delivery.refuse(&refusal(Retry::Never));
        delivery.refuse(&refusal(Retry::After(Duration::from_secs(9))));
        drop(delivery);
        assert_eq!(receipt.await, Outcome::Refused(refusal(Retry::Never)));
    }

    #[tokio::test]
    async fn merged_batch_acknowledges_all_its_senders() {
        let (one, first) = Delivery::new(None);
        let (two, second) = Delivery::new(None);
        let merged = Delivery::merge([one, Delivery::untracked(), two]);
        merged.reject_rows(2, "no name");
        drop(merged);
        let partial = Outcome::Partial {
            rejected_rows: 2,
            reason: "no name".into(),
        };
        assert_eq!(first.await, partial);
        assert_eq!(second.await, partial);
    }

    fn partial(rejected_rows: u64) -> Outcome {
        Outcome::Partial {
            rejected_rows,
            reason: "no name".into(),
        }
    }

    #[tokio::test]
    async fn rejected_rows_of_a_batch_that_was_merged_twice_reach_their_senders() {
        let (one, first) = Delivery::new(None);
        let (two, second) = Delivery::new(None);
        let (three, third) = Delivery::new(None);
        let inner = Delivery::merge_rows([(one, 2), (two, 3)]);
        let outer = Delivery::merge_rows([(inner, 5), (three, 4)]);
        let parts = outer.by_sender(9);
        let ranges: Vec<_> = parts.iter().map(|(_, rows)| rows.clone()).collect();
        assert_eq!(ranges, [0..2, 2..5, 5..9]);
        parts[1].0.reject_rows(1, "no name");
        // Rows 1 to 3 are those of the first two senders.
        outer.slice(9, &(1..4)).reject_rows(2, "no name");
        drop((outer, parts));
        assert_eq!(first.await, partial(1));
        assert_eq!(second.await, partial(3));
        assert_eq!(third.await, Outcome::Delivered);
    }

    #[tokio::test]
    async fn rejected_rows_are_counted_once_for_a_sender_with_two_parts() {
        let (one, first) = Delivery::new(None);
        let (two, second) = Delivery::new(None);
        let merged = Delivery::merge_rows([(one.clone(), 100), (two, 5), (one, 50)]);
        merged.reject_rows(120, "no name");
        drop(merged);
        assert_eq!(first.await, partial(120));
        assert_eq!(second.await, partial(5));
    }

    #[tokio::test]
    async fn panic_refuses_the_batch() {
        let (delivery, receipt) = Delivery::new(None);
        let thread = std::thread::spawn(move || {
            let _delivery = delivery;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(matches!(receipt.await, Outcome::Refused(_)));
    }

    #[tokio::test]
    async fn panic_refuses_the_batch_even_if_another_branch_delivers_it() {
        let (delivery, receipt) = Delivery::new(None);
        let other_branch = delivery.clone();
        let thread = std::thread::spawn(move || {
            let _delivery = delivery;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        drop(other_branch);
        assert!(matches!(receipt.await, Outcome::Refused(_)));
    }
}
