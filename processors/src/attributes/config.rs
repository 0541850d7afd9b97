//! The YAML of `attributes`: the Collector's keys.

use schemars::JsonSchema;
use serde::Deserialize;

use super::matching::Condition;
use crate::attribute_actions::Action;

/// What is done to the attributes of rows, and of which.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Document")]
pub struct Config {
    pub(super) actions: Vec<Action>,
    pub(super) include: Option<Condition>,
    pub(super) exclude: Option<Condition>,
}

/// The same as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// Actions, in their order.
    actions: Vec<Action>,
    /// Only rows that match are changed.
    include: Option<Condition>,
    /// Rows that match are not changed, also where `include` matches.
    exclude: Option<Condition>,
}

#[derive(Debug, thiserror::Error)]
#[error("actions is empty: nothing would be done")]
struct NoAction;

impl TryFrom<Document> for Config {
    type Error = NoAction;

    fn try_from(document: Document) -> Result<Config, NoAction> {
        if document.actions.is_empty() {
            return Err(NoAction);
        }
        Ok(Config {
            actions: document.actions,
            include: document.include,
            exclude: document.exclude,
        })
    }
}
