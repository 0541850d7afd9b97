//! The YAML of `attributes`: the Collector's keys.

use schemars::JsonSchema;
use serde::Deserialize;

use super::matching::Condition;
use crate::attribute_actions::Action;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "AttributesDocument")]
pub struct Config {
    pub(super) actions: Vec<Action>,
    pub(super) include: Option<Condition>,
    pub(super) exclude: Option<Condition>,
}

/// Changes the attributes of spans, log records and data points.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AttributesDocument {
    /// The actions to apply, in order.
    actions: Vec<Action>,
    /// Only rows that match are changed.
    include: Option<Condition>,
    /// Rows that match are not changed, even if they match `include`.
    exclude: Option<Condition>,
}

#[derive(Debug, thiserror::Error)]
#[error("missing required field \"actions\": give at least one action")]
struct EmptyActions;

impl TryFrom<AttributesDocument> for Config {
    type Error = EmptyActions;

    fn try_from(document: AttributesDocument) -> Result<Config, EmptyActions> {
        if document.actions.is_empty() {
            return Err(EmptyActions);
        }
        Ok(Config {
            actions: document.actions,
            include: document.include,
            exclude: document.exclude,
        })
    }
}
