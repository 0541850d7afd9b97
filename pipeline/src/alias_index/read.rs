//! What batches of `aliases` tell.

use std::collections::HashMap;

use super::writer::Writer;
use crate::facts::{Alias, Told, group};

impl Writer<'_> {
    /// All that a batch of `aliases` tells.
    pub fn absorb(&mut self, told: &Told<'_>) {
        let mut sets: HashMap<_, Vec<_>> = HashMap::new();
        for alias in &told.aliases {
            let scope = Some(alias.scope.as_ref()).filter(|scope| !scope.is_empty());
            let name = (alias.kind.as_ref(), alias.value.as_ref(), scope);
            if alias.set == 0 {
                let from = alias.valid_from.unwrap_or(alias.first_seen);
                self.see(&alias.uid, name, from, alias.valid_to);
                continue;
            }
            sets.entry(key(alias)).or_default().push(name);
        }
        for fact in told
            .facts
            .iter()
            .filter(|fact| fact.group == group::ALIASES)
        {
            let names = sets.get(&(fact.uid.as_ref(), fact.source.as_ref(), fact.hash));
            let names = names.into_iter().flatten().copied();
            self.tell(&fact.uid, &fact.source, fact.first_seen, names);
        }
    }
}

fn key<'t>(alias: &'t Alias<'_>) -> (&'t str, &'t str, u64) {
    (&alias.uid, &alias.source, alias.set)
}
