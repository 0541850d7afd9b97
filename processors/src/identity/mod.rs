//! Sets the column `uid` of `traces`, `metrics` and `logs`: the node of the graph that a row is about. Sets `peer_uid`
//! of client spans. Emits the nodes, edges and aliases that resource attributes describe.
//!
//! ```yaml
//! processors:
//!   identity: {store: sqlite, max_names: 524288}
//! ```
//!
//! ```text
//!  batch ─ distinct ─▶ each resource once ─ resource_identity ─┬▶ nodes, edges, aliases ─ emitted ─▶ graph rows
//!                                                              └▶ the column `uid`
//!        └ spans ─ peers ─▶ AliasIndex, as of the time of the span ─▶ the column `peer_uid`
//! ```
//!
//! The uid of a row is that of the first of these nodes that the row's resource describes. If the resource describes
//! none, the uid stays null.
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
//! The processor emits a fact of the group `telemetry` for each of these nodes, except for an instance that a scan
//! reported. The edges are `service RUNS_ON pod RUNS_ON node RUNS_ON instance`, each where both ends are known, and
//! `OWNED_BY` from a pod to its workload, such as a ReplicaSet, and from that to its own owner. A container has no
//! uid: its id is an alias of its pod or task.
//!
//! If `Resource.entity_refs` has types of this table, the resource describes only these entities: the processor
//! ignores a host that is not among them.
//!
//! The processor keeps a uid that is already set. It emits the same fact, edge or alias once a minute, by the times of
//! the rows, and a new value at once. If a fact, edge or alias was not delivered, the next row that describes it makes
//! the processor emit it again.
//!
//! # Peers of spans
//!
//! The peer is the other side of a client or producer span. The first of these rules that finds exactly one node sets
//! `peer_uid`:
//!
//! | attributes of the span | peer |
//! |---|---|
//! | `aws.sqs.queue.url`; `aws.s3.bucket` and a host of AWS | that queue or bucket |
//! | a name in `server.address` (or `net.peer.name`) | the node with this alias `dns`; for a DNS record, the node that it points to |
//! | an address there, or in `network.peer.address` (or `net.sock.peer.addr`, `net.peer.ip`) | the node with this alias `ip` in the network of the span's own instance; for a public address, else, the node that has it without a scope |
//!
//! If several nodes have the address, a node that has it as `ip` wins over a network interface that has it as
//! `interface_ip`, and the network interface wins over a reserved address (`reserved_ip`), such as an elastic IP.
//!
//! The processor looks aliases up in the [`AliasIndex`] of the process, as of the start of the span. The index has
//! three sources: the resources that pass `graph` in any pipeline; the `aliases` that pass this processor; and, with
//! the key `store`, the aliases in that store. The processor loads all of them at the start, and those that other
//! processes write later within about a second. If the process has none of these sources, `peer_uid` stays null.
//!
//! Receivers listen before the aliases of the store are loaded. Until then, batches wait in the queues of all
//! pipelines with `identity` or `graph`, so that every span is resolved with all aliases. The index holds at most
//! `max_names` names. Beyond that it evicts names that are not valid any more, then the names whose last sighting is
//! the oldest, and counts both in `airdig_alias_index_evicted`.
//!
//! A name that several nodes have is ambiguous and resolves to none. A span to `localhost` or another local name has
//! no peer.
//!
//! The processor counts spans whose peer is unresolved by reason: `unresolved_unknown_name`,
//! `unresolved_unknown_address`, `unresolved_no_network` (the name or address is unique only within a network, and the
//! network of the span's resource is not known), `unresolved_ambiguous`. It holds the latest 4,096 unresolved
//! endpoints in memory, except ambiguous ones. Once exactly one node in the index can be such an endpoint, it emits
//! the endpoint as alias `same_as` of that node, unless a scan has reported this alias.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pipeline::alias_index::AliasIndex;
use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::graph_store::GraphStore;
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::reports::ReportBatch;
use pipeline::schema::traces;
use pipeline::{Batch, Delivery, Signal, SignalSet};

mod cloud;
mod config;
mod distinct;
mod emitted;
mod entities;
mod identified_node;
mod instances;
mod kubernetes;
mod loaded_names;
mod merge_stores;
mod names;
mod peers;
mod recently_emitted;
mod resource_identity;
mod stored;

pub use config::Config;

use distinct::DistinctResources;
use emitted::EmittedRows;
use loaded_names::LoadedNames;
use peers::PeerResolver;
use stored::NameReader;

use crate::following::{Follower, StoreUpdate};
use crate::loading::ReadAttempts;

