//! The YAML of `resource`: the Collector's keys.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::attribute_actions::Action;

/// What is done to the attributes of resources.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Document")]
pub struct Config {
    pub(super) attributes: Vec<Action>,
}

/// The same as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// Actions, in their order.
    attributes: Vec<Action>,
}

#[derive(Debug, thiserror::Error)]
#[error("attributes has no action: nothing would be done")]
struct NoAction;

impl TryFrom<Document> for Config {
    type Error = NoAction;

    fn try_from(document: Document) -> Result<Config, NoAction> {
        if document.attributes.is_empty() {
            return Err(NoAction);
        }
        Ok(Config {
            attributes: document.attributes,
        })
    }
}
