//! Draws the resources as a Mermaid flowchart, which Git forges render in Markdown.

use std::collections::HashMap;
use std::fmt::Write;

use pipeline::label::short_id;

use super::resources::{ScannedResources, short_kind};

pub(super) fn text(resources: &ScannedResources<'_>) -> String {
    let mut text = "flowchart LR\n".to_owned();
    // Mermaid ids allow few characters, so nodes are numbered.
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for resource in resources.all.values() {
        let number = numbers.len();
        numbers.insert(resource.uid, number);
        let (kind, label) = (short_kind(resource.kind), escaped(&resource.label()));
        let _ = writeln!(text, "  n{number}[\"{kind}<br/>{label}\"]");
    }
    let mut edges = String::new();
    for (from, kind, to) in resources.edges() {
        let next = numbers.len();
        let number = *numbers.entry(to).or_insert(next);
        if number == next {
            let _ = writeln!(text, "  n{number}([\"{}\"])", escaped(&short_id(to)));
        }
        let _ = writeln!(edges, "  n{} -->|{kind}| n{number}", numbers[from.uid]);
    }
    text + &edges
}

/// Replaces characters that are special within quotes by Mermaid's entity codes.
fn escaped(label: &str) -> String {
    label
        .replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}
