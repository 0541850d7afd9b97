//! The request budget: limits the bytes in memory of requests that are not yet in the queue of a pipeline.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The smallest budget of one receiver, in bytes. Both the received and the decompressed body are charged to it.
pub(super) const MIN_BUDGET: usize = 64 << 20;

/// The bytes that all requests of one receiver may reserve together.
#[derive(Clone, Debug)]
pub(super) struct RequestBudget(Arc<Semaphore>);

/// The budget currently has too few bytes left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BudgetExhausted;

impl RequestBudget {
    /// At least [`MIN_BUDGET`], and enough for one request whose compressed and decompressed body have `largest` bytes
    /// each.
    pub(super) fn for_largest_request(largest: usize) -> RequestBudget {
        let bytes = MIN_BUDGET.max(largest.saturating_mul(2).saturating_add(1 << 20));
        RequestBudget(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// An empty charge, for one request to reserve its bytes with.
    pub(super) fn charge(&self) -> BudgetCharge {
        BudgetCharge {
            budget: self.clone(),
            held: None,
        }
    }

    #[cfg(test)]
    pub(super) fn available(&self) -> usize {
        self.0.available_permits()
    }

    #[cfg(test)]
    pub(super) fn exhaust(&self) -> BudgetCharge {
        let mut charge = self.charge();
        charge.add(self.available()).expect("no other task charges");
        charge
    }
}

/// The bytes that one request has reserved. Dropping the charge releases them.
#[derive(Debug)]
pub(super) struct BudgetCharge {
    budget: RequestBudget,
    held: Option<OwnedSemaphorePermit>,
}

impl BudgetCharge {
    /// Reserves more bytes.
    ///
    /// # Errors
    /// If the budget has fewer bytes left. The bytes that were reserved before stay reserved.
    pub(super) fn add(&mut self, bytes: usize) -> Result<(), BudgetExhausted> {
        let bytes = u32::try_from(bytes).map_err(|_| BudgetExhausted)?;
        let permit = self
            .budget
            .0
            .clone()
            .try_acquire_many_owned(bytes)
            .map_err(|_| BudgetExhausted)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            None => self.held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{BudgetExhausted, MIN_BUDGET, RequestBudget};

    #[test]
    fn dropped_charge_is_released() {
        let budget = RequestBudget::for_largest_request(1);
        let mut one = budget.charge();
        let mut two = budget.charge();
        one.add(MIN_BUDGET - 1).unwrap();
        assert_eq!(two.add(2), Err(BudgetExhausted));
        two.add(1).unwrap();
        drop(one);
        assert_eq!(budget.available(), MIN_BUDGET - 1);
    }

    #[test]
    fn largest_request_always_fits() {
        let largest = 500 << 20;
        let mut charge = RequestBudget::for_largest_request(largest).charge();
        charge.add(largest).unwrap();
        charge.add(largest).unwrap();
    }
}
