//! The YAML of `attributes`: the Collector's keys.

use schemars::JsonSchema;
use serde::Deserialize;

use super::matching::RowCondition;
use crate::attribute_actions::AttributeAction;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "AttributesDocument")]
pub struct Config {
    pub(super) actions: Vec<AttributeAction>,
    pub(super) include: Option<RowCondition>,
    pub(super) exclude: Option<RowCondition>,
}

/// Changes the attributes of spans, log records and data points.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AttributesDocument {
    /// The actions to apply, in order.
    actions: Vec<AttributeAction>,
    /// Only rows that match are changed.
    include: Option<RowCondition>,
    /// Rows that match are not changed, even if they match `include`.
    exclude: Option<RowCondition>,
}

/// The configuration has no action.
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
