//! Converts YAML text to a tree, from saphyr's events with their positions.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::expand::{LoadContext, expand};
use super::node::{MapEntry, Scalar, Value, YamlNode};
use super::position::{Problem, Source, SourcePosition};

/// The limit of nodes in one document, with all aliases expanded: a few lines can expand to billions of nodes.
const MAX_NODES: usize = 100_000;
/// The limit of nesting levels, so that a recursive walk never exhausts the stack.
const MAX_DEPTH: usize = 100;

impl YamlNode {
    /// Parses the text of a file named `test.yaml`, with the environment of the process.
    ///
    /// # Errors
    /// The first problem.
    pub fn from_yaml(text: &str) -> Result<YamlNode, Problem> {
        let mut context = LoadContext::default();
        let node = parse("test.yaml", text, &mut context)?;
        match context.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(node),
        }
    }
}

/// Parses one document. Problems after which parsing can continue are added to `context.problems`.
pub(crate) fn parse(
    name: &str,
    text: &str,
    context: &mut LoadContext<'_>,
) -> Result<YamlNode, Problem> {
    let source = Arc::new(Source {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    parse_at(&source, text, 0, context)
}

/// Parses `text`, which is the part of the source that begins after `shift` characters of its first line.
pub(crate) fn parse_at(
    source: &Arc<Source>,
    text: &str,
    shift: usize,
    context: &mut LoadContext<'_>,
) -> Result<YamlNode, Problem> {
    let mut builder = TreeBuilder {
        parser: Parser::new_from_str(text),
        source: source.clone(),
        shift,
        anchors: HashMap::new(),
        nodes: 0,
        context,
    };
    builder.document()
}

/// A value with an anchor, to which aliases can refer.
struct Anchor {
    node: YamlNode,
    /// The number of nodes in the value.
    nodes: usize,
    /// The number of its levels.
    height: usize,
}

/// A node, and the number of its levels.
type NodeWithHeight = (YamlNode, usize);

/// Builds the tree of one document.
struct TreeBuilder<'a, 'l, 'e> {
    parser: Parser<'a, StrInput<'a>>,
    source: Arc<Source>,
    shift: usize,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    context: &'l mut LoadContext<'e>,
}

impl<'a> TreeBuilder<'a, '_, '_> {
    fn document(&mut self) -> Result<YamlNode, Problem> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
                Event::DocumentStart(_) => {
                    if root.is_some() {
                        let message =
                            "a file must contain one document, but a second one begins here";
                        return Err(self.problem(span.start, message));
                    }
                }
                event => root = Some(self.node(event, span, 0)?.0),
            }
        }
        Ok(root.unwrap_or_else(|| YamlNode {
            position: self.position(Marker::new(0, 1, 0)),
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

    fn node(
        &mut self,
        event: Event<'a>,
        span: Span,
        depth: usize,
    ) -> Result<NodeWithHeight, Problem> {
        let position = self.position(span.start);
        self.count(1, &position)?;
        if depth >= MAX_DEPTH {
            return Err(too_deep(&position));
        }
        let before = self.nodes;
        let (anchor, value, height) = match event {
            Event::Alias(anchor) => return self.alias(anchor, &position, depth),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !self.is_text(tag.as_deref(), &position);
                (anchor, self.scalar(&text, plain, &position), 1)
            }
            Event::SequenceStart(anchor, tag) => {
                self.is_text(tag.as_deref(), &position);
                let (items, height) = self.list(depth)?;
                (anchor, Value::List(items), height + 1)
            }
            Event::MappingStart(anchor, tag) => {
                self.is_text(tag.as_deref(), &position);
                let (entries, height) = self.map(depth)?;
                (anchor, Value::Map(entries), height + 1)
            }
            _ => return Err(Problem::new(&position, "expected a value here")),
        };
        let node = YamlNode { position, value };
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

    fn alias(
        &mut self,
        id: usize,
        position: &SourcePosition,
        depth: usize,
    ) -> Result<NodeWithHeight, Problem> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(Problem::new(
                position,
                "an alias refers to an anchor that contains it",
            ));
        };
        let (nodes, height) = (anchor.nodes, anchor.height);
        if depth + height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        // Counted before the copy, which would exhaust memory.
        self.count(nodes, position)?;
        match self.anchors.get(&id) {
            Some(anchor) => Ok((anchor.node.clone(), height)),
            None => Err(Problem::new(
                position,
                "an alias refers to an unknown anchor",
            )),
        }
    }

    fn scalar(&mut self, written: &str, plain: bool, position: &SourcePosition) -> Value {
        match expand(written, &*self.context.environment) {
            Ok(expanded) => Value::Scalar(Scalar {
                // In a flow map, braces need quotes. So a quoted `"${env:PORT}"` may be a number.
                plain: plain || (expanded.from_environment && expanded.is_one_reference),
                written: expanded.from_environment.then(|| written.into()),
                text: expanded.text.into(),
            }),
            Err(error) => {
                let problem = Problem::new(position, error.to_string());
                self.context.problems.push(problem);
                Value::Invalid
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<(Vec<YamlNode>, usize), Problem> {
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

    fn map(&mut self, depth: usize) -> Result<(Vec<MapEntry>, usize), Problem> {
        let mut entries: Vec<MapEntry> = Vec::new();
        let mut keys = HashSet::new();
        let mut merged = Vec::new();
        let mut height = 0;
        loop {
            let (event, span) = self.next()?;
            let position = self.position(span.start);
            let (key, style) = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, style, ..) => (key, style),
                _ => return Err(Problem::new(&position, "expected text as a key")),
            };
            let (event, span) = self.next()?;
            let (mut value, below) = self.node(event, span, depth + 1)?;
            height = height.max(below);
            if value.is_null() {
                // saphyr reports an absent value at the position of the next token.
                value.position = position.clone();
            }
            if key == "<<" && style == ScalarStyle::Plain {
                merged.push(value);
            } else if keys.insert(key.to_string()) {
                entries.push(MapEntry {
                    key: key.into(),
                    position,
                    value,
                });
            } else {
                let message = format!("duplicate key {key:?}");
                self.context.problems.push(Problem::new(&position, message));
            }
        }
        for value in merged {
            self.merge_into(&mut entries, &mut keys, value);
        }
        Ok((entries, height))
    }

    /// Merges the entries of `<<: *base` or `<<: [*a, *b]`. Keys that the map has already keep their values.
    fn merge_into(
        &mut self,
        entries: &mut Vec<MapEntry>,
        keys: &mut HashSet<String>,
        from: YamlNode,
    ) {
        let position = from.position;
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
                let problem = Problem::new(&position, "\"<<\" expects a map or a list of maps");
                self.context.problems.push(problem);
            }
        }
    }

    /// Whether a tag declares a scalar as text. Reports a tag that YAML's core schema does not have.
    fn is_text(&mut self, tag: Option<&Tag>, position: &SourcePosition) -> bool {
        let Some(tag) = tag else { return false };
        if !tag.is_yaml_core_schema() && !tag.suffix.is_empty() {
            let problem = Problem::new(position, format!("unsupported YAML tag {tag}"));
            self.context.problems.push(problem);
        }
        tag.suffix == "str" || tag.suffix.is_empty()
    }

    fn count(&mut self, nodes: usize, position: &SourcePosition) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("more than {MAX_NODES} values, aliases included");
        Err(Problem::new(position, message))
    }

    fn position(&self, marker: Marker) -> SourcePosition {
        let shift = if marker.line() <= 1 { self.shift } else { 0 };
        SourcePosition {
            source: self.source.clone(),
            line: marker.line().max(1),
            column: marker.col() + 1 + shift,
        }
    }

    fn problem(&self, marker: Marker, message: &str) -> Problem {
        Problem::new(&self.position(marker), message)
    }

    fn syntax_error(&self, error: &ScanError) -> Problem {
        let mut problem = self.problem(*error.marker(), error.info());
        let lines = self.source.text.lines().count().max(1);
        if problem.position.line > lines {
            // The message shows a line, so the position must be within the last line.
            problem.position.line = lines;
            problem.position.column = problem.position.text().chars().count() + 1;
        }
        problem
    }
}

