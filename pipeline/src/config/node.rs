//! A YAML node.

/// placeholder: replaced by the config work
#[derive(Clone, Debug, Default)]
pub struct Node;

#[derive(Debug, thiserror::Error)]
#[error("placeholder")]
pub struct DecodeError;

impl Node {
    pub fn decode<T: serde::de::DeserializeOwned>(&self) -> Result<T, DecodeError> {
        Err(DecodeError)
    }
}
