//! Converts a topology to a plan: builds each component, in the build order of the topology.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::EngineError;
use super::plan::{
    Plan, PlannedConnector, PlannedExporter, PlannedExtension, PlannedPipeline, PlannedReceiver,
};
use crate::component::{ComponentId, Host, Processor, SharedServices};
use crate::counters::ComponentMetrics;
use crate::registry::{ComponentClass, Factory, FactoryError, Registry};
use crate::topology::{ComponentKey, ComponentSpec, Topology};

/// Processors by the index of their pipeline and their id: each pipeline has its own instances.
type BuiltProcessors = BTreeMap<(usize, ComponentId), Box<dyn Processor>>;

/// Builds all components of the topology.
pub(super) fn build(topology: Topology, registry: &Registry) -> Result<Plan, EngineError> {
    let shared = Arc::new(SharedServices::default());
    let mut plan = Plan {
        metrics_address: topology.telemetry.metrics_address,
        ..Plan::default()
    };
    let mut processors = BuiltProcessors::new();
    for key in &topology.build_order {
        let (class, id) = key;
        // The build order contains only configured components.
        let Some(spec) = topology.components.get(key) else {
            continue;
        };
        let unknown_type = || EngineError::UnknownType {
            component: component_name(key),
        };
        let factory = registry.find(*class, id.kind()).ok_or_else(unknown_type)?;
        if *class == ComponentClass::Processor {
            let services = (&shared, &plan.metrics);
            build_processors(&topology, id, spec, factory, services, &mut processors)?;
            continue;
        }
        let labels = vec![(class.singular(), id.to_string())];
        let host = Host::new(id.clone(), spec.accepted_downstream, shared.clone())
            .with_metrics(plan.metrics.clone(), labels);
        add(&mut plan, key, spec, factory, &host).map_err(|source| EngineError::Build {
            component: component_name(key),
            source,
        })?;
    }
    plan.pipelines = plan_pipelines(topology, processors)?;
    plan.refresh_senders = shared.refresh_senders();
    Ok(plan)
}

/// Builds one component, other than a processor, and adds it to the plan.
fn add(
    plan: &mut Plan,
    (class, id): &ComponentKey,
    spec: &ComponentSpec,
    factory: &Factory,
    host: &Host,
) -> Result<(), FactoryError> {
    let id = id.clone();
    let config = &spec.config;
    match class {
        ComponentClass::Extension => plan.extensions.push(PlannedExtension {
            id,
            extension: factory.build_extension(config, host)?,
        }),
        ComponentClass::Exporter => plan.exporters.push(PlannedExporter {
            id,
            exporter: factory.build_exporter(config, host)?,
            accepts: factory.signals.accepts,
            settings: spec.settings.clone().unwrap_or_default(),
        }),
        ComponentClass::Receiver => plan.receivers.push(PlannedReceiver {
            id,
            receiver: factory.build_receiver(config, host)?,
        }),
        // This is always a connector, since `build_processors` builds the processors of pipelines.
        ComponentClass::Connector | ComponentClass::Processor => {
            plan.connectors.push(PlannedConnector {
                id,
                processor: factory.build_processor(config, host)?,
            })
        }
    }
    Ok(())
}

fn build_processors(
    topology: &Topology,
    id: &ComponentId,
    spec: &ComponentSpec,
    factory: &Factory,
    (shared, metrics): (&Arc<SharedServices>, &ComponentMetrics),
    built: &mut BuiltProcessors,
) -> Result<(), EngineError> {
    for (index, pipeline) in topology.pipelines.iter().enumerate() {
        let Some(position) = pipeline.processors.iter().position(|other| other == id) else {
            continue;
        };
        let accepted = pipeline.accepted_after.get(position).copied();
        let accepted = accepted.unwrap_or(spec.accepted_downstream);
        let labels = vec![
            ("processor", id.to_string()),
            ("pipeline", pipeline.id.to_string()),
        ];
        let host =
            Host::new(id.clone(), accepted, shared.clone()).with_metrics(metrics.clone(), labels);
        let processor = factory
            .build_processor(&spec.config, &host)
            .map_err(|source| EngineError::Build {
                component: format!("processors/{id} of pipeline {}", pipeline.id),
                source,
            })?;
        built.insert((index, id.clone()), processor);
    }
    Ok(())
}

/// Moves the built processors into their pipelines.
fn plan_pipelines(
    topology: Topology,
    mut built: BuiltProcessors,
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

/// The name of a component in logs and errors: `receivers/otlp`.
pub(super) fn component_name((class, id): &ComponentKey) -> String {
    format!("{}/{id}", class.section())
}
