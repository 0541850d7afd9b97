//! A flowchart for Mermaid, which Git forges draw within Markdown.

use std::collections::HashMap;
use std::fmt::Write;

use pipeline::label::short_id;

use super::things::{Things, short};

pub(super) fn text(things: &Things<'_>) -> String {
    let mut text = "flowchart LR\n".to_owned();
    // Ids may have few letters: numbers name the nodes.
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    for thing in things.all.values() {
        let number = numbers.len();
        numbers.insert(thing.uid, number);
        let (kind, label) = (short(thing.kind), escaped(&thing.label()));
        let _ = writeln!(text, "  n{number}[\"{kind}<br/>{label}\"]");
    }
    let mut edges = String::new();
    for (from, kind, to) in things.edges() {
        let next = numbers.len();
        let number = *numbers.entry(to).or_insert(next);
        if number == next {
            let _ = writeln!(text, "  n{number}([\"{}\"])", escaped(&short_id(to)));
        }
        let _ = writeln!(edges, "  n{} -->|{kind}| n{number}", numbers[from.uid]);
    }
    text + &edges
}

/// With Mermaid's entity codes for what has a meaning within quotes.
fn escaped(label: &str) -> String {
    label
        .replace('#', "#35;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;")
}
