//! Who waits for a batch, and what they are told.
//!
//! ```text
//!  receiver ── Delivery::new ──▶ (Delivery, Receipt)
//!     │                             │         ▲
//!     │   every batch that is made  │         │ resolves once no batch
//!     ▼   of it carries a clone     ▼         │ carries it any more
//!  request                        batches ────┘
//! ```
//!
//! A clone that goes away quietly has done its duty; whoever cannot do it says so with
//! [`Delivery::refuse`] first. The engine does that for all that it holds and cannot finish; a
//! clone that goes away because its thread panics does it by itself.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// The duty to answer for a batch. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    waiting: Option<Arc<Waiting>>,
}

#[derive(Debug)]
enum Waiting {
    /// One request.
    One(Pending),
    /// Several requests.
    Many(Vec<Part>),
}

#[derive(Debug)]
struct Part {
    delivery: Delivery,
    /// How many rows of it were put together with those of the others, in their order; none where all wait for
    /// the same rows.
    rows: Option<usize>,
}

#[derive(Debug)]
struct Pending {
    deadline: Option<Instant>,
    /// Rows that the sender has sent, where that is known.
    sent: OnceLock<u64>,
    verdict: Mutex<Verdict>,
    answer: Mutex<Option<oneshot::Sender<Outcome>>>,
}

#[derive(Debug, Default)]
struct Verdict {
    refusal: Option<Refusal>,
    rejected_rows: u64,
    rejected_reason: String,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All that was made of it is durable.
    Delivered,
    /// All but these rows, which are refused for good (OTLP's partial success).
    Partial { rejected_rows: u64, reason: String },
    /// Some branch could not take it.
    Refused(Refusal),
}

/// Why a request was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{component}: {reason}")]
pub struct Refusal {
    /// Id of the component that refused: `exporters/sqlite`.
    pub component: String,
    /// What failed on what; holds no secret, since the sender reads it.
    pub reason: String,
    pub retry: Retry,
}

/// Whether it makes sense to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retry {
    /// The receiver of the data is overloaded or gone for a moment; send again after this time.
    After(Duration),
    /// The same data will be refused again.
    Never,
}

impl Delivery {
    /// A request whose sender waits, until `deadline` at the latest.
    pub fn new(deadline: Option<Instant>) -> (Delivery, Receipt) {
        let (answer, outcome) = oneshot::channel();
        let pending = Pending {
            deadline,
            sent: OnceLock::new(),
            verdict: Mutex::default(),
            answer: Mutex::new(Some(answer)),
        };
        let delivery = Delivery {
            waiting: Some(Arc::new(Waiting::One(pending))),
        };
        (delivery, Receipt(outcome))
    }

    /// A batch that nobody waits for.
    pub const fn nobody() -> Delivery {
        Delivery { waiting: None }
    }

    /// The duty of rows for which several wait.
    pub fn merge(parts: impl IntoIterator<Item = Delivery>) -> Delivery {
        let parts = parts.into_iter().filter(Delivery::is_awaited);
        Delivery::of_parts(
            parts
                .map(|delivery| Part {
                    delivery,
                    rows: None,
                })
                .collect(),
        )
    }

    /// The duty of a batch that was put together of several, each with so many rows, in their order.
    pub fn merge_rows(parts: impl IntoIterator<Item = (Delivery, usize)>) -> Delivery {
        // A part may have been put together itself.
        let parts = parts
            .into_iter()
            .flat_map(|(delivery, rows)| delivery.by_sender(rows));
        let part = |(delivery, rows): (Delivery, Range<usize>)| Part {
            delivery,
            rows: Some(rows.len()),
        };
        let parts: Vec<Part> = parts.map(part).collect();
        match parts.iter().any(|part| part.delivery.is_awaited()) {
            true => Delivery::of_parts(parts),
            false => Delivery::nobody(),
        }
    }

    fn of_parts(mut parts: Vec<Part>) -> Delivery {
        match parts.len() {
            0 => Delivery::nobody(),
            1 => parts.swap_remove(0).delivery,
            _ => Delivery {
                waiting: Some(Arc::new(Waiting::Many(parts))),
            },
        }
    }

    /// Which of a batch's rows came from which sender, where it was put together of several and still has their
    /// rows, as far as their number says; else all are of all.
    pub fn by_sender(&self, rows: usize) -> Vec<(Delivery, Range<usize>)> {
        let whole = || vec![(self.clone(), 0..rows)];
        let Some(Waiting::Many(parts)) = self.waiting.as_deref() else {
            return whole();
        };
        let (mut ranges, mut start) = (Vec::with_capacity(parts.len()), 0);
        for part in parts {
            let Some(of_part) = part.rows else {
                return whole();
            };
            ranges.push((part.delivery.clone(), start..start + of_part));
            start += of_part;
        }
        if start == rows { ranges } else { whole() }
    }

