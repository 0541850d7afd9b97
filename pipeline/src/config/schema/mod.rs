//! Validates a node against the JSON Schema that schemars derives from a configuration type. It finds all
//! problems, whereas serde stops at the first.

use schemars::Schema;
use serde_json::{Map as JsonMap, Value as Json};

use super::duration;
use super::host_port::{self, HostPort};
use super::node::{Value, YamlNode};
use super::position::{Problem, SourcePosition};
use super::scalar::TypedScalar;
use crate::component::{ComponentId, StoreRef};

/// The longest chain of references that is followed. The schemas of components have two or three.
const MAX_REFERENCES: usize = 32;

/// The result of a validation.
#[derive(Debug, Default)]
pub(crate) struct SchemaCheck {
    pub(crate) problems: Vec<Problem>,
    /// The fields that name a graph store.
    pub(crate) stores: Vec<NamedStore>,
}

/// A field that names a graph store.
#[derive(Debug)]
pub(crate) struct NamedStore {
    pub(crate) position: SourcePosition,
    pub(crate) id: ComponentId,
    /// The text of the id for messages: without values of variables.
    pub(crate) display_text: String,
}

/// Validates a node. `extra_keys` are keys that the schema lacks and the caller accepts: they are only suggested for
/// unknown keys, so the node must not contain them.
pub(crate) fn check(node: &YamlNode, schema: &Schema, extra_keys: &[&str]) -> SchemaCheck {
    let mut validator = Validator {
        root: schema.as_value(),
        extra_keys,
        result: SchemaCheck::default(),
    };
    validator.node(node, schema.as_value(), 0);
    validator.result
}

/// The keys at the top level of a schema.
pub(crate) fn keys(schema: &Schema) -> Vec<&str> {
    properties(schema.as_value())
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn properties(schema: &Json) -> Option<&JsonMap<String, Json>> {
    schema.get("properties")?.as_object()
}

/// The state of a validation.
struct Validator<'a> {
    root: &'a Json,
    extra_keys: &'a [&'a str],
    result: SchemaCheck,
}

impl<'a> Validator<'a> {
    fn report(&mut self, node: &YamlNode, message: impl Into<String>) {
        self.result
            .problems
            .push(Problem::new(&node.position, message));
    }

    fn node(&mut self, node: &YamlNode, schema: &'a Json, references: usize) {
        if matches!(node.value, Value::Invalid) || references > MAX_REFERENCES {
            return;
        }
        if schema == &Json::Bool(false) {
            return self.report(node, "no value is allowed here");
        }
        let Some(rules) = schema.as_object() else {
            return;
        };
        if let Some(target) = rules.get("$ref").and_then(|to| self.resolve(to)) {
            self.node(node, target, references + 1);
        }
        for part in array(rules, "allOf") {
            self.node(node, part, references + 1);
        }
        for key in ["anyOf", "oneOf"] {
            let branches = array(rules, key);
            if !branches.is_empty() {
                self.any_of(node, branches, references + 1);
            }
        }
        if !self.has_type(node, rules) {
            return;
        }
        self.check_allowed_values(node, rules);
        match &node.value {
            Value::Map(_) => self.map(node, rules, references),
            Value::List(_) => self.list(node, rules),
            Value::Scalar(_) if node.is_null() => self.map(node, rules, references),
            Value::Scalar(_) => self.scalar(node, rules),
            Value::Invalid => {}
        }
    }

