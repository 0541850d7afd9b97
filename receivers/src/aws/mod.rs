//! Scans AWS accounts and keeps their `resources` current.
//!
//! ```yaml
//! receivers:
//!   aws:
//!     regions: [eu-west-1, us-east-1]
//!     accounts: [{}, {role_arn: "arn:aws:iam::210987654321:role/airdig", external_id: "${env:EXTERNAL_ID}"}]
//!     interval: 5m
//!     tags: {exclude: {env: sandbox}}
//!     store: sqlite
//! ```
//!
//! Every `interval` it lists each kind (`kinds/`) in each account and region: a **scope**. Scopes are scanned
//! concurrently. The resources of a page that changed since their last report are one batch: `change` is `created` or
//! `updated`, or null if only the scope of the resource changed. A completed scan writes a `deleted` row for each
//! resource that no longer exists, and one row with the members of the scope. A scan that fails writes no
//! completion, so it deletes nothing, and the scans of other scopes continue.
//!
//! A uid that was reported before becomes `deleted` or `released`:
//!
//! | reason | change |
//! |---|---|
//! | the API no longer lists it | `deleted` |
//! | the API lists it, but `tags` no longer selects it | `released`: whether it exists is unknown |
//! | another account shares it, no scan listed it, and the scan of some account failed | `released` |
//! | the configuration no longer includes its scope (`scan/release.rs`) | `released` |
//!
//! A resource that an account shares with others (a VPC and its subnets) has the ARN of its owner, also in the
//! edges of the other accounts. If the owner is scanned, only its scan reports the resource. Otherwise the
//! resource is reported once for all accounts that see it.
//!
//! ```text
//!  scan/: Scanner ─ plan ─▶ ScanScope
//!                              │
//!  kinds/, listing/: ResourceKind::list ─▶ api/: rate limits ─▶ SDK ─▶ AWS
//!                                                                │ the bytes of the response
//!                    ResourceKind::draft ◀─ JSON with the API's own field names
//!                              │
//!                    PageWriter ┬▶ emit/: ScopeWriter ─▶ changed resources ─▶ rows of `resources`
//!                               └▶ scan/: SharedScan, for resources of other owners, reported once
//! ```
//!
//! At the start it reads its earlier reports from `store`. Without a store it reports every resource again,
//! which changes nothing in a graph, and does not release the scopes of an earlier configuration.
//!
//! Without waiting for the next scan, it refreshes single uids: it describes the resource and reports it even if it is
//! unchanged. It refreshes the uids of `refresh_requests`. It also refreshes the uids that a commit of the store lists
//! because one scope lacks them while another scope has them, each at most once per `interval`.
//!
//! Several processes can run a receiver with the same name and the same `store`. Then one process at a time scans a
//! scope (`scan/leases.rs`). All processes must have the same configuration, since each releases the scopes that its
//! configuration lacks. Receivers of different accounts or filters with the same store need different names:
//! `aws/prod`.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::Signal;
use pipeline::SignalSet;
use pipeline::channel::{Output, Queue};
use pipeline::component::{BuildError, Host, ListenAddress, Receiver, RunError, StartError};
use pipeline::counters::Counter;
use pipeline::graph_store::GraphStore;
use pipeline::registry::{BuildReceiver, ComponentMeta, Stability};
use tokio_util::sync::CancellationToken;

mod api;
mod config;
mod emit;
mod filter;
mod kinds;
mod listing;
mod scan;
mod scan_once;
#[cfg(test)]
mod tests;

pub use api::{AwsCall, FailureReason, ScanFailure};
pub use config::{AccountConfig, AwsConfigError, Config};
pub use emit::ScanProgress;
pub use filter::{KindFilter, TagPatterns};
pub use scan::ScanSummary;
pub use scan_once::{ScanObserver, scan_once};

use api::FailureLog;
use emit::Inventory;
use scan::{Accounts, Leases, Scanner, environment};

/// The receiver: scans AWS accounts.
pub struct Aws {
    id: String,
    config: Config,
    store: Option<Arc<dyn GraphStore>>,
    requests: Queue,
    failed_calls: Counter,
    /// Set by `start`.
    scanner: Option<Arc<Scanner>>,
}

impl ComponentMeta for Aws {
    const TYPE: &'static str = "aws";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "scans AWS accounts and reports changed resources";
    type Config = Config;
}

impl BuildReceiver for Aws {
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Resources]);

    fn build(config: Config, host: &Host) -> Result<Aws, BuildError> {
        let store = config.store.as_ref();
        Ok(Aws {
            id: host.id().to_string(),
            store: store.map(|store| host.graph_store(store)).transpose()?,
            requests: host.refresh_requests(),
            failed_calls: host.counter("failed_calls"),
            config,
            scanner: None,
        })
    }
}

#[async_trait]
impl Receiver for Aws {
    async fn start(&mut self) -> Result<Vec<ListenAddress>, StartError> {
        let inventory = match &self.store {
            None => Inventory::default(),
            Some(store) => {
                let inventory = Inventory::load(store.as_ref(), &self.id).await;
                inventory.map_err(|error| {
                    StartError::because("cannot read the known resources from the store", error)
                })?
            }
        };
        let sdk = environment(&self.config).await;
        let accounts = Accounts::new(&sdk, &self.config, &inventory.owners).await?;
        let failures = FailureLog::new(&self.id, self.failed_calls.clone());
        let config = self.config.clone();
        let leases = Leases::new(self.store.clone(), &self.id);
        let scanner = Scanner::new(&self.id, config, accounts, inventory, failures, leases);
        self.scanner = Some(scanner);
        Ok(Vec::new())
    }

    async fn run(self: Box<Self>, output: Output, stop: CancellationToken) -> Result<(), RunError> {
        let Aws {
            scanner,
            store,
            mut requests,
            ..
        } = *self;
        let Some(scanner) = scanner else {
            return Err(RunError::new("the receiver was not started"));
        };
        let refresh = async {
            while let Some(request) = requests.recv().await {
                scanner.refresh(request.batch(), &output).await;
            }
            std::future::pending::<()>().await;
        };
        let follow = async {
            if let Some(store) = &store {
                scanner.follow_commits(store.as_ref(), &output).await;
            }
            std::future::pending::<()>().await;
        };
        let all = futures::future::join3(scanner.run(&output), refresh, follow);
        // A cancelled scan writes no completion, so it deletes nothing.
        stop.run_until_cancelled(all).await;
        scanner.leases.release_all().await;
        Ok(())
    }
}
