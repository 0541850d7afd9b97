//! Measures what the operations of a document select with their fragments expanded.
//!
//! Each definition is visited once: a fragment is measured at its first spread, and each further spread adds
//! its cost. So the time is linear in the text, however large the expansion is.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet,
};

use super::cost::Cost;
use super::introspection;
use super::limits::{COMPARISONS, NESTING, Rejection, bound};
use super::values::VariableSizes;

/// # Errors
/// When a fragment spreads itself, the operations cost too much, or validation would compare too many fields.
pub(super) fn check(
    document: &ExecutableDocument,
    variables: &VariableSizes<'_>,
    max_depth: u64,
) -> Result<(), Rejection> {
    let mut measuring = Measuring {
        document,
        variables,
        fragments: HashMap::with_capacity(document.fragments.len()),
        comparisons: 0,
    };
    let mut total = Cost::default();
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        for variable in &operation.variable_definitions {
            total.add(measuring.directives(&variable.node.directives)?);
        }
        total.add(measuring.directives(&operation.directives)?);
        total.add(measuring.selection_set(&operation.selection_set, 0, false)?);
    }
    // Validation also visits the fragments that no operation spreads.
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    fragments.sort_by_key(|(_, fragment)| fragment.pos);
    for (name, fragment) in fragments {
        measuring.fragment(name, fragment, 0)?;
    }
    total.check(max_depth)?;
    let what = "comparisons of fields that may have the same name";
    bound(what, measuring.comparisons, COMPARISONS)
}

/// What is known of a fragment.
#[derive(Clone, Copy)]
enum Progress {
    /// A selection set of it is being visited.
    Open,
    Measured(Cost),
}

struct Measuring<'d> {
    document: &'d ExecutableDocument,
    variables: &'d VariableSizes<'d>,
    fragments: HashMap<&'d str, Progress>,
    comparisons: u64,
}

impl<'d> Measuring<'d> {
    /// `open` are the selection sets around this one. Within an introspection, the items of lists count too.
    fn selection_set(
        &mut self,
        set: &'d Positioned<SelectionSet>,
        open: u64,
        introspects: bool,
    ) -> Result<Cost, Rejection> {
        // Ends the recursion too.
        bound("selections inside each other", open, NESTING)?;
        let mut cost = Cost::default();
        for selection in &set.node.items {
            cost.selections = cost.selections.saturating_add(1);
            cost.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, open, introspects)?,
                Selection::FragmentSpread(spread) => {
                    let mut spread_cost = self.directives(&spread.node.directives)?;
                    spread_cost.spreads += 1;
                    let name = &spread.node.fragment_name.node;
                    // Validation reports a fragment that is not defined.
                    if let Some((name, fragment)) = self.document.fragments.get_key_value(name) {
                        spread_cost.add(self.fragment(name, fragment, open + 1)?.nested());
                    }
                    spread_cost
                }
                Selection::InlineFragment(inline) => {
                    let inline = &inline.node;
                    let condition = inline.type_condition.as_ref();
                    let introspects = introspects
                        || condition.is_some_and(|on| is_of_introspection(&on.node.on.node));
                    let mut inline_cost = self.directives(&inline.directives)?;
                    let inside =
                        self.selection_set(&inline.selection_set, open + 1, introspects)?;
                    inline_cost.add(inside.nested());
                    inline_cost
                }
            });
        }
        self.comparisons = self.comparisons.saturating_add(cost.merged);
        Ok(cost)
    }

    fn field(&mut self, field: &'d Field, open: u64, introspects: bool) -> Result<Cost, Rejection> {
        let arguments = self.variables.of_arguments(&field.arguments)?;
        let introspects = introspects || is_of_introspection(&field.name.node);
        let mut below = Cost::default();
        if !field.selection_set.node.items.is_empty() {
            below = self.selection_set(&field.selection_set, open + 1, introspects)?;
            below.nesting += 1;
        }
        let mut cost = self.directives(&field.directives)?;
        cost.aliases += u64::from(field.alias.is_some());
        cost.values = cost.values.saturating_add(arguments.substituted);
        let items = introspection::items(&field.name.node);
        let introspected = match introspects {
            true => below.introspected.saturating_mul(items).saturating_add(1),
            false => below.introspected,
        };
        cost.add(Cost {
            depth: below.depth + 1,
            // The fields below are not merged with those beside this one.
            merged: 1 + arguments.written,
            introspected,
            ..below
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
                bound("selections inside each other", deepest, NESTING)?;
                return Ok(*cost);
            }
            Some(Progress::Open) => return Err(Rejection::Cycle(name.to_owned())),
            None => {}
        }
        self.fragments.insert(name, Progress::Open);
        let fragment = &fragment.node;
        let introspects = is_of_introspection(&fragment.type_condition.node.on.node);
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

/// Whether this is a field or a type of introspection: `__schema`, `__Type`.
fn is_of_introspection(name: &str) -> bool {
    name.starts_with("__")
}
