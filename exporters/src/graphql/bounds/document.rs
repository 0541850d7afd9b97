//! Computes the cost of all operations of a document with their fragments expanded.
//!
//! Each definition is visited once: the first spread of a fragment computes the cost of the fragment, and every other
//! spread adds the same cost. So the time is linear in the length of the text, not in the size of the expansion.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet,
};

use super::cost::Cost;
use super::limits::{COMPARISONS, NESTING, Rejection, bound};
use super::values::VariableSizes;

/// Checks the cost of all operations of a document.
///
/// # Errors
/// If a fragment spreads itself, the operations cost too much, or validation would compare too many fields.
pub(super) fn check(
    document: &ExecutableDocument,
    variables: &VariableSizes<'_>,
    max_depth: u64,
) -> Result<(), Rejection> {
    let mut meter = DocumentMeter {
        document,
        variables,
        fragments: HashMap::with_capacity(document.fragments.len()),
        comparisons: 0,
    };
    let mut total = Cost::default();
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        for variable in &operation.variable_definitions {
            total.add(meter.directives(&variable.node.directives)?);
        }
        total.add(meter.directives(&operation.directives)?);
        total.add(meter.selection_set(&operation.selection_set, 0, false)?);
    }
    // Validation also visits fragments that no operation spreads.
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    fragments.sort_by_key(|(_, fragment)| fragment.pos);
    for (name, fragment) in fragments {
        meter.fragment(name, fragment, 0)?;
    }
    total.check(max_depth)?;
    let what = "comparisons of fields that may have the same name";
    bound(what, meter.comparisons, COMPARISONS)
}

/// The state of the computation for one fragment.
#[derive(Clone, Copy)]
enum Progress {
    /// The fragment is being visited.
    Open,
    Measured(Cost),
}

struct DocumentMeter<'d> {
    document: &'d ExecutableDocument,
    variables: &'d VariableSizes<'d>,
    fragments: HashMap<&'d str, Progress>,
    comparisons: u64,
}

impl<'d> DocumentMeter<'d> {
    /// `open` is the number of enclosing selection sets. `introspects`: whether the set is inside an introspection,
    /// where the mean lengths of lists count, too.
    fn selection_set(
        &mut self,
        set: &'d Positioned<SelectionSet>,
        open: u64,
        introspects: bool,
    ) -> Result<Cost, Rejection> {
        // Also bounds the recursion of this function.
        bound("levels of nested selections", open, NESTING)?;
        let mut cost = Cost::default();
        for selection in &set.node.items {
            cost.selections = cost.selections.saturating_add(1);
            cost.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, open, introspects)?,
                Selection::FragmentSpread(spread) => {
                    let mut spread_cost = self.directives(&spread.node.directives)?;
                    spread_cost.spreads += 1;
                    let name = &spread.node.fragment_name.node;
                    // Validation reports an undefined fragment.
                    if let Some((name, fragment)) = self.document.fragments.get_key_value(name) {
                        spread_cost.add(self.fragment(name, fragment, open + 1)?.nested());
                    }
                    spread_cost
                }
                Selection::InlineFragment(inline) => {
                    let inline = &inline.node;
                    let condition = inline.type_condition.as_ref();
                    let introspects = introspects
                        || condition.is_some_and(|on| is_introspection(&on.node.on.node));
                    let mut inline_cost = self.directives(&inline.directives)?;
                    let nested =
                        self.selection_set(&inline.selection_set, open + 1, introspects)?;
                    inline_cost.add(nested.nested());
                    inline_cost
                }
            });
        }
        self.comparisons = self.comparisons.saturating_add(cost.merged);
        Ok(cost)
    }

    fn field(&mut self, field: &'d Field, open: u64, introspects: bool) -> Result<Cost, Rejection> {
        let arguments = self.variables.of_arguments(&field.arguments)?;
        let introspects = introspects || is_introspection(&field.name.node);
        let mut nested = Cost::default();
        if !field.selection_set.node.items.is_empty() {
            nested = self.selection_set(&field.selection_set, open + 1, introspects)?;
            nested.nesting += 1;
        }
        let mut cost = self.directives(&field.directives)?;
        cost.aliases += u64::from(field.alias.is_some());
        cost.values = cost.values.saturating_add(arguments.substituted);
        let items = introspected_items(&field.name.node);
        let introspected = match introspects {
            true => nested.introspected.saturating_mul(items).saturating_add(1),
            false => nested.introspected,
        };
        cost.add(Cost {
            depth: nested.depth + 1,
            // Nested fields are not merged with the siblings of this field.
            merged: 1 + arguments.written,
            introspected,
            ..nested
        });
        Ok(cost)
    }

    fn fragment(
        &mut self,
        name: &'d str,
        fragment: &'d Positioned<FragmentDefinition>,
        open: u64,
    ) -> Result<Cost, Rejection> {
        match self.fragments.get(name) {
            Some(Progress::Measured(cost)) => {
                let deepest = open + cost.nesting;
                bound("levels of nested selections", deepest, NESTING)?;
                return Ok(*cost);
            }
            Some(Progress::Open) => return Err(Rejection::Cycle(name.to_owned())),
            None => {}
        }
        self.fragments.insert(name, Progress::Open);
        let fragment = &fragment.node;
        let introspects = is_introspection(&fragment.type_condition.node.on.node);
        let mut cost = self.directives(&fragment.directives)?;
        cost.add(self.selection_set(&fragment.selection_set, open, introspects)?);
        self.fragments.insert(name, Progress::Measured(cost));
        Ok(cost)
    }

    fn directives(&self, directives: &'d [Positioned<Directive>]) -> Result<Cost, Rejection> {
        let mut cost = Cost::default();
        for directive in directives {
            let arguments = self.variables.of_arguments(&directive.node.arguments)?;
            cost.directives += 1;
            cost.values = cost.values.saturating_add(arguments.substituted);
        }
        Ok(cost)
    }
}

/// Whether `name` is a field or type of introspection, such as `__schema` or `__Type`.
fn is_introspection(name: &str) -> bool {
    name.starts_with("__")
}

/// The mean length of the list that a field of `__Schema`, `__Type`, `__Field` or `__Directive` returns for this
/// schema, rounded up; 1 for a field that returns no list.
pub(crate) fn introspected_items(field: &str) -> u64 {
    match field {
        "types" => 60,
        "fields" => 5,
        "directives" => 6,
        // The mean is at most 1: `args`, `enumValues`, `inputFields`, `interfaces`, `possibleTypes`.
        _ => 1,
    }
}
