//! A graph for Graphviz (its DOT language): `airdig scan -o dot | dot -Tsvg > account.svg`.

use std::collections::BTreeSet;
use std::fmt::Write;

use pipeline::label::short_id;

use super::things::{Things, short};

pub(super) fn text(things: &Things<'_>) -> String {
    let mut text =
        "digraph aws {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
    for thing in things.all.values() {
        let label = format!("{}\n{}", short(thing.kind), thing.label());
        let _ = writeln!(text, "  {} [label={}];", quoted(thing.uid), quoted(&label));
    }
    let ends = things
        .edges()
        .map(|(_, _, to)| to)
        .filter(|to| things.find(to).is_none());
    for to in ends.collect::<BTreeSet<_>>() {
        let _ = writeln!(
            text,
            "  {} [label={}, style=dashed];",
            quoted(to),
            quoted(&short_id(to))
        );
    }
    for (from, kind, to) in things.edges() {
        let _ = writeln!(
            text,
            "  {} -> {} [label={}];",
            quoted(from.uid),
            quoted(to),
            quoted(kind)
        );
    }
    text.push_str("}\n");
    text
}

/// A quoted string, in which a line break is `\n`.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}
