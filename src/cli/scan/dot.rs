//! Draws the resources in the DOT language of Graphviz: `airdig scan -o dot | dot -Tsvg > account.svg`.

use std::collections::BTreeSet;
use std::fmt::Write;

use pipeline::label::short_id;

use super::resources::{ScannedResources, short_kind};

pub(super) fn text(resources: &ScannedResources<'_>) -> String {
    let mut text =
        "digraph aws {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
    for resource in resources.all.values() {
        let label = format!("{}\n{}", short_kind(resource.kind), resource.label());
        let _ = writeln!(
            text,
            "  {} [label={}];",
            quoted(resource.uid),
            quoted(&label)
        );
    }
    let unscanned = resources
        .edges()
        .map(|(_, _, to)| to)
        .filter(|to| resources.find(to).is_none());
    for to in unscanned.collect::<BTreeSet<_>>() {
        let _ = writeln!(
            text,
            "  {} [label={}, style=dashed];",
            quoted(to),
            quoted(&short_id(to))
        );
    }
    for (from, kind, to) in resources.edges() {
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

/// Quotes a string for DOT: a line break becomes `\n`.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}
