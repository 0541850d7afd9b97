//! YAML text into a tree, from saphyr's events with their marks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::expand::expand;
use super::load::Loading;
use super::node::{Entry, Node, Scalar, Value};
use super::place::{Place, Problem, Source};

/// Nodes in one document with its aliases expanded: a file of a few lines can ask for billions.
const MAX_NODES: usize = 100_000;
/// Levels of nesting, so that walking a tree never exhausts the stack.
const MAX_DEPTH: usize = 100;

/// Parses one document. Problems after which parsing can go on are added to `loading.problems`.
pub(crate) fn parse(name: &str, text: &str, loading: &mut Loading<'_>) -> Result<Node, Problem> {
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    parse_at(&source, text, 0, loading)
}

/// Parses what stands in the first line of a source after `shift` characters.
pub(crate) fn parse_at(
    source: &Arc<Source>,
    text: &str,
    shift: usize,
    loading: &mut Loading<'_>,
) -> Result<Node, Problem> {
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        source: source.clone(),
        shift,
        anchors: HashMap::new(),
        nodes: 0,
        loading,
    };
    builder.document()
}

/// A finished anchor.
struct Anchor {
    node: Node,
    nodes: usize,
    height: usize,
}

/// A node and how many levels it has.
type Built = (Node, usize);

struct Builder<'a, 'l, 'e> {
    parser: Parser<'a, StrInput<'a>>,
    source: Arc<Source>,
    shift: usize,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    loading: &'l mut Loading<'e>,
}

impl<'a> Builder<'a, '_, '_> {
    fn document(&mut self) -> Result<Node, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) => {
                    if root.is_some() {
                        return Err(self.problem(span.start, "a second document in one file"));
                    }
                }
                event => root = Some(self.node(event, span, 0)?.0),
            }
        }
        Ok(root.unwrap_or_else(|| Node {
            place: self.place(Marker::new(0, 1, 0)),
            value: Value::Map(Vec::new()),
        }))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Built, Problem> {
        let place = self.place(span.start);
        self.count(1, &place)?;
        if depth >= MAX_DEPTH {
            return Err(too_deep(&place));
        }
        let before = self.nodes;
        let (anchor, value, height) = match event {
            Event::Alias(anchor) => return self.alias(anchor, &place, depth),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !self.is_text(tag.as_deref(), &place);
                (anchor, self.scalar(&text, plain, &place), 1)
            }
            Event::SequenceStart(anchor, tag) => {
                self.is_text(tag.as_deref(), &place);
                let (items, height) = self.list(depth)?;
                (anchor, Value::List(items), height + 1)
            }
            Event::MappingStart(anchor, tag) => {
                self.is_text(tag.as_deref(), &place);
                let (entries, height) = self.map(depth)?;
                (anchor, Value::Map(entries), height + 1)
            }
            _ => return Err(Problem::new(&place, "a value was expected here")),
        };
        let node = Node { place, value };
        if anchor != 0 {
            let nodes = self.nodes - before + 1;
            let kept = Anchor {
                node: node.clone(),
                nodes,
                height,
            };
            self.anchors.insert(anchor, kept);
        }
        Ok((node, height))
    }

    fn alias(&mut self, id: usize, place: &Place, depth: usize) -> Result<Built, Problem> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(Problem::new(place, "an alias within its own anchor"));
        };
        let (nodes, height) = (anchor.nodes, anchor.height);
        if depth + height > MAX_DEPTH {
            return Err(too_deep(place));
        }
        // Counted before it is copied.
        self.count(nodes, place)?;
        match self.anchors.get(&id) {
            Some(anchor) => Ok((anchor.node.clone(), height)),
            None => Err(Problem::new(place, "an unknown alias")),
        }
    }

    fn scalar(&mut self, written: &str, plain: bool, place: &Place) -> Value {
        match expand(written, &*self.loading.environment) {
            Ok(expanded) => Value::Scalar(Scalar {
                // Braces need quotes within a flow map, so quotes do not make `"${env:PORT}"` text.
                plain: plain || (expanded.from_environment && expanded.whole),
                written: expanded.from_environment.then(|| written.into()),
                text: expanded.text.into(),
            }),
            Err(error) => {
                let problem = Problem::new(place, error.to_string());
                self.loading.problems.push(problem);
                Value::Unknown
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize), Problem> {
        let mut items = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok((items, height));
            }
            let (item, below) = self.node(event, span, depth + 1)?;
            height = height.max(below);
            items.push(item);
        }
    }

    fn map(&mut self, depth: usize) -> Result<(Vec<Entry>, usize), Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = HashSet::new();
        let mut merged = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            let place = self.place(span.start);
            let (key, style) = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, style, ..) => (key, style),
                _ => return Err(Problem::new(&place, "a key must be text")),
            };
            let (event, span) = self.next()?;
            let (mut value, below) = self.node(event, span, depth + 1)?;
            height = height.max(below);
            if value.is_null() {
                // The mark of a value that is not there is wherever the next token is.
                value.place = place.clone();
            }
            if key == "<<" && style == ScalarStyle::Plain {
                merged.push(value);
            } else if keys.insert(key.to_string()) {
                entries.push(Entry {
                    key: key.into(),
                    place,
                    value,
                });
            } else {
                let message = format!("duplicate key {key:?}");
                self.loading.problems.push(Problem::new(&place, message));
            }
        }
        for value in merged {
            self.merge_into(&mut entries, &mut keys, value);
        }
        Ok((entries, height))
    }

    /// `<<: *base`, or a list of such: keys that are in the map already stay.
    fn merge_into(&mut self, entries: &mut Vec<Entry>, keys: &mut HashSet<String>, from: Node) {
        let place = from.place;
        match from.value {
            Value::Map(more) => {
                for entry in more {
                    if keys.insert(entry.key.to_string()) {
                        entries.push(entry);
                    }
                }
            }
            Value::List(bases) if bases.iter().all(|base| matches!(base.value, Value::Map(_))) => {
                for base in bases {
                    self.merge_into(entries, keys, base);
                }
            }
            _ => {
                let problem = Problem::new(&place, "\"<<\" takes a map or a list of maps");
                self.loading.problems.push(problem);
            }
        }
    }

    /// Whether a tag makes a scalar text. Tags that are not YAML's own are reported.
    fn is_text(&mut self, tag: Option<&Tag>, place: &Place) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() && !tag.suffix.is_empty() {
            let problem = Problem::new(place, format!("unsupported YAML tag {tag}"));
            self.loading.problems.push(problem);
        }
        tag.suffix == "str" || tag.suffix.is_empty()
    }

    fn count(&mut self, nodes: usize, place: &Place) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("more than {MAX_NODES} values, aliases included");
        Err(Problem::new(place, message))
    }

    fn place(&self, marker: Marker) -> Place {
        let shift = if marker.line() <= 1 { self.shift } else { 0 };
        Place {
            source: self.source.clone(),
            line: marker.line().max(1),
            column: marker.col() + 1 + shift,
        }
    }

    fn problem(&self, marker: Marker, message: &str) -> Problem {
        Problem::new(&self.place(marker), message)
    }

    fn syntax_error(&self, error: &ScanError) -> Problem {
        let mut problem = self.problem(*error.marker(), error.info());
        let lines = self.source.text.lines().count().max(1);
        if problem.place.line > lines {
            // Behind the last line there is nothing to show.
            problem.place.line = lines;
            problem.place.column = problem.place.text().chars().count() + 1;
        }
        problem
    }
}

