//! How many bytes of requests may be in memory before they are batches.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// For bodies as they come and as they are decompressed, of one receiver.
pub(super) const LEAST: usize = 64 << 20;

/// Bytes that all requests share.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Semaphore>);

/// There is no room for more bytes now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    /// Room enough for at least one request of `largest` bytes, twice: compressed and not.
    pub(super) fn for_requests_of(largest: usize) -> Budget {
        let bytes = LEAST.max(largest.saturating_mul(2).saturating_add(1 << 20));
        Budget(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// An empty charge, to which a request adds what it takes.
    pub(super) fn charge(&self) -> Charge {
        Charge {
            budget: self.clone(),
            held: None,
        }
    }

    #[cfg(test)]
    pub(super) fn free(&self) -> usize {
        self.0.available_permits()
    }

    #[cfg(test)]
    pub(super) fn take_all(&self) -> Charge {
        let mut charge = self.charge();
        charge.add(self.free()).expect("nobody else takes");
        charge
    }
}

/// What one request takes of the budget; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Charge {
    budget: Budget,
    held: Option<OwnedSemaphorePermit>,
}

impl Charge {
    /// # Errors
    /// When the budget has no such room now. What was held stays held.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let bytes = u32::try_from(bytes).map_err(|_| Exhausted)?;
        let permit = self
            .budget
            .0
            .clone()
            .try_acquire_many_owned(bytes)
            .map_err(|_| Exhausted)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Exhausted, LEAST};

    #[test]
    fn what_a_request_took_is_given_back() {
        let budget = Budget::for_requests_of(1);
        let mut one = budget.charge();
        let mut two = budget.charge();
        one.add(LEAST - 1).unwrap();
        assert_eq!(two.add(2), Err(Exhausted));
        two.add(1).unwrap();
        drop(one);
        assert_eq!(budget.free(), LEAST - 1);
    }

    #[test]
    fn the_largest_request_always_has_room() {
        let largest = 500 << 20;
        let mut charge = Budget::for_requests_of(largest).charge();
        charge.add(largest).unwrap();
        charge.add(largest).unwrap();
    }
}