fn too_deep(position: &SourcePosition) -> Problem {
    Problem::new(position, format!("more than {MAX_DEPTH} levels of nesting"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use crate::config::{SourcePosition, YamlNode};

    fn position_of(node: &YamlNode) -> (usize, usize) {
        (node.position().line(), node.position().column())
    }

    fn wrong(text: &str) -> (SourcePosition, String) {
        let problem = YamlNode::from_yaml(text).unwrap_err();
        (problem.position, problem.message)
    }

    #[test]
    fn every_node_has_its_position() {
        let root = YamlNode::from_yaml("a:\n  b: [1, two]\n  c:\nd: x\n").unwrap();
        let list = root.get("a").unwrap().get("b").unwrap();
        assert_eq!(position_of(list), (2, 6));
        assert_eq!(position_of(&list.items()[1]), (2, 10));
        assert_eq!(
            position_of(root.get("a").unwrap().get("c").unwrap()),
            (3, 3)
        );
        assert_eq!(root.keys().collect::<Vec<_>>(), ["a", "d"]);
    }

    #[test]
    fn aliases_and_merge_keys_are_expanded() {
        let text = "base: &base {a: 1, b: 2}\nmore: &more {c: 4}\nx: *base\n\
                    y: {<<: [*base, *more], b: 3}\n";
        let root = YamlNode::from_yaml(text).unwrap();
        assert_eq!(root.get("x").unwrap().get("a").unwrap().text(), Some("1"));
        let merged = root.get("y").unwrap();
        assert_eq!(merged.keys().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(merged.get("b").unwrap().text(), Some("3"));
    }

    #[test]
    fn document_that_expands_to_billions_of_nodes_is_rejected() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{},", level - 1).repeat(10);
            text += &format!("a{level}: &a{level} [{below}]\n");
        }
        assert!(wrong(&text).1.contains("more than 100000 values"));
    }

    #[test]
    fn deep_nesting_is_rejected_even_through_aliases() {
        let flow = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(wrong(&flow(150)).1.contains("levels of nesting"));
        assert!(YamlNode::from_yaml(&flow(50_000)).is_err());
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..200 {
            text += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
        }
        assert!(wrong(&text).1.contains("levels of nesting"));
    }

    #[test]
    fn yaml_errors_have_a_position() {
        let (position, message) = wrong("a: 1\nb: 2\na: 3\n");
        assert_eq!((position.line(), position.column()), (3, 1));
        assert_eq!(message, "duplicate key \"a\"");
        let (position, _) = wrong("a: 1\nb: [1, 2\nc: }\n");
        assert!(position.line() >= 2, "{position}");
        assert_eq!(
            wrong("a: &a [*a]").1,
            "an alias refers to an anchor that contains it"
        );
        assert_eq!(wrong("a: 1\n---\nb: 2\n").0.line(), 2);
        assert_eq!(wrong("? [a]\n: b\n").1, "expected text as a key");
        assert!(YamlNode::from_yaml("a: *unknown").is_err());
    }

    #[test]
    fn empty_document_is_an_empty_map() {
        for text in ["", "# nothing\n", "---\n"] {
            let root = YamlNode::from_yaml(text).unwrap();
            assert_eq!(root.keys().count(), 0, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
            let _ = YamlNode::from_yaml(&text);
        }

        #[test]
        fn no_text_that_looks_like_yaml_makes_the_parser_panic(
            text in r#"([-:?,\[\]{}&*!|>'"%@`#~<$ \t\r\n\x00]|a|<<|\$\{|---|\.\.\.|\n {1,3}){0,40}"#
        ) {
            if let Ok(node) = YamlNode::from_yaml(&text) {
                let _ = node.decode::<serde_json::Value>();
            }
        }
    }
}
