//! `aws`: AWS accounts as `resources`, kept current.
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
//! Every `interval` it lists each kind (`kinds/`) in each account and region: a **scope**. Scopes are
//! scanned at once, each page of a list is a batch, and a row is sent only for what is new since it
//! was last told: `change` says `created` or `updated`. When a scope is complete, what it does not see
//! any more is told as `deleted`, and one row says what it saw. A scope that fails is unknown: nothing
//! ends that could not be seen, and the others go on.
//!
//! The completion says what it means that it lacks a uid:
//!
//! | it lacks a uid | it is |
//! |---|---|
//! | that the API does not list any more | `deleted` |
//! | that the API lists and `tags` does not take any more | `released`: whether it exists is unknown |
//! | that another account shares, where some of the accounts that see it could not be scanned | `released` |
//! | in a scope that the configuration does not scan any more (`retired.rs`) | `released` |
//!
//! What one account shares with another (a VPC, its subnets) is its owner's, also in the edges that
//! others tell. Where the owner is scanned it alone tells of it; else it is told once for all who see it.
//!
//! ```text
//!  scanner ─ plan ─▶ scope ─▶ kind.list ─▶ call ─▶ SDK ─▶ AWS
//!                      ▲                     │ the answer's bytes
//!                      │        kind.draft ◀─┴─ shapes: JSON with the API's own names
//!     its own: telling ◀─ found ─▶ shared: others', told once for all who see it
//!                 └─ what is new (known) ─▶ rows ─▶ sink
//! ```
//!
//! What it last told it reads from `store` at the start; without one it tells everything anew, which
//! changes nothing in a graph, and releases nothing. It answers `refresh_requests`: one uid is described
//! at once, and told also where nothing about it is new. So is a uid of which the store says that one
//! scope misses it while another has it, once an `interval`.
//!
//! Of several processes that run a receiver of one name over one `store`, one at a time scans a scope
//! (`leases.rs`). They must have the same configuration: each releases what the others alone scan.
//! Receivers of different accounts or filters over one store need different names: `aws/prod`.

use std::sync::Arc;

use async_trait::async_trait;
use pipeline::Signal;
use pipeline::SignalSet;
use pipeline::channel::{Output, Queue};
use pipeline::component::{BuildError, Host, Listening, Receiver, RunError, StartError};
use pipeline::counters::Counter;
use pipeline::graph_store::GraphStore;
use pipeline::registry::{BuildReceiver, Described, Stability};
use tokio_util::sync::CancellationToken;

mod accounts;
mod base;
mod call;
mod config;
mod draft;
mod failure;
mod fields;
mod filter;
mod found;
mod kind;
mod kinds;
mod known;
mod leases;
mod limits;
mod missed;
mod names;
mod once;
mod owners;
mod place;
mod plan;
mod refresh;
mod report;
mod retired;
mod scanner;
mod scanning;
mod scope;
mod service;
mod shapes;
mod shared;
mod sink;
mod telling;
#[cfg(test)]
mod tests;

pub use config::{Account, Config, Invalid};
pub use failure::{Call, Failure, Why};
pub use filter::{Kinds, Tags};
pub use once::{Follow, scan_once};
pub use scanner::Summary;
pub use sink::Progress;

use accounts::{Accounts, environment};
use known::Known;
use leases::Leases;
use report::Report;
use scanner::Scanner;

/// Tells of AWS accounts.
pub struct Aws {
    id: String,
    config: Config,
    store: Option<Arc<dyn GraphStore>>,
    requests: Queue,
    failed_calls: Counter,
    /// Made at the start.
    scanner: Option<Arc<Scanner>>,
}

impl Described for Aws {
    const TYPE: &'static str = "aws";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "the resources of AWS accounts, kept current";
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
    async fn start(&mut self) -> Result<Vec<Listening>, StartError> {
        let known = match &self.store {
            None => Known::default(),
            Some(store) => {
                let known = Known::read(store.as_ref(), &self.id).await;
                known.map_err(|error| {
                    StartError::because("cannot read what was scanned before", error)
                })?
            }
        };
        let sdk = environment(&self.config).await;
        let accounts = Accounts::of(&sdk, &self.config, &known.owners).await?;
        let report = Report::new(&self.id, self.failed_calls.clone());
        let config = self.config.clone();
        let leases = Leases::new(self.store.clone(), &self.id);
        let scanner = Scanner::new(&self.id, config, accounts, known, report, leases);
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
            return Err(RunError::new("it was not started"));
        };
        let refresh = async {
            while let Some(request) = requests.recv().await {
                scanner.refresh(request.batch(), &output).await;
            }
            std::future::pending::<()>().await;
        };
        let follow = async {
            if let Some(store) = &store {
                scanner.follow_misses(store.as_ref(), &output).await;
            }
            std::future::pending::<()>().await;
        };
        let all = futures::future::join3(scanner.run(&output), refresh, follow);
        // A scan that is cut off completes no scope: nothing ends by it.
        stop.run_until_cancelled(all).await;
        scanner.leases.give_back_all().await;
        Ok(())
    }
}
