//! The YAML of `resource`: the Collector's keys.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::attribute_actions::AttributeAction;

/// The checked configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "ResourceDocument")]
pub struct Config {
    pub(super) attributes: Vec<AttributeAction>,
}

/// Changes the attributes of resources.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ResourceDocument {
    /// The actions to apply, in order.
    attributes: Vec<AttributeAction>,
}

/// The configuration has no action.
#[derive(Debug, thiserror::Error)]
#[error("missing required field \"attributes\": give at least one action")]
struct EmptyResourceActions;

impl TryFrom<ResourceDocument> for Config {
    type Error = EmptyResourceActions;

    fn try_from(document: ResourceDocument) -> Result<Config, EmptyResourceActions> {
        if document.attributes.is_empty() {
            return Err(EmptyResourceActions);
        }
        Ok(Config {
            attributes: document.attributes,
        })
    }
}
