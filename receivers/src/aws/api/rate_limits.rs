//! Rate limits of the calls to each service in one account and region.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use pipeline::sync::lock;

use super::service::AwsService;

/// Calls per second, by service name. A service without an entry has a default.
pub(in crate::aws) type RateLimits = BTreeMap<String, NonZeroU32>;

/// The rate limiters of one account and region, each created at the first call to its service.
#[derive(Debug, Default)]
pub(in crate::aws) struct ServiceLimiters {
    rates: RateLimits,
    services: Mutex<HashMap<AwsService, Arc<DefaultDirectRateLimiter>>>,
}

impl ServiceLimiters {
    pub(in crate::aws) fn new(rates: RateLimits) -> ServiceLimiters {
        ServiceLimiters {
            rates,
            services: Mutex::default(),
        }
    }

    /// Waits until the rate limit allows a call of the service. The calls of a second are allowed as a burst.
    pub(in crate::aws) async fn wait(&self, service: AwsService) {
        let limiter = {
            let mut services = lock(&self.services);
            services
                .entry(service)
                .or_insert_with(|| Arc::new(RateLimiter::direct(self.quota(service))))
                .clone()
        };
        limiter.until_ready().await;
    }

    fn quota(&self, service: AwsService) -> Quota {
        let default = NonZeroU32::new(service.calls_per_second()).unwrap_or(NonZeroU32::MIN);
        Quota::per_second(self.rates.get(service.0).copied().unwrap_or(default))
    }
}
