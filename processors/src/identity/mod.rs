//! Sets `uid` of `traces`, `metrics` and `logs`, the node of the graph that a row is about, and `peer_uid`
//! of client spans. Emits the nodes, edges and aliases that resource attributes describe.
//!
//! ```yaml
//! processors:
//!   identity: {store: sqlite, max_names: 524288}
//! ```
//!
//! The uid of a row is the first of these nodes that its resource describes. If the resource describes none,
//! the uid stays null.
//!
//! | node | attributes |
//! |---|---|
//! | service | `service.name`, `service.namespace`, `deployment.environment.name` (or `deployment.environment`) |
//! | cloud resource | `cloud.resource_id`, else the ARN in `aws.lambda.invoked_arn` or `faas.id`; without a Lambda's alias or version |
//! | ECS task | `aws.ecs.task.arn` |
//! | Kubernetes object | `k8s.cluster.uid` with `k8s.pod.uid`, else of its ReplicaSet, Job, StatefulSet, DaemonSet, Deployment, CronJob, else `k8s.node.uid` |
//! | EC2 instance | `host.id` of an instance with `cloud.account.id` and `cloud.region`; any other `host.id` is a machine id and ignored |
//! | EC2 instance that a scan reported | its `host.id` alone, where an instance has it as alias `host_id`; its private DNS name in `host.name` or `k8s.node.name`; its address in `host.ip`, if the resource is a host (not a container) with account and region |
//!
//! Each of these nodes is emitted as a fact of the group `telemetry`, except an instance that a scan
//! reported. The edges are `service RUNS_ON pod RUNS_ON node RUNS_ON instance`, each where both ends are
//! known, and `pod OWNED_BY replicaset`. A container has no uid: its id is an alias of its pod or task.
//!
//! If `Resource.entity_refs` has types of this table, the resource describes only these entities: a
//! `host` that is not among them is ignored.
//!
//! A uid that is already set is kept. The same fact, edge or alias is emitted once a minute of the rows'
//! own time. A new value is emitted at once. What was not delivered is emitted again with the next row
//! that describes it.
//!
//! # Peers of spans
//!
//! The peer is the other side of a client or producer span. `peer_uid` is set by the first of these rules
//! that finds exactly one node:
//!
//! | attributes of the span | peer |
//! |---|---|
//! | `aws.sqs.queue.url`; `aws.s3.bucket` and a host of AWS | that queue or bucket |
//! | a name in `server.address` (or `net.peer.name`) | the node with this alias `dns`; for a DNS record, the node that it points to |
//! | an address there, or in `network.peer.address` (or `net.sock.peer.addr`, `net.peer.ip`) | the node with this alias `ip` in the network of the span's own instance; for a public address, else, the node that has it without a scope |
//!
//! If several nodes have the address, the one that has it as `ip` wins over a network interface that has it
//! as `interface_ip`, and this over an address that is a resource of its own (`reserved_ip`).
//!
//! Aliases come from the [`AliasIndex`] of the process, as of the start of the span. The index has three
//! sources: the resources that pass `graph` in any pipeline, the `aliases` that pass this processor, and,
//! with the key `store`, the aliases in that store: all at the start, then those that other processes write,
//! within about a second. If the process has none of these sources, no peer is looked up.
//!
//! Receivers listen before the aliases of the store are loaded. Until then, batches wait in the queues of
//! all pipelines with `identity` or `graph`, so that no span is resolved without them. The index holds
//! at most `max_names` names: beyond that it evicts names that are not valid any more, then the names that
//! were seen longest ago, and counts both in `airdig_alias_index_evicted`.
//!
//! A name that several nodes have is ambiguous and resolves to none. `localhost` and other local names have
//! no peer.
//!
//! Spans whose peer is not found are counted by reason: `unresolved_unknown_name`,
//! `unresolved_unknown_address`, `unresolved_no_network` (the address is private and the network of the
//! span's resource is not known), `unresolved_ambiguous`. The processor remembers their latest 4,096
//! endpoints in memory. Once the index has exactly one node that such an endpoint can be, it emits the
//! endpoint as alias `same_as` of that node, unless a scan has reported this alias.

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

