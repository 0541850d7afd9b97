//! Says which node of the graph telemetry is about: sets `uid` of `traces`, `metrics` and `logs`,
//! and tells the rest as `nodes`, `edges` and `aliases`.
//!
//! ```yaml
//! processors:
//!   identity: {store: sqlite, max_names: 524288}
//! ```
//!
//! The uid of a row is the first of these that its resource tells of; a row of none keeps null.
//!
//! | node | attributes |
//! |---|---|
//! | service | `service.name`, `service.namespace`, `deployment.environment.name` (or `deployment.environment`) |
//! | cloud resource | `cloud.resource_id`, else the ARN in `aws.lambda.invoked_arn` or `faas.id`; without a Lambda's alias or version |
//! | ECS task | `aws.ecs.task.arn` |
//! | Kubernetes object | `k8s.cluster.uid` with `k8s.pod.uid`, else of its ReplicaSet, Job, StatefulSet, DaemonSet, Deployment, CronJob, else `k8s.node.uid` |
//! | EC2 instance | `host.id` of an instance with `cloud.account.id` and `cloud.region`; any other is a machine id |
//! | EC2 instance that a scan has told of | its `host.id` alone, where an instance has it as alias `host_id`; its private DNS name in `host.name` or `k8s.node.name`; its address in `host.ip` of a host, not a container, that says its account and region |
//!
//! All of them are told as facts of the group `telemetry`: `service RUNS_ON pod RUNS_ON node
//! RUNS_ON instance`, each link where both ends are known, and `pod OWNED_BY replicaset`. A
//! container has no uid: its id is another name of its pod or task.
//!
//! Where `Resource.entity_refs` name a type of this table, the resource is about those entities
//! alone: a `host` that is not among them is not joined.
//!
//! A row whose uid is set keeps it. What was told is told again a minute of the rows' own time
//! later, a new value at once, and what was not delivered with the next row that says it.
//!
//! # Whom spans call
//!
//! Client and producer spans are given `peer_uid`, the node of their other side, by the first of
//! these that leads to exactly one:
//!
//! | a span says | its peer is |
//! |---|---|
//! | `aws.sqs.queue.url`; `aws.s3.bucket` and a host of AWS | that queue or bucket |
//! | a name in `server.address` (or `net.peer.name`) | who has the alias `dns`; of a DNS record what it leads to |
//! | an address there, or in `network.peer.address` (or `net.sock.peer.addr`, `net.peer.ip`) | who has the alias `ip` in the network of the span's own instance; a public one, else, anybody who has it without a scope |
//!
//! What has the address as `ip` is meant, and not the interface that has it as `interface_ip`, nor the
//! address that is a resource of its own (`reserved_ip`), where there are several.
//!
//! Aliases are those of the process's [`AliasIndex`], as of when the span started: what `graph` makes
//! of resources in whatever pipeline, the `aliases` that pass here, and, with the key `store`, what
//! that store knows at the start and what other processes write there later, within about a second. The process listens before these names are loaded; until then batches
//! wait in front of every `identity` and `graph`, so that no span is resolved without them. The index holds `max_names` at most: beyond that it evicts the names that
//! are over, then those of what was seen longest ago, and counts them (`airdig_alias_index_evicted`). Where several have a name, nobody is meant; `localhost` and the like
//! are nobody's. In a process that has none of these three, no peer is looked for.
//!
//! Spans whose peer is not found are counted by the reason: `unresolved_unknown_name`,
//! `unresolved_unknown_address`, `unresolved_no_network` (a private address, and in which network the
//! span's resource is, is not known), `unresolved_ambiguous`. Their endpoints, the latest few thousand
//! of this process, are remembered: once somebody tells of exactly one thing that such an endpoint can
//! be, and does not tell the same himself, `same_as` joins the two.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::alias_index::AliasIndex;
use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::graph_store::GraphStore;
use pipeline::registry::{BuildProcessor, Described, Stability};
use pipeline::reports::ReportBatch;
use pipeline::schema::traces;
use pipeline::{Batch, Delivery, Signal, SignalSet};

mod cloud;
mod config;
mod distinct;
mod earlier_stores;
mod entities;
mod found;
mod instances;
mod kubernetes;
mod names;
mod peers;
mod private;
mod recent;
mod several;
mod stored;
mod told;

pub use config::Config;

use distinct::Distinct;
use peers::Peers;
use stored::{Names, ReadNames};
use told::Told;

use crate::following::{Follower, Update};
use crate::loading::Attempts;

/// How often it is looked at what endpoints have turned out to be.
const JOINING: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Identity {
    id: String,
    told: Told,
    peers: Peers,
    index: Arc<AliasIndex>,
    /// Whose names are known from the start, and what it is called.
    store: Option<(String, Arc<dyn GraphStore>)>,
    /// Of the store, where this is the processor that loads it.
    following: Option<Follower<ReadNames>>,
    update: Option<Update<Names>>,
    /// It woke because the index has changed.
    index_changed: bool,
}

