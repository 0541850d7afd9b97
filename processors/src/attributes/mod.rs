//! Changes the attributes of spans, log records and data points.
//!
//! ```yaml
//! processors:
//!   attributes:
//!     include: {match_type: strict, services: [shop]}
//!     actions:
//!       - {key: db.table, action: delete}
//!       - {key: redacted_span, value: true, action: upsert}
//!       - {key: copy_key, from_attribute: key_original, action: update}
//!       - {key: account_email, action: hash}
//!       - {key: http.status_code, action: convert, converted_type: int}
//! ```
//!
//! `include` and `exclude` take the Collector's properties: `services`, `span_names`, `span_kinds`, `log_bodies`,
//! `log_severity_texts`, `log_severity_number`, `metric_names`, `attributes`, `resources` and `libraries`. A row
//! must match every given property. It matches `attributes` and `resources` if it matches all their entries, and
//! any other list if it matches one entry. A signal that lacks the property does not match: spans have no
//! `log_bodies`.
//!
//! A batch in which nothing changes keeps the bytes of its OTLP request.

use std::sync::Arc;

use arrow_array::ArrayRef;
use pipeline::attributes::edit_rows;
use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, ComponentMeta, Stability};
use pipeline::schema::{logs, metrics, traces};
use pipeline::{Batch, Signal, SignalSet};

use crate::attribute_actions::AttributeActions;

mod config;
mod matching;

pub use config::Config;

use matching::RowCondition;

/// The processor `attributes`.
#[derive(Debug)]
pub struct Attributes {
    actions: AttributeActions,
    include: Option<RowCondition>,
    exclude: Option<RowCondition>,
}

impl ComponentMeta for Attributes {
    const TYPE: &'static str = "attributes";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "sets, deletes, hashes, converts attributes of spans, log records and data points, as in the Collector";
    type Config = Config;
}

impl BuildProcessor for Attributes {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY;
    const PRODUCES: SignalSet = SignalSet::NONE;

    fn build(config: Config, _: &Host) -> Result<Attributes, BuildError> {
        Ok(Attributes {
            actions: AttributeActions::new(config.actions),
            include: config.include,
            exclude: config.exclude,
        })
    }
}

impl Processor for Attributes {
    fn process(&mut self, batch: Batch, _: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        let column = match batch.signal() {
            Signal::Traces => traces::ATTRIBUTES,
            Signal::Metrics => metrics::ATTRIBUTES,
            Signal::Logs => logs::ATTRIBUTES,
            _ => return Ok(vec![batch]),
        };
        let included = self.include.as_ref().map(|include| include.matches(&batch));
        let excluded = self.exclude.as_ref().map(|exclude| exclude.matches(&batch));
        let changed = edit_rows(
            batch.bytes(column),
            |row| {
                included.as_ref().is_none_or(|included| included[row])
                    && excluded.as_ref().is_none_or(|excluded| !excluded[row])
            },
            |value, out| self.actions.apply(value.unwrap_or_default(), out),
        );
        let Some(changed) = changed else {
            return Ok(vec![batch]);
        };
        let changed: ArrayRef = Arc::new(changed);
        Ok(vec![batch.with_columns([(column, changed)])])
    }
}

#[cfg(test)]
mod tests;
