//! Limits the bytes of requests in memory before they are decoded.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The smallest budget of one receiver, in bytes. It covers bodies as received and as decompressed.
pub(super) const MIN_BUDGET: usize = 64 << 20;

/// Bytes that all requests share.
#[derive(Clone, Debug)]
pub(super) struct RequestBudget(Arc<Semaphore>);

/// The budget currently has too few bytes left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BudgetExhausted;

impl RequestBudget {
    /// At least [`MIN_BUDGET`], and enough for one request of `largest` bytes twice: compressed and decompressed.
    pub(super) fn for_requests_of(largest: usize) -> RequestBudget {
        let bytes = MIN_BUDGET.max(largest.saturating_mul(2).saturating_add(1 << 20));
        RequestBudget(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// An empty charge, to which a request adds its bytes.
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
    /// If the budget has fewer bytes left. The earlier bytes stay reserved.
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
        let budget = RequestBudget::for_requests_of(1);
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
        let mut charge = RequestBudget::for_requests_of(largest).charge();
        charge.add(largest).unwrap();
        charge.add(largest).unwrap();
    }
}