    /// The duty of some of a batch's rows.
    pub fn slice(&self, of: usize, range: &Range<usize>) -> Delivery {
        let parts = self.by_sender(of);
        if parts.len() < 2 {
            return self.clone();
        }
        let parts = parts.into_iter().filter_map(|(delivery, rows)| {
            let within = rows.start.max(range.start)..rows.end.min(range.end);
            (!within.is_empty()).then_some((delivery, within.len()))
        });
        Delivery::merge_rows(parts)
    }

    /// The duty of other rows that were made of a batch's: whose each is, is not known.
    #[must_use]
    pub fn unattributed(&self) -> Delivery {
        match self.waiting.as_deref() {
            Some(Waiting::Many(parts)) if parts.iter().any(|part| part.rows.is_some()) => {
                Delivery::merge(parts.iter().map(|part| part.delivery.unattributed()))
            }
            _ => self.clone(),
        }
    }

    /// Says how many rows the sender has sent: its answer never has more rejected ones.
    pub fn sends(&self, rows: usize) {
        if let Some(Waiting::One(pending)) = self.waiting.as_deref() {
            let _ = pending.sent.set(rows as u64);
        }
    }

    pub fn is_awaited(&self) -> bool {
        self.waiting.is_some()
    }

    /// When the first of those who wait gives up.
    pub fn deadline(&self) -> Option<Instant> {
        match self.waiting.as_deref()? {
            Waiting::One(pending) => pending.deadline,
            Waiting::Many(parts) => {
                let deadlines = parts.iter().filter_map(|part| part.delivery.deadline());
                deadlines.min()
            }
        }
    }

    /// When the last of those who wait gives up; one that did not say when waits until `otherwise`.
    pub(crate) fn last_deadline(&self, otherwise: Instant) -> Instant {
        match self.waiting.as_deref() {
            None => otherwise,
            Some(Waiting::One(pending)) => pending.deadline.unwrap_or(otherwise),
            Some(Waiting::Many(parts)) => {
                let deadlines = parts.iter().map(|part| &part.delivery);
                let deadlines = deadlines.filter(|part| part.is_awaited());
                let deadlines = deadlines.map(|part| part.last_deadline(otherwise));
                deadlines.max().unwrap_or(otherwise)
            }
        }
    }

    /// How long the first of those who wait still does; zero once it has given up.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// Says that a branch could not take the batch. The gravest refusal is the one that is told:
    /// one that never makes sense to repeat, else the longest wait.
    pub fn refuse(&self, refusal: &Refusal) {
        match self.waiting.as_deref() {
            None => {}
            Some(Waiting::Many(parts)) => {
                parts.iter().for_each(|part| part.delivery.refuse(refusal));
            }
            Some(Waiting::One(pending)) => {
                let mut verdict = pending
                    .verdict
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if verdict
                    .refusal
                    .as_ref()
                    .is_none_or(|known| known.retry < refusal.retry)
                {
                    verdict.refusal = Some(refusal.clone());
                }
            }
        }
    }