use distinct::DistinctResources;
use peers::Peers;
use stored::{LoadedNames, NameReader};
use told::EmittedRows;

use crate::following::{Follower, Update};
use crate::loading::Attempts;

/// How often unresolved endpoints are looked up again, if the index has changed.
const ENDPOINT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct Identity {
    id: String,
    emitted: EmittedRows,
    peers: Peers,
    index: Arc<AliasIndex>,
    /// The id of the store whose names are loaded at the start, and the store.
    store: Option<(String, Arc<dyn GraphStore>)>,
    /// Set if this is the processor of the process that loads the store.
    following: Option<Follower<NameReader>>,
    update: Option<Update<LoadedNames>>,
    /// `wake` returned because the index has changed.
    index_changed: bool,
}

impl Described for Identity {
    const TYPE: &'static str = "identity";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "sets the node that telemetry is about and the peers of client spans";
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
            emitted: EmittedRows::new(host.id().to_string(), wanted),
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
            let reads = NameReader {
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
        self.check_deliveries();
        let view = self.index.is_fed().then(|| self.index.view());
        let distinct = DistinctResources::of(&batch);
        let mut uids = Vec::with_capacity(distinct.resources.len());
        let mut instances = Vec::with_capacity(distinct.resources.len());
        for resource in &distinct.resources {
            let newest = resource.newest.map_or(now, |newest| newest.min(now));
            let names = view.as_ref().map(|view| (view, newest));
            let identity = found::identify_resource(&batch, resource.first_row, names);
            self.emitted.emit(&identity, newest);
            uids.push(identity.uid().map(str::to_owned));
            instances.push(identity.instance().map(str::to_owned));
        }
        let mut peer_uids = None;
        if let (Signal::Traces, Some(view)) = (batch.signal(), &view) {
            let peers = self.peers.resolve(&batch, &distinct, &instances, view, now);
            for (node, time) in &peers.nodes {
                self.emitted.emit_node(node, *time);
            }
            peer_uids = peers.column(batch.text(traces::PEER_UID));
        }
        let mut made = self.emitted.take_batches(batch.delivery());
        let uids = distinct.uids(&uids, batch.uid());
        let batch = batch.with_uid(uids);
        made.push(match peer_uids {
            Some(peer_uids) => batch.with_peer_uid(peer_uids),
            None => batch,
        });
        Ok(made)
    }

    fn tick_within(&self, _now: UnixNanos) -> Option<Duration> {
        let has_work = self.emitted.has_unacknowledged() || self.peers.is_due(&self.index);
        (self.emitted.wants_aliases() && has_work).then_some(ENDPOINT_CHECK_INTERVAL)
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
            () = self.peers.wait_until_due(&self.index) => self.index_changed = true,
        }
    }

    fn tick(&mut self, now: UnixNanos) -> Vec<Batch> {
        if let Some(update) = self.update.take() {
            self.apply_update(&update, now);
            return Vec::new();
        }
        // Many changes of the index come together: the next tick looks up all endpoints at once.
        if std::mem::take(&mut self.index_changed) {
            self.peers.recheck_endpoints();
            return Vec::new();
        }
        self.check_deliveries();
        for resolved in self.peers.resolve_endpoints(&self.index) {
            self.emitted.emit_same_as(&resolved);
        }
        self.emitted.take_batches(&Delivery::nobody())
    }
}

impl Identity {
    /// Replaces the names of some uids in the index with those that were read from the store.
    fn apply_update(&mut self, update: &Update<LoadedNames>, now: UnixNanos) {
        stored::replace(&update.uids, &update.part, &self.index, now);
        if let Some(following) = self.following.as_mut().filter(|_| update.is_end) {
            let view = self.index.view();
            let held: Vec<Arc<str>> = view.held_uids().cloned().collect();
            drop(view);
            following.look_again(held.into_iter());
        }
    }

    /// Makes rows due again whose delivery was refused.
    fn check_deliveries(&mut self) {
        if self.emitted.revoke_refused() {
            self.peers.recheck_endpoints();
        }
    }
}

#[cfg(test)]
mod tests;
