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
//! A row gets the uid of the first node in this table that its resource describes. If the resource describes no such
//! node, the uid stays null.
//!
//! | node | attributes |
//! |---|---|
//! | service | `service.name`, `service.namespace`, `deployment.environment.name` (or `deployment.environment`) |
//! | cloud resource | `cloud.resource_id`, or if it is missing the ARN in `aws.lambda.invoked_arn` or `faas.id`; the alias or version of a Lambda function is removed |
//! | ECS task | `aws.ecs.task.arn` |
//! | Kubernetes object | `k8s.cluster.uid` with the first present of `k8s.pod.uid`, the uid of a ReplicaSet, Job, StatefulSet, DaemonSet, Deployment or CronJob, and `k8s.node.uid` |
//! | EC2 instance | `host.id` of the form `i-…`, with `cloud.account.id` and `cloud.region`; any other `host.id` is a machine id and ignored |
//! | EC2 instance in the alias index | a `host.id` that an instance has as alias `host_id`; the private DNS name of an instance in `host.name` or `k8s.node.name`; the private address of an instance in `host.ip`, if the resource is a host (not a container) with account and region |
//!
//! The processor emits a fact of the group `telemetry` for each of these nodes, except for an instance that it found
//! in the alias index. Edges `RUNS_ON` lead from the service to the cloud resource, and along the chain service, task,
//! pod, Kubernetes node, instance. The chain skips nodes that the resource does not describe. Edges `OWNED_BY` lead
//! from a pod to its workload, such as a ReplicaSet, and from a ReplicaSet or Job to its owner. A container has no uid:
//! its id is an alias of its pod or task.
//!
//! If `Resource.entity_refs` references entities of the kinds in this table, the resource describes only these
//! entities. For example, the processor then ignores a host that no reference names.
//!
//! The processor keeps a uid that is already set. It emits an unchanged fact, edge or alias at most once a minute, by
//! the times of the rows. It does not delay a changed value. If a fact, edge or alias was not delivered, the processor
//! emits it again with the next row that describes it.
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
//! | an address there, or in `network.peer.address` (or `net.sock.peer.addr`, `net.peer.ip`) | the node that has the address in the network of the instance that sent the span; for a public address without such a node, the node that has it without a scope |
//!
//! If several nodes have the address, a node with aliases `ip` wins over a network interface, whose aliases are
//! `interface_ip`. A network interface wins over a reserved address (`reserved_ip`), such as an elastic IP.
//!
//! The processor looks aliases up in the [`AliasIndex`] of the process, as of the start of the span. The index has
//! three sources: the resources that pass `graph` in any pipeline; the `aliases` that pass this processor; and, with
//! the key `store`, the aliases in that store. The processor loads the aliases of the store at the start. Aliases that
//! another process writes to the store reach the index within about a second. If the process has none of these
//! sources, `peer_uid` stays null.
//!
//! Receivers already listen while the aliases of the store are loaded. Until the load has finished, batches wait in
//! the queues of all pipelines with `identity` or `graph`, so that every span is resolved with all aliases. The index
//! holds at most `max_names` names. Beyond that it first evicts names that are not valid any more, then the names of
//! the nodes that were reported longest ago. It counts both in `airdig_alias_index_evicted`.
//!
//! A name that several nodes have is ambiguous and resolves to no node. A span to `localhost` or another local name
//! has no peer.
//!
//! The processor counts the spans with an unresolved peer, by reason: `unresolved_unknown_name`,
//! `unresolved_unknown_address`, `unresolved_no_network` (the name or address is unique only within a network, and the
//! network of the span's resource is unknown), `unresolved_ambiguous`. The processor remembers the 4,096 newest
//! unresolved endpoints, without ambiguous ones. Once exactly one node in the index can be such an endpoint, the
//! processor emits the endpoint as alias `same_as` of that node, unless the index already has this alias.

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

/// The interval of ticks while unresolved endpoints must be looked up or emitted batches are in flight.
const ENDPOINT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The processor `identity`.
#[derive(Debug)]
pub struct Identity {
    id: String,
    emitted: EmittedRows,
    peers: PeerResolver,
    index: Arc<AliasIndex>,
    /// The exporter that the key `store` names: its id and its store.
    store: Option<(String, Arc<dyn GraphStore>)>,
    /// Set if this processor loads and follows the store. Of all processors of the process with the same store, only
    /// one does.
    follower: Option<Follower<NameReader>>,
    /// The update for which `wake` returned; the next tick applies it.
    update: Option<StoreUpdate<LoadedNames>>,
    /// Whether `wake` returned because the index has changed.
    index_changed: bool,
}

impl ComponentMeta for Identity {
    const TYPE: &'static str = "identity";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "resolves which service, pod or host each row belongs to and which node a client span calls";
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
        let mut output = self.emitted.take_batches(batch.delivery());
        let uids = distinct.uid_column(&uids, batch.uid());
        let batch = batch.with_uid(uids);
        output.push(match peer_uids {
            Some(peer_uids) => batch.with_peer_uid(peer_uids),
            None => batch,
        });
        Ok(output)
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
        // Changes of the index come in bursts, so the endpoints are looked up at the tick after this one.
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
            follower.queue_missing(held.into_iter());
        }
    }

    /// Makes refused rows due again. An endpoint may be among them as alias `same_as`, so all endpoints are due, too.
    fn check_deliveries(&mut self) {
        if self.emitted.revoke_refused() {
            self.peers.recheck_endpoints();
        }
    }
}

#[cfg(test)]
mod tests;