    /// Says that some rows were refused for good while the others were taken. Which ones is not known, so
    /// each answer has all of them, but no more than its sender has in the batch, and has sent.
    pub fn reject_rows(&self, rows: u64, reason: &str) {
        match self.waiting.as_deref() {
            None => {}
            Some(Waiting::Many(parts)) => {
                // A sender may have several parts.
                let mut senders: HashMap<*const Waiting, (&Delivery, u64)> = HashMap::new();
                for part in parts {
                    let Some(waiting) = &part.delivery.waiting else {
                        continue;
                    };
                    let of_part = part.rows.map_or(u64::MAX, |rows| rows as u64);
                    let sender = senders.entry(Arc::as_ptr(waiting));
                    let (_, most) = sender.or_insert((&part.delivery, 0));
                    *most = most.saturating_add(of_part);
                }
                for (delivery, most) in senders.into_values() {
                    delivery.reject_rows(rows.min(most), reason);
                }
            }
            Some(Waiting::One(pending)) => {
                let mut verdict = pending
                    .verdict
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                verdict.rejected_rows += rows;
                if verdict.rejected_reason.is_empty() {
                    reason.clone_into(&mut verdict.rejected_reason);
                }
            }
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        // Whoever panics with a batch in hand has not delivered it, also where others have.
        if self.waiting.is_some() && std::thread::panicking() {
            self.refuse(&Refusal::stopped("a component panicked"));
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let verdict = std::mem::take(
            self.verdict
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let sent = self.sent.get().copied().unwrap_or(u64::MAX);
        let outcome = match verdict {
            Verdict {
                refusal: Some(refusal),
                ..
            } => Outcome::Refused(refusal),
            Verdict {
                rejected_rows: 0, ..
            } => Outcome::Delivered,
            Verdict {
                rejected_rows,
                rejected_reason: reason,
                ..
            } => Outcome::Partial {
                rejected_rows: rejected_rows.min(sent),
                reason,
            },
        };
        let answer = self
            .answer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(answer) = answer {
            // An error means that the sender has gone.
            let _ = answer.send(outcome);
        }
    }
}

impl Refusal {
    /// The process ends before the batch was delivered; another may take it.
    pub fn stopped(reason: &str) -> Refusal {
        Refusal {
            component: "engine".to_owned(),
            reason: reason.to_owned(),
            retry: Retry::After(Duration::from_secs(1)),
        }
    }
}

/// Resolves to what became of the request.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Outcome>);

impl Receipt {
    /// What became of the request, once that is known; for those who cannot wait.
    pub fn try_outcome(&mut self) -> Option<Outcome> {
        match self.0.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Outcome::Refused(Refusal::stopped(
                "the request was forgotten",
            ))),
        }
    }
}

impl Future for Receipt {
    type Output = Outcome;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        std::pin::Pin::new(&mut self.0).poll(context).map(|answer| {
            answer
                .unwrap_or_else(|_| Outcome::Refused(Refusal::stopped("the request was forgotten")))
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
    async fn the_sender_is_answered_when_the_last_clone_is_gone() {
        let (delivery, mut receipt) = Delivery::new(None);
        let branch = delivery.clone();
        drop(delivery);
        assert!(futures::poll!(&mut receipt).is_pending());
        drop(branch);
        assert_eq!(receipt.await, Outcome::Delivered);
    }

    #[tokio::test]
    async fn the_gravest_refusal_is_told() {
        let (delivery, receipt) = Delivery::new(None);
        delivery.refuse(&refusal(Retry::After(Duration::from_secs(3))));
        delivery.refuse(&refusal(Retry::Never));
        delivery.refuse(&refusal(Retry::After(Duration::from_secs(9))));
        drop(delivery);
        assert_eq!(receipt.await, Outcome::Refused(refusal(Retry::Never)));
    }

    #[tokio::test]
    async fn a_merged_batch_answers_all_its_senders() {
        let (one, first) = Delivery::new(None);
        let (two, second) = Delivery::new(None);
        let merged = Delivery::merge([one, Delivery::nobody(), two]);
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
    async fn rows_of_a_batch_that_was_put_together_twice_are_those_of_their_senders() {
        let (one, first) = Delivery::new(None);
        let (two, second) = Delivery::new(None);
        let (three, third) = Delivery::new(None);
        let inner = Delivery::merge_rows([(one, 2), (two, 3)]);
        let outer = Delivery::merge_rows([(inner, 5), (three, 4)]);
        let parts = outer.by_sender(9);
        let ranges: Vec<_> = parts.iter().map(|(_, rows)| rows.clone()).collect();
        assert_eq!(ranges, [0..2, 2..5, 5..9]);
        parts[1].0.reject_rows(1, "no name");
        // Rows 1 to 3: of the first two.
        outer.slice(9, &(1..4)).reject_rows(2, "no name");
        drop((outer, parts));
        assert_eq!(first.await, partial(1));
        assert_eq!(second.await, partial(3));
        assert_eq!(third.await, Outcome::Delivered);
    }

    #[tokio::test]
    async fn a_sender_with_two_parts_is_told_of_no_more_rows_than_were_rejected() {
        let (one, first) = Delivery::new(None);
        let (two, second) = Delivery::new(None);
        let merged = Delivery::merge_rows([(one.clone(), 100), (two, 5), (one, 50)]);
        merged.reject_rows(120, "no name");
        drop(merged);
        assert_eq!(first.await, partial(120));
        assert_eq!(second.await, partial(5));
    }

    #[tokio::test]
    async fn a_panic_is_not_a_delivery() {
        let (delivery, receipt) = Delivery::new(None);
        let thread = std::thread::spawn(move || {
            let _held = delivery;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert!(matches!(receipt.await, Outcome::Refused(_)));
    }

    #[tokio::test]
    async fn a_panic_refuses_also_where_another_branch_delivers_later() {
        let (delivery, receipt) = Delivery::new(None);
        let other_branch = delivery.clone();
        let thread = std::thread::spawn(move || {
            let _held = delivery;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        drop(other_branch);
        assert!(matches!(receipt.await, Outcome::Refused(_)));
    }
}