/// The shortest time between two lookups of unresolved endpoints. They are looked up only if the index has changed.
const ENDPOINT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The processor `identity`.
#[derive(Debug)]
pub struct Identity {
    id: String,
    emitted: EmittedRows,
    peers: PeerResolver,
    index: Arc<AliasIndex>,
    /// The id of the exporter of the key `store`, and its store.
    store: Option<(String, Arc<dyn GraphStore>)>,
    /// Follows the store. Of all processors of the process with this store, one loads and follows it.
    follower: Option<Follower<NameReader>>,
    /// The update with which `wake` returned; the next tick applies it.
    update: Option<StoreUpdate<LoadedNames>>,
    /// Whether `wake` returned because the index has changed.
    index_changed: bool,
}

impl ComponentMeta for Identity {
    const TYPE: &'static str = "identity";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "sets the node of each row and the peer of client spans; emits services, pods, instances";
    type Config = Config;
}

impl BuildProcessor for Identity {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY.union(SignalSet::of(&[Signal::Aliases]));
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);

    fn build(config: Config, host: &Host) -> Result<Identity, BuildError> {
        let wanted = host.accepted_downstream().intersection(Self::PRODUCES);
        let index = host.alias_index();
        index.enable();
        if let Some(names) = config.max_names {
            index.raise_limit(names);
        }
        let store = match config.store {
            Some(store) => Some((store.0.to_string(), host.graph_store(&store)?)),
            None => None,
        };
        if let Some((name, store)) = &store {
            index.expect_store(name, Arc::clone(store));
        }
        Ok(Identity {
            id: host.id().to_string(),
            emitted: EmittedRows::new(host.id().to_string(), wanted),
            peers: PeerResolver::new(host, wanted.contains(Signal::Aliases)),
            index,
            store,
            follower: None,
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
            let reader = NameReader {
                store: Arc::clone(store),
                index: Arc::clone(&self.index),
            };
            let mut follower = Follower::new(&self.id, name, store.as_ref(), reader);
            let attempts = ReadAttempts::new(&self.id, name);
            tokio::select! {
                () = stored::load(store.as_ref(), &self.index, attempts) => {}
                () = follower.queue_commits() => {}
            }
            self.follower = Some(follower);
            self.index.finish_loading(name);
        }
        self.index.wait_loaded().await;
    }

    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if batch.signal() == Signal::Aliases
            && let Some(mut writer) = self.index.writer()
        {
            writer.apply(&ReportBatch::from_batch(&batch, now));
        }
        if !SignalSet::TELEMETRY.contains(batch.signal()) {
            return Ok(vec![batch]);
        }
        self.check_deliveries();
        let view = self.index.has_source().then(|| self.index.view());
        let distinct = DistinctResources::of(&batch);
        let mut uids = Vec::with_capacity(distinct.resources.len());
        let mut instances = Vec::with_capacity(distinct.resources.len());
        for resource in &distinct.resources {
            let newest = resource.newest.map_or(now, |newest| newest.min(now));
            let names = view.as_ref().map(|view| (view, newest));
            let identity = resource_identity::identify(&batch, resource.first_row, names);
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
        let uids = distinct.uid_column(&uids, batch.uid());
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
            match &mut self.follower {
                Some(follower) => follower.next().await,
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
        // Changes of the index come in bursts, so the endpoints are looked up at the next tick, not at each change.
        if std::mem::take(&mut self.index_changed) {
            self.peers.recheck_endpoints();
            return Vec::new();
        }
        self.check_deliveries();
        for resolved in self.peers.resolve_endpoints(&self.index) {
            self.emitted.emit_same_as(&resolved);
        }
        self.emitted.take_batches(&Delivery::untracked())
    }
}

impl Identity {
    /// Replaces the names of the updated uids in the index.
    fn apply_update(&mut self, update: &StoreUpdate<LoadedNames>, now: UnixNanos) {
        stored::replace(&update.uids, &update.content, &self.index, now);
        if let Some(follower) = self
            .follower
            .as_mut()
            .filter(|_| update.completes_full_read)
        {
            let view = self.index.view();
            let held: Vec<Arc<str>> = view.named_uids().cloned().collect();
            drop(view);
            follower.read_unseen(held.into_iter());
        }
    }

    /// Lets rows whose delivery was refused be emitted again.
    fn check_deliveries(&mut self) {
        if self.emitted.revoke_refused() {
            self.peers.recheck_endpoints();
        }
    }
}

#[cfg(test)]
mod tests;
