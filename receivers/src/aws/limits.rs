//! How often each service is called in one account and region.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::service::Service;

/// By the service's name; what is not named has its own default.
pub(super) type Rates = BTreeMap<String, NonZeroU32>;

/// The limiters of one account and region, made when a service is first called.
#[derive(Debug, Default)]
pub(super) struct Limits {
    rates: Rates,
    services: Mutex<HashMap<Service, Arc<DefaultDirectRateLimiter>>>,
}

impl Limits {
    pub(super) fn new(rates: Rates) -> Limits {
        Limits {
            rates,
            services: Mutex::default(),
        }
    }

    /// Returns when the service may be called once more. A second's calls may be made at once.
    pub(super) async fn wait(&self, service: Service) {
        let limiter = {
            let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
            services
                .entry(service)
                .or_insert_with(|| Arc::new(RateLimiter::direct(self.quota(service))))
                .clone()
        };
        limiter.until_ready().await;
    }

    fn quota(&self, service: Service) -> Quota {
        let default = NonZeroU32::new(service.calls_per_second()).unwrap_or(NonZeroU32::MIN);
        Quota::per_second(self.rates.get(service.0).copied().unwrap_or(default))
    }
}
