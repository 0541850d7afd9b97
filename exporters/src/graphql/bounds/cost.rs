//! The cost of a selection set with its fragments expanded.

use super::limits::{
    ALIASES, DIRECTIVES, INTROSPECTED, Rejection, SELECTIONS, SPREADS, VALUES, bound,
};

/// Counts that bound the time and memory of validating and executing a selection set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Fields, spreads and inline fragments.
    pub(super) selections: u64,
    pub(super) spreads: u64,
    pub(super) directives: u64,
    pub(super) aliases: u64,
    /// The size of arguments, with variables substituted.
    pub(super) values: u64,
    /// The approximate number of fields in the response to an introspection.
    pub(super) introspected: u64,
    /// Fields that are merged into one object, plus their arguments.
    pub(super) merged: u64,
    /// Levels of nested fields, leaves included.
    pub(super) depth: u64,
    /// Levels of selection sets below the outermost one.
    pub(super) nesting: u64,
}

impl Cost {
    /// Adds the cost of a sibling selection.
    pub(super) fn add(&mut self, other: Cost) {
        let sum = u64::saturating_add;
        *self = Cost {
            selections: sum(self.selections, other.selections),
            spreads: sum(self.spreads, other.spreads),
            directives: sum(self.directives, other.directives),
            aliases: sum(self.aliases, other.aliases),
            values: sum(self.values, other.values),
            introspected: sum(self.introspected, other.introspected),
            merged: sum(self.merged, other.merged),
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
        };
    }

    /// The cost with one more level of selection sets around it.
    pub(super) fn nested(self) -> Cost {
        Cost {
            nesting: self.nesting + 1,
            ..self
        }
    }

    /// Checks all counts except `merged` and `nesting`.
    ///
    /// # Errors
    /// If a count exceeds its limit.
    pub(super) fn check(&self, max_depth: u64) -> Result<(), Rejection> {
        let selections = "selections with its fragments expanded";
        bound(selections, self.selections, SELECTIONS)?;
        let spreads = "fragment spreads with its fragments expanded";
        bound(spreads, self.spreads, SPREADS)?;
        let directives = "directives with its fragments expanded";
        bound(directives, self.directives, DIRECTIVES)?;
        let aliases = "aliases with its fragments expanded";
        bound(aliases, self.aliases, ALIASES)?;
        let values =
            "values in arguments with its fragments expanded and its variables substituted";
        bound(values, self.values, VALUES)?;
        let depth = "levels of nested fields (max_depth)";
        bound(depth, self.depth, max_depth)?;
        let introspected = "fields in the response to its introspection";
        bound(introspected, self.introspected, INTROSPECTED)
    }
}
