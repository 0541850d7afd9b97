//! The services of the engine for a component, passed to it when it is built.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::{BuildError, ComponentId, StoreRef};
use crate::alias_index::AliasIndex;
use crate::channel::{Queue, Sender, channel};
use crate::counters::{Counter, Gauges, OwnCounters};
use crate::graph_store::GraphStore;
use crate::{Signal, SignalSet};

/// Bytes of refresh requests that may be queued for a receiver.
const REFRESH_BYTES: usize = 1 << 20;

/// The services of the engine for one component.
#[derive(Clone, Debug)]
pub struct Host {
    id: ComponentId,
    wanted: SignalSet,
    shared: Arc<Shared>,
    counters: OwnCounters,
    /// The labels of the component's metrics: `processor="sql/x"`, `pipeline="traces"`.
    labels: Vec<(&'static str, String)>,
}

/// What the components of one process share.
#[derive(Debug, Default)]
pub struct Shared {
    /// The stores that were built so far, by the id of their exporter.
    stores: Mutex<HashMap<ComponentId, Arc<dyn GraphStore>>>,
    /// Senders to the receivers that take refresh requests.
    refreshing: Mutex<Vec<Sender>>,
    aliases: OnceLock<Arc<AliasIndex>>,
}

impl Shared {
    /// Senders to the receivers that take refresh requests.
    pub(crate) fn refreshing(&self) -> Vec<Sender> {
        lock(&self.refreshing).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// `wanted` are the signals that components after this one accept.
    pub fn new(id: ComponentId, wanted: SignalSet, shared: Arc<Shared>) -> Host {
        Host {
            id,
            wanted,
            shared,
            counters: OwnCounters::default(),
            labels: Vec::new(),
        }
    }

    /// Sets where the component's metrics are registered, and their labels.
    pub(crate) fn counting(
        self,
        counters: OwnCounters,
        labels: Vec<(&'static str, String)>,
    ) -> Host {
        Host {
            counters,
            labels,
            ..self
        }
    }

    /// A counter of the component, served with airdig's own metrics: `late_rows` of a processor is
    /// `airdig_processor_late_rows`.
    pub fn counter(&self, name: &str) -> Counter {
        let class = self.labels.first().map_or("component", |(class, _)| class);
        let name = format!("airdig_{class}_{name}");
        self.counters.add(name, self.labels.clone())
    }

    /// Gauges of the component, served with airdig's own metrics.
    pub fn gauges(&self) -> Gauges {
        Gauges::new(self.counters.clone(), self.labels.clone())
    }

    pub fn id(&self) -> &ComponentId {
        &self.id
    }

    /// The signals that components after this one accept; others need not be computed.
    pub fn wanted(&self) -> SignalSet {
        self.wanted
    }

    /// The store that a field of the configuration names. The topology has checked that it is configured, and
    /// the engine has built it first.
    ///
    /// # Errors
    /// When the named exporter is not a graph store.
    pub fn graph_store(&self, store: &StoreRef) -> Result<Arc<dyn GraphStore>, BuildError> {
        let stores = lock(&self.shared.stores);
        stores.get(&store.0).cloned().ok_or_else(|| BuildError {
            reason: format!("exporter \"{}\" is not a graph store", store.0),
            source: None,
        })
    }

    /// Registers the store under the id of this exporter, for components that name it.
    pub fn provide_graph_store(&self, store: Arc<dyn GraphStore>) {
        lock(&self.shared.stores).insert(self.id.clone(), store);
    }

    /// The alias index, which resolves names to uids: one for all pipelines of this process.
    pub fn alias_index(&self) -> Arc<AliasIndex> {
        let index = self.shared.aliases.get_or_init(|| {
            let name = "airdig_alias_index_evicted".to_owned();
            Arc::new(AliasIndex::new(self.counters.add(name, Vec::new())))
        });
        index.clone()
    }

    /// The `refresh_requests` that leave any pipeline of this process, for a receiver that can scan one uid
    /// again. Requests are dropped when the queue is full: the next scan covers them.
    pub fn refresh_requests(&self) -> Queue {
        let accepts = SignalSet::of(&[Signal::RefreshRequests]);
        let (sender, queue) = channel(format!("receivers/{}", self.id), accepts, REFRESH_BYTES);
        lock(&self.shared.refreshing).push(sender);
        queue
    }
}
