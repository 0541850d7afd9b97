//! Changes the resource attributes of `traces`, `metrics` and `logs`.
//!
//! ```yaml
//! processors:
//!   resource:
//!     attributes:
//!       - {key: cloud.availability_zone, value: zone-1, action: upsert}
//!       - {key: k8s.cluster.name, from_attribute: k8s-cluster, action: insert}
//!       - {key: redundant-attribute, action: delete}
//! ```
//!
//! The actions are those of `attributes`. If an action sets an attribute of a row without a resource, the row gets a
//! resource. The processor updates the columns `service_name` and `service_namespace` accordingly. It does not change
//! `uid`, so place `resource` before `identity`.

use std::sync::Arc;

use arrow_array::ArrayRef;
use pipeline::attributes::edit_rows;
use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::schema::otlp_context::RESOURCE_ATTRIBUTES;
use pipeline::{Batch, SignalSet};

use crate::attribute_actions::AttributeActions;
use crate::service_columns::{SERVICE_COLUMNS, update_from_resources};

mod config;

pub use config::Config;

/// The processor `resource`.
#[derive(Debug)]
pub struct Resource {
    actions: AttributeActions,
}

impl ComponentMeta for Resource {
    const TYPE: &'static str = "resource";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str =
        "sets, deletes, hashes, converts resource attributes, as in the Collector";
    type Config = Config;
}

impl BuildProcessor for Resource {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY;
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(config: Config, _: &Host) -> Result<Resource, BuildError> {
        Ok(Resource {
            actions: AttributeActions::new(config.attributes),
        })
    }
}

impl Processor for Resource {
    fn process(&mut self, batch: Batch, _: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if !SignalSet::TELEMETRY.contains(batch.signal()) {
            return Ok(vec![batch]);
        }
        let changed = edit_rows(
            batch.bytes(RESOURCE_ATTRIBUTES),
            |_| true,
            |run, out| self.actions.apply(run.unwrap_or_default(), out),
        );
        let Some(attributes) = changed else {
            return Ok(vec![batch]);
        };
        let mut columns: Vec<(&'static str, ArrayRef)> = Vec::new();
        for (column, key) in SERVICE_COLUMNS {
            if let Some(changed) = update_from_resources(batch.text(column), key, &attributes) {
                columns.push((column, Arc::new(changed)));
            }
        }
        columns.push((RESOURCE_ATTRIBUTES, Arc::new(attributes)));
        Ok(vec![batch.with_columns(columns)])
    }
}

#[cfg(test)]
mod tests;
