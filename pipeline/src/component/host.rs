//! The services of the engine for a component, passed to it when it is built.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use super::{BuildError, ComponentId, StoreRef};
use crate::alias_index::AliasIndex;
use crate::channel::{Queue, Sender, channel};
use crate::counters::{ComponentMetrics, Counter, Gauges};
use crate::graph_store::GraphStore;
use crate::sync::lock;
use crate::{Signal, SignalSet};

/// The capacity in bytes of a receiver's queue of refresh requests.
const REFRESH_BYTES: usize = 1 << 20;

/// The services of the engine for one component.
#[derive(Clone, Debug)]
pub struct Host {
    id: ComponentId,
    accepted_downstream: SignalSet,
    shared: Arc<SharedServices>,
    /// The registry of the component's metrics.
    metrics: ComponentMetrics,
    /// The labels of the component's metrics: `processor="sql/x"`, `pipeline="traces"`.
    labels: Vec<(&'static str, String)>,
}

/// The services that the components of one process share.
#[derive(Debug, Default)]
pub struct SharedServices {
    /// The stores of the exporters that were built so far, by exporter id.
    stores: Mutex<HashMap<ComponentId, Arc<dyn GraphStore>>>,
    /// Senders to the receivers that accept refresh requests.
    refresh_senders: Mutex<Vec<Sender>>,
    aliases: OnceLock<Arc<AliasIndex>>,
}

impl SharedServices {
    /// Senders to the receivers that accept refresh requests.
    pub(crate) fn refresh_senders(&self) -> Vec<Sender> {
        lock(&self.refresh_senders).clone()
    }
}

impl Host {
    /// `accepted_downstream` are the signals that components after this one accept.
    pub fn new(
        id: ComponentId,
        accepted_downstream: SignalSet,
        shared: Arc<SharedServices>,
    ) -> Host {
        Host {
            id,
            accepted_downstream,
            shared,
            metrics: ComponentMetrics::default(),
            labels: Vec::new(),
        }
    }

    /// Sets the registry of the component's metrics, and their labels.
    pub(crate) fn with_metrics(
        self,
        metrics: ComponentMetrics,
        labels: Vec<(&'static str, String)>,
    ) -> Host {
        Host {
            metrics,
            labels,
            ..self
        }
    }

    /// Registers a counter of the component, which airdig serves with its own metrics. For example, the counter
    /// `late_rows` of a processor is the metric `airdig_processor_late_rows`.
    pub fn counter(&self, name: &str) -> Counter {
        let class = self.labels.first().map_or("component", |(class, _)| class);
        let name = format!("airdig_{class}_{name}");
        self.metrics.add_counter(name, self.labels.clone())
    }

    /// The gauges of the component, which airdig serves with its own metrics.
    pub fn gauges(&self) -> Gauges {
        Gauges::new(self.metrics.clone(), self.labels.clone())
    }

    /// The id of the component.
    pub fn id(&self) -> &ComponentId {
        &self.id
    }

    /// The signals that components after this one accept. The component need not produce any other signal.
    pub fn accepted_downstream(&self) -> SignalSet {
        self.accepted_downstream
    }

    /// The store that a field of the configuration names. The topology has checked that it is configured, and the
    /// engine has built it before this component.
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

    /// Registers the store of this exporter under its id, for components that name it.
    pub fn provide_graph_store(&self, store: Arc<dyn GraphStore>) {
        lock(&self.shared.stores).insert(self.id.clone(), store);
    }

    /// The alias index, which resolves names to uids. All pipelines of the process share one.
    pub fn alias_index(&self) -> Arc<AliasIndex> {
        let index = self.shared.aliases.get_or_init(|| {
            let name = "airdig_alias_index_evicted".to_owned();
            Arc::new(AliasIndex::new(self.metrics.add_counter(name, Vec::new())))
        });
        index.clone()
    }

    /// A queue for a receiver that can scan a single uid. It gets the `refresh_requests` that leave the pipelines of
    /// this process. When the queue is full, requests are dropped, since the next scan covers them.
    pub fn refresh_requests(&self) -> Queue {
        let accepts = SignalSet::of(&[Signal::RefreshRequests]);
        let (sender, queue) = channel(format!("receivers/{}", self.id), accepts, REFRESH_BYTES);
        lock(&self.shared.refresh_senders).push(sender);
        queue
    }
}
