//! Topology → plan: builds each component, in the topology's order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::EngineError;
use super::plan::{
    Plan, PlannedConnector, PlannedExporter, PlannedExtension, PlannedPipeline, PlannedReceiver,
};
use crate::component::{ComponentId, Host, Processor, Shared};
use crate::counters::OwnCounters;
use crate::registry::{Class, Factory, FactoryError, Registry};
use crate::topology::{Declared, Placed, Topology};

/// By the index of the pipeline and the id of the processor: a processor is built for each pipeline.
type Processors = BTreeMap<(usize, ComponentId), Box<dyn Processor>>;

pub(super) fn build(topology: Topology, registry: &Registry) -> Result<Plan, EngineError> {
    let shared = Arc::new(Shared::default());
    let mut plan = Plan {
        metrics_address: topology.telemetry.metrics_address,
        ..Plan::default()
    };
    let mut processors = Processors::new();
    for placed in &topology.build_order {
        let (class, id) = placed;
        // The build order contains only declared components.
        let Some(declared) = topology.components.get(placed) else {
            continue;
        };
        let unknown = || EngineError::UnknownType {
            component: name(placed),
        };
        let factory = registry.find(*class, id.kind()).ok_or_else(unknown)?;
        if *class == Class::Processor {
            let with = (&shared, &plan.counters);
            build_processors(&topology, id, declared, factory, with, &mut processors)?;
            continue;
        }
        let labels = vec![(class.singular(), id.to_string())];
        let host = Host::new(id.clone(), declared.wanted, shared.clone())
            .counting(plan.counters.clone(), labels);
        add(&mut plan, placed, declared, factory, &host).map_err(|source| EngineError::Build {
            component: name(placed),
            source,
        })?;
    }
    plan.pipelines = pipelines(topology, processors)?;
    plan.refreshing = shared.refreshing();
    Ok(plan)
}

fn add(
    plan: &mut Plan,
    (class, id): &Placed,
    declared: &Declared,
    factory: &Factory,
    host: &Host,
) -> Result<(), FactoryError> {
    let id = id.clone();
    let config = &declared.config;
    match class {
        Class::Extension => plan.extensions.push(PlannedExtension {
            id,
            extension: factory.build_extension(config, host)?,
        }),
        Class::Exporter => plan.exporters.push(PlannedExporter {
            id,
            exporter: factory.build_exporter(config, host)?,
            accepts: factory.signals.accepts,
            settings: declared.settings.clone().unwrap_or_default(),
        }),
        Class::Receiver => plan.receivers.push(PlannedReceiver {
            id,
            receiver: factory.build_receiver(config, host)?,
        }),
        // Processors are not built here, but once for each pipeline.
        Class::Connector | Class::Processor => plan.connectors.push(PlannedConnector {
            id,
            processor: factory.build_processor(config, host)?,
        }),
    }
    Ok(())
}

fn build_processors(
    topology: &Topology,
    id: &ComponentId,
    declared: &Declared,
    factory: &Factory,
    (shared, counters): (&Arc<Shared>, &OwnCounters),
    built: &mut Processors,
) -> Result<(), EngineError> {
    for (index, pipeline) in topology.pipelines.iter().enumerate() {
        let Some(place) = pipeline.processors.iter().position(|other| other == id) else {
            continue;
        };
        let wanted = pipeline.wanted.get(place).copied();
        let wanted = wanted.unwrap_or(declared.wanted);
        let labels = vec![
            ("processor", id.to_string()),
            ("pipeline", pipeline.id.to_string()),
        ];
        let host = Host::new(id.clone(), wanted, shared.clone()).counting(counters.clone(), labels);
        let processor = factory
            .build_processor(&declared.config, &host)
            .map_err(|source| EngineError::Build {
                component: format!("processors/{id} of pipeline {}", pipeline.id),
                source,
            })?;
        built.insert((index, id.clone()), processor);
    }
    Ok(())
}

fn pipelines(
    topology: Topology,
    mut built: Processors,
) -> Result<Vec<PlannedPipeline>, EngineError> {
    let mut planned = Vec::with_capacity(topology.pipelines.len());
    for (index, pipeline) in topology.pipelines.into_iter().enumerate() {
        let mut processors = Vec::with_capacity(pipeline.processors.len());
        for id in pipeline.processors {
            let Some(processor) = built.remove(&(index, id.clone())) else {
                return Err(EngineError::Missing {
                    pipeline: pipeline.id.to_string(),
                    component: format!("processors/{id}"),
                });
            };
            processors.push((id, processor));
        }
        planned.push(PlannedPipeline {
            id: pipeline.id,
            signal: pipeline.signal,
            receivers: pipeline.receivers,
            processors,
            exporters: pipeline.exporters,
        });
    }
    Ok(planned)
}

/// `receivers/otlp`.
pub(super) fn name((class, id): &Placed) -> String {
    format!("{}/{id}", class.section())
}
