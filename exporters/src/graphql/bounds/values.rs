//! Computes the size of arguments. Validation and resolvers copy an argument at each use, together with the values of
//! its variables.
//!
//! The size is one for each scalar, list, object and object key, plus one for every 64 bytes of a string.

use std::collections::HashMap;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::{ConstValue, Value};

use super::limits::{ARGUMENTS, BRACKETS, Rejection, VALUES, VARIABLES, bound};

/// The sizes of all arguments of one field or directive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ArgumentSizes {
    /// As written: a variable counts one.
    pub(super) written: u64,
    /// With variables substituted.
    pub(super) substituted: u64,
}

/// The size of each variable: the larger of the sizes of its value and of its default.
pub(super) struct VariableSizes<'d>(HashMap<&'d str, u64>);

impl<'d> VariableSizes<'d> {
    /// Measures the variables of a request.
    ///
    /// # Errors
    /// If there are too many variables, or they are too large or nested too deep.
    pub(super) fn measure(
        document: &'d ExecutableDocument,
        variables: &'d Variables,
    ) -> Result<VariableSizes<'d>, Rejection> {
        let deepest = variables.values().map(nesting).max().unwrap_or_default();
        let what = "levels of nested lists and objects in its variables";
        bound(what, deepest, BRACKETS)?;
        let sent = variables.iter();
        let mut sizes: HashMap<&str, u64> = sent
            .map(|(name, value)| (name.as_str(), size(value)))
            .collect();
        bound("values in its variables", sizes.values().sum(), VALUES)?;
        for (_, operation) in document.operations.iter() {
            let definitions = &operation.node.variable_definitions;
            bound(
                "variables in one operation",
                definitions.len() as u64,
                VARIABLES,
            )?;
            for definition in definitions {
                let default = definition.node.default_value.as_ref();
                let default = default.map_or(0, |value| size(&value.node));
                let largest = sizes.entry(&definition.node.name.node).or_default();
                *largest = default.max(*largest);
            }
        }
        Ok(VariableSizes(sizes))
    }

    /// Measures the arguments of one field or directive.
    ///
    /// # Errors
    /// If there are too many arguments.
    pub(super) fn of_arguments(
        &self,
        arguments: &[(Positioned<Name>, Positioned<Value>)],
    ) -> Result<ArgumentSizes, Rejection> {
        bound(
            "arguments of one field or directive",
            arguments.len() as u64,
            ARGUMENTS,
        )?;
        let mut sizes = ArgumentSizes::default();
        for (_, value) in arguments {
            sizes.written += 1;
            sizes.substituted = sizes.substituted.saturating_add(1);
            self.add(&value.node, &mut sizes);
        }
        Ok(sizes)
    }

    fn add(&self, value: &Value, sizes: &mut ArgumentSizes) {
        let (mut written, mut variable) = (1, 0);
        match value {
            Value::Variable(name) => variable = self.0.get(name.as_str()).copied().unwrap_or(0),
            Value::String(text) => written += text.len() as u64 / 64,
            Value::List(values) => values.iter().for_each(|value| self.add(value, sizes)),
            Value::Object(object) => {
                written += object.len() as u64;
                object.values().for_each(|value| self.add(value, sizes));
            }
            _ => {}
        }
        sizes.written += written;
        sizes.substituted = sizes.substituted.saturating_add(written + variable);
    }
}

fn size(value: &ConstValue) -> u64 {
    1 + match value {
        ConstValue::String(text) => text.len() as u64 / 64,
        ConstValue::List(values) => values.iter().map(size).sum(),
        ConstValue::Object(object) => object.values().map(|value| 1 + size(value)).sum(),
        _ => 0,
    }
}

/// Levels of nested lists and objects. The recursion is bounded, since JSON nested deeper than 128 is not parsed.
fn nesting(value: &ConstValue) -> u64 {
    match value {
        ConstValue::List(values) => 1 + values.iter().map(nesting).max().unwrap_or(0),
        ConstValue::Object(object) => 1 + object.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}