    fn resolve(&self, reference: &Json) -> Option<&'a Json> {
        self.root.pointer(reference.as_str()?.strip_prefix('#')?)
    }

    /// Whether the node has an allowed type. Reports it otherwise. Null is also valid as an empty map or list.
    fn has_type(&mut self, node: &YamlNode, rules: &JsonMap<String, Json>) -> bool {
        let allowed = types(rules);
        if allowed.is_empty() || allowed.iter().any(|kind| is_a(node, kind)) {
            return true;
        }
        let expected: Vec<_> = allowed
            .iter()
            .filter(|kind| **kind != "null")
            .map(|kind| in_words(kind))
            .collect();
        let found = node.describe();
        self.report(
            node,
            format!("expected {}, found {found}", expected.join(" or ")),
        );
        false
    }

    fn check_allowed_values(&mut self, node: &YamlNode, rules: &JsonMap<String, Json>) {
        let mut allowed: Vec<&Json> = array(rules, "enum").iter().collect();
        allowed.extend(rules.get("const"));
        if !allowed.is_empty() && !allowed.iter().any(|value| equals(node, value)) {
            self.report_allowed_values(node, &allowed);
        }
    }

    fn report_allowed_values(&mut self, node: &YamlNode, allowed: &[&Json]) {
        let words: Vec<&str> = allowed.iter().filter_map(|value| value.as_str()).collect();
        let list: Vec<String> = allowed
            .iter()
            .filter(|value| !value.is_null())
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect();
        let mut problem = Problem::new(
            &node.position,
            format!("expected one of {}", list.join(", ")),
        );
        if let Value::Scalar(scalar) = &node.value
            && scalar.written.is_none()
        {
            problem = problem.suggest(&scalar.text, words);
        }
        self.result.problems.push(problem);
    }

    /// Validates against the branches of `anyOf` or `oneOf`, which schemars makes of options and enums. If no
    /// branch matches, reports the problems of the branch that matches best.
    fn any_of(&mut self, node: &YamlNode, branches: &'a [Json], references: usize) {
        let mut nearest: Option<SchemaCheck> = None;
        let mut expected = Vec::new();
        let mut words = Vec::new();
        let maps = branches
            .iter()
            .filter(|branch| properties(self.follow_references(branch)).is_some())
            .count();
        for branch in branches {
            let branch = self.follow_references(branch);
            let found = self.try_branch(node, branch, references);
            if found.problems.is_empty() {
                self.result.stores.extend(found.stores);
                return;
            }
            let Some(rules) = branch.as_object() else {
                continue;
            };
            words.extend(rules.get("const"));
            words.extend(array(rules, "enum"));
            let kinds = types(rules);
            expected.extend(kinds.iter().copied().filter(|kind| *kind != "null"));
            let matches_type = kinds.iter().any(|kind| is_a(node, kind)) || kinds.is_empty();
            // Of several variants that are maps, only those with a key of the node are candidates.
            let matches_variant = properties(branch).is_none_or(|properties| {
                maps < 2
                    || array(rules, "required").is_empty()
                    || node.keys().any(|key| properties.contains_key(key))
            });
            let has_fewer_problems = nearest
                .as_ref()
                .is_none_or(|best| found.problems.len() < best.problems.len());
            if matches_type && matches_variant && has_fewer_problems && !rules.contains_key("const")
            {
                nearest = Some(found);
            }
        }
        let is_scalar = matches!(node.value, Value::Scalar(_));
        if is_scalar && !words.is_empty() {
            return self.report_allowed_values(node, &words);
        }
        if let Some(found) = nearest {
            self.result.problems.extend(found.problems);
            return;
        }
        expected.dedup();
        let expected: Vec<_> = expected.into_iter().map(in_words).collect();
        let found = node.describe();
        self.report(
            node,
            format!("expected {}, found {found}", expected.join(" or ")),
        );
    }

    fn follow_references(&self, mut schema: &'a Json) -> &'a Json {
        for _ in 0..MAX_REFERENCES {
            match schema.get("$ref").and_then(|to| self.resolve(to)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// Validates against one branch and returns its result alone.
    fn try_branch(&mut self, node: &YamlNode, schema: &'a Json, references: usize) -> SchemaCheck {
        let outer = std::mem::take(&mut self.result);
        self.node(node, schema, references);
        std::mem::replace(&mut self.result, outer)
    }

    fn map(&mut self, node: &YamlNode, rules: &'a JsonMap<String, Json>, references: usize) {
        let none = JsonMap::new();
        let properties = rules.get("properties").and_then(Json::as_object);
        let is_top = references == 0 && std::ptr::eq(rules, self.root.as_object().unwrap_or(&none));
        for entry in node.entries() {
            if let Some(schema) = properties.and_then(|properties| properties.get(&*entry.key)) {
                self.node(&entry.value, schema, 0);
                continue;
            }
            match rules.get("additionalProperties") {
                Some(Json::Bool(false)) => {
                    let extra_keys = if is_top { self.extra_keys } else { &[] };
                    let schema_keys = properties.into_iter().flat_map(JsonMap::keys);
                    let allowed: Vec<&str> = schema_keys
                        .map(String::as_str)
                        .chain(extra_keys.iter().copied())
                        .collect();
                    let problem = Problem::unknown_key(&entry.position, "", &entry.key, &allowed);
                    self.result.problems.push(problem);
                }
                Some(schema) => self.node(&entry.value, schema, 0),
                None => {}
            }
        }
        for required in array(rules, "required").iter().filter_map(Json::as_str) {
            if node.get(required).is_none() {
                self.report(node, format!("key {required:?} is missing"));
            }
        }
    }

    fn list(&mut self, node: &YamlNode, rules: &'a JsonMap<String, Json>) {
        let first = array(rules, "prefixItems");
        for (index, item) in node.items().iter().enumerate() {
            if let Some(schema) = first.get(index).or_else(|| rules.get("items")) {
                self.node(item, schema, 0);
            }
        }
        let length = node.items().len() as u64;
        let bound = |key: &str| rules.get(key).and_then(Json::as_u64);
        if let Some(least) = bound("minItems").filter(|least| length < *least) {
            self.report(
                node,
                format!("expected at least {least} items, found {length}"),
            );
        }
        if let Some(most) = bound("maxItems").filter(|most| length > *most) {
            self.report(
                node,
                format!("expected at most {most} items, found {length}"),
            );
        }
    }

    fn scalar(&mut self, node: &YamlNode, rules: &JsonMap<String, Json>) {
        let Value::Scalar(scalar) = &node.value else {
            return;
        };
        let number = match scalar.typed() {
            TypedScalar::Int(int) => Some(int as f64),
            TypedScalar::Float(float) => Some(float),
            _ => None,
        };
        let is_number = types(rules)
            .iter()
            .any(|kind| matches!(*kind, "integer" | "number"));
        if let Some(number) = number.filter(|_| is_number) {
            self.range(node, number, rules);
        }
        let text = &*scalar.text;
        let least = rules.get("minLength").and_then(Json::as_u64);
        if let Some(least) = least.filter(|least| (text.chars().count() as u64) < *least) {
            self.report(node, format!("expected at least {least} characters"));
        }
        match rules.get("format").and_then(Json::as_str) {
            Some(duration::FORMAT) if duration::parse(text).is_err() => {
                let mut problem = Problem::new(
                    &node.position,
                    "expected a duration such as 200ms, 5s or 1m30s",
                );
                // The expanded value may come from the environment, so the written text is suggested.
                let written = scalar.display_text();
                if !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) {
                    problem.suggestion = Some(format!("{written}s"));
                }
                self.result.problems.push(problem);
            }
            Some(host_port::FORMAT) => {
                if let Err(error) = text.parse::<HostPort>() {
                    self.report(node, error.to_string());
                }
            }
            Some(StoreRef::FORMAT) => match text.parse() {
                Ok(id) => self.result.stores.push(NamedStore {
                    position: node.position.clone(),
                    id,
                    display_text: scalar.display_text().to_owned(),
                }),
                Err(_) => self.report(node, "expected the id of an exporter: type or type/name"),
            },
            _ => {}
        }
    }

    fn range(&mut self, node: &YamlNode, number: f64, rules: &JsonMap<String, Json>) {
        let bound = |key: &str| rules.get(key).and_then(Json::as_f64);
        let mut problems = Vec::new();
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            problems.push(format!("expected a number of at least {least}"));
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            problems.push(format!("expected a number of at most {most}"));
        }
        if let Some(least) = bound("exclusiveMinimum").filter(|least| number <= *least) {
            problems.push(format!("expected a number greater than {least}"));
        }
        if let Some(most) = bound("exclusiveMaximum").filter(|most| number >= *most) {
            problems.push(format!("expected a number less than {most}"));
        }
        for message in problems {
            self.report(node, message);
        }
    }
}

fn array<'a>(rules: &'a JsonMap<String, Json>, key: &str) -> &'a [Json] {
    rules
        .get(key)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

fn types(rules: &JsonMap<String, Json>) -> Vec<&str> {
    match rules.get("type") {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_a(node: &YamlNode, kind: &str) -> bool {
    match &node.value {
        Value::Invalid => true,
        Value::List(_) => kind == "array",
        Value::Map(_) => kind == "object",
        Value::Scalar(scalar) => match (kind, scalar.typed()) {
            ("null" | "array" | "object", typed) => typed == TypedScalar::Null,
            // A field of type text accepts any scalar as its text.
            ("string", typed) => typed != TypedScalar::Null,
            ("boolean", typed) => matches!(typed, TypedScalar::Bool(_)),
            ("integer", typed) => matches!(typed, TypedScalar::Int(_)),
            ("number", typed) => matches!(typed, TypedScalar::Int(_) | TypedScalar::Float(_)),
            _ => false,
        },
    }
}

fn equals(node: &YamlNode, value: &Json) -> bool {
    match value {
        Json::Null => node.is_null(),
        Json::String(word) => node.text() == Some(word),
        other => node.text() == Some(&other.to_string()),
    }
}

fn in_words(kind: &str) -> &str {
    match kind {
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}

#[cfg(test)]
#[expect(dead_code, reason = "configurations are only decoded to be checked")]
mod tests;