impl Described for Identity {
    const TYPE: &'static str = "identity";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "telemetry is given the node that it is about";
    type Config = Config;
}

impl BuildProcessor for Identity {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY.union(SignalSet::of(&[Signal::Aliases]));
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);

    fn build(config: Config, host: &Host) -> Result<Identity, BuildError> {
        let wanted = host.wanted().intersection(Self::PRODUCES);
        let index = host.alias_index();
        index.ask();
        if let Some(names) = config.max_names {
            index.limit(names);
        }
        let store = match config.store {
            Some(store) => Some((store.0.to_string(), host.graph_store(&store)?)),
            None => None,
        };
        if let Some((name, store)) = &store {
            index.expect(name, Arc::clone(store));
        }
        Ok(Identity {
            id: host.id().to_string(),
            told: Told::new(host.id().to_string(), wanted),
            peers: Peers::new(host, wanted.contains(Signal::Aliases)),
            index,
            store,
            following: None,
            update: None,
            index_changed: false,
        })
    }
}

#[async_trait]
impl Processor for Identity {
    async fn load(&mut self) {
        if let Some((name, store)) = &self.store
            && self.index.begin_loading(name)
        {
            let reads = ReadNames {
                store: Arc::clone(store),
                index: Arc::clone(&self.index),
            };
            let mut following = Follower::new(&self.id, name, store.as_ref(), reads);
            let attempts = Attempts::new(&self.id, name);
            tokio::select! {
                () = stored::load(store.as_ref(), &self.index, attempts) => {}
                () = following.collect() => {}
            }
            self.following = Some(following);
            self.index.finish_loading(name);
        }
        self.index.loaded().await;
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.signal() == Signal::Aliases
            && let Some(mut writer) = self.index.writer()
        {
            writer.take_in(&ReportBatch::of(&batch, now));
        }
        if !SignalSet::TELEMETRY.contains(batch.signal()) {
            return Ok(vec![batch]);
        }
        self.settle();
        let view = self.index.is_fed().then(|| self.index.view());
        let distinct = Distinct::of(&batch);
        let mut uids = Vec::with_capacity(distinct.resources.len());
        let mut instances = Vec::with_capacity(distinct.resources.len());
        for resource in &distinct.resources {
            let newest = resource.newest.map_or(now, |newest| newest.min(now));
            let names = view.as_ref().map(|view| (view, newest));
            let found = found::of_row(&batch, resource.row, names);
            self.told.tell(&found, newest);
            uids.push(found.uid().map(str::to_owned));
            instances.push(found.instance().map(str::to_owned));
        }
        let mut peer_uids = None;
        if let (Signal::Traces, Some(view)) = (batch.signal(), &view) {
            let found = self.peers.find(&batch, &distinct, &instances, view, now);
            for (node, time) in &found.nodes {
                self.told.node(node, *time);
            }
            peer_uids = found.column(batch.text(traces::PEER_UID));
        }
        let mut made = self.told.take(batch.delivery());
        let uids = distinct.uids(&uids, batch.uid());
        let batch = batch.with_uid(uids);
        made.push(match peer_uids {
            Some(peer_uids) => batch.with_peer_uid(peer_uids),
            None => batch,
        });
        Ok(made)
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        let has_work = self.told.has_unsettled() || self.peers.is_due(&self.index);
        (self.told.wants_aliases() && has_work).then_some(JOINING)
    }

    async fn wake(&mut self) {
        let next = async {
            match &mut self.following {
                Some(following) => following.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            update = next => self.update = Some(update),
            () = self.peers.becomes_due(&self.index) => self.index_changed = true,
        }
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        if let Some(update) = self.update.take() {
            self.take_in(&update, now);
            return Vec::new();
        }
        // Many changes come together: endpoints are looked up in a while, all at once.
        if std::mem::take(&mut self.index_changed) {
            self.peers.join_again();
            return Vec::new();
        }
        self.settle();
        for joined in self.peers.joined(&self.index) {
            self.told.same_as(&joined);
        }
        self.told.take(&Delivery::nobody())
    }
}

impl Identity {
    /// Puts what was read of a store into the index.
    fn take_in(&mut self, update: &Update<Names>, now: UnixNanos) {
        stored::replace(&update.uids, &update.part, &self.index, now);
        if let Some(following) = self.following.as_mut().filter(|_| update.is_end) {
            let view = self.index.view();
            let held: Vec<Arc<str>> = view.held_uids().cloned().collect();
            drop(view);
            following.look_again(held.into_iter());
        }
    }

    /// Looks at what became of what was told.
    fn settle(&mut self) {
        if self.told.settle() {
            self.peers.join_again();
        }
    }
}

#[cfg(test)]
mod tests;