fn too_deep(place: &Place) -> Problem {
    Problem::new(place, format!("more than {MAX_DEPTH} levels of nesting"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use crate::config::{Node, Place};

    fn place_of(node: &Node) -> (usize, usize) {
        (node.place().line(), node.place().column())
    }

    fn wrong(text: &str) -> (Place, String) {
        let problem = Node::from_yaml(text).unwrap_err();
        (problem.place, problem.message)
    }

    #[test]
    fn every_node_knows_its_place() {
        let root = Node::from_yaml("a:\n  b: [1, two]\n  c:\nd: x\n").unwrap();
        let list = root.get("a").unwrap().get("b").unwrap();
        assert_eq!(place_of(list), (2, 6));
        assert_eq!(place_of(&list.items()[1]), (2, 10));
        assert_eq!(place_of(root.get("a").unwrap().get("c").unwrap()), (3, 3));
        assert_eq!(root.keys().collect::<Vec<_>>(), ["a", "d"]);
    }

    #[test]
    fn anchors_aliases_and_merge_keys_work() {
        let text = "base: &base {a: 1, b: 2}\nmore: &more {c: 4}\nx: *base\n\
                    y: {<<: [*base, *more], b: 3}\n";
        let root = Node::from_yaml(text).unwrap();
        assert_eq!(root.get("x").unwrap().get("a").unwrap().text(), Some("1"));
        let merged = root.get("y").unwrap();
        assert_eq!(merged.keys().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(merged.get("b").unwrap().text(), Some("3"));
    }

    #[test]
    fn billion_laughs_are_rejected() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{},", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{below}]\n");
        }
        assert!(wrong(&text).1.contains("more than 100000 values"));
    }

    #[test]
    fn deep_nesting_is_rejected_also_through_aliases() {
        let flow = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(wrong(&flow(150)).1.contains("levels of nesting"));
        assert!(Node::from_yaml(&flow(50_000)).is_err());
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..200 {
            text += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
        }
        assert!(wrong(&text).1.contains("levels of nesting"));
    }

    #[test]
    fn yaml_errors_have_a_place() {
        let (place, message) = wrong("a: 1\nb: 2\na: 3\n");
        assert_eq!((place.line(), place.column()), (3, 1));
        assert_eq!(message, "duplicate key \"a\"");
        let (place, _) = wrong("a: 1\nb: [1, 2\nc: }\n");
        assert!(place.line() >= 2, "{place}");
        assert_eq!(wrong("a: &a [*a]").1, "an alias within its own anchor");
        assert_eq!(wrong("a: 1\n---\nb: 2\n").0.line(), 2);
        assert_eq!(wrong("? [a]\n: b\n").1, "a key must be text");
        assert!(Node::from_yaml("a: *unknown").is_err());
    }

    #[test]
    fn an_empty_document_is_an_empty_map() {
        for text in ["", "# nothing\n", "---\n"] {
            let root = Node::from_yaml(text).unwrap();
            assert_eq!(root.keys().count(), 0, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
            let _ = Node::from_yaml(&text);
        }

        #[test]
        fn no_text_that_looks_like_yaml_makes_the_parser_panic(
            text in r#"([-:?,\[\]{}&*!|>'"%@`#~<$ \t\r\n\x00]|a|<<|\$\{|---|\.\.\.|\n {1,3}){0,40}"#
        ) {
            if let Ok(node) = Node::from_yaml(&text) {
                let _ = node.decode::<serde_json::Value>();
            }
        }
    }
}
