//! The YAML of `include` and `exclude`: the Collector's keys.

use std::borrow::Cow;

use pipeline::attributes::value_from_json;
use regex::{Regex, RegexSet};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value as Json;

/// What must be so of a row; all that is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Document")]
pub(crate) struct Condition {
    pub(super) services: Option<Texts>,
    pub(super) span_names: Option<Texts>,
    pub(super) span_kinds: Option<Texts>,
    pub(super) log_bodies: Option<Texts>,
    pub(super) log_severity_texts: Option<Texts>,
    pub(super) log_severity_number: Option<Severity>,
    pub(super) metric_names: Option<Texts>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) resources: Vec<Attribute>,
    pub(super) libraries: Vec<Library>,
}

/// Texts of which one must be equal, or patterns of which one must match.
#[derive(Clone, Debug)]
pub(super) enum Texts {
    Strict(Vec<String>),
    Patterns(RegexSet),
}

impl Texts {
    pub(super) fn contain(&self, text: &str) -> bool {
        match self {
            Texts::Strict(all) => all.iter().any(|one| one == text),
            Texts::Patterns(all) => all.is_match(text),
        }
    }
}

/// An attribute that must be there, with this value if one is given.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) key: String,
    pub(super) value: Option<Expected>,
}

#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// Encoded; the type must be the same, too.
    Same(Vec<u8>),
    /// Of the value as text.
    Matching(Regex),
}

/// An instrumentation scope; without a version any will do.
#[derive(Clone, Debug)]
pub(super) struct Library {
    pub(super) name: Texts,
    pub(super) version: Option<Texts>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Severity {
    /// The lowest `SeverityNumber` that matches.
    pub(super) min: i32,
    /// Whether records without one match.
    pub(super) match_undefined: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum MatchType {
    Strict,
    Regexp,
}

/// The same as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// `strict` for texts that are equal, `regexp` for patterns that are found in them.
    match_type: Option<MatchType>,
    /// Has no effect: patterns are compiled once and need no cache.
    #[allow(dead_code, reason = "the Collector's files may have it")]
    regexp: Option<Cache>,
    /// Of `service.name`.
    services: Vec<String>,
    span_names: Vec<String>,
    /// `SPAN_KIND_SERVER` and so on.
    span_kinds: Vec<String>,
    /// Of bodies that are text.
    log_bodies: Vec<String>,
    log_severity_texts: Vec<String>,
    log_severity_number: Option<Severity>,
    metric_names: Vec<String>,
    /// All of them must match.
    attributes: Vec<AttributeDocument>,
    /// Attributes of the resource; all of them must match.
    resources: Vec<AttributeDocument>,
    /// Instrumentation scopes.
    libraries: Vec<LibraryDocument>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "the Collector's files may have it")]
struct Cache {
    cacheenabled: bool,
    cachemaxnumentries: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AttributeDocument {
    key: String,
    /// Any value where this is missing.
    value: Option<Json>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LibraryDocument {
    name: String,
    /// Any version where this is missing.
    version: Option<String>,
}

/// That of what is written.
impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "RowCondition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Document::json_schema(generator)
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidCondition {
    #[error("match_type is missing: say strict or regexp")]
    NoMatchType,
    #[error(
        "nothing to match: give services, span_names, span_kinds, log_bodies, log_severity_texts, \
         log_severity_number, metric_names, attributes, resources or libraries"
    )]
    Empty,
    #[error("{0:?} is no span kind such as SPAN_KIND_SERVER")]
    SpanKind(String),
    #[error("the value of {0} is a pattern with match_type regexp: put it in quotes")]
    NoText(String),
    #[error("{0}")]
    Pattern(#[from] regex::Error),
}

impl TryFrom<Document> for Condition {
    type Error = InvalidCondition;

    fn try_from(document: Document) -> Result<Condition, InvalidCondition> {
        let match_type = document.match_type.ok_or(InvalidCondition::NoMatchType)?;
        if document.is_empty() {
            return Err(InvalidCondition::Empty);
        }
        let unknown = |kind: &&String| !super::SPAN_KINDS[1..].contains(&kind.as_str());
        if match_type == MatchType::Strict
            && let Some(kind) = document.span_kinds.iter().find(unknown)
        {
            return Err(InvalidCondition::SpanKind(kind.clone()));
        }
        let texts = |all: Vec<String>| match_type.texts(all);
        let attributes = |all: Vec<AttributeDocument>| {
            let all = all.into_iter();
            all.map(|one| match_type.attribute(one))
                .collect::<Result<_, _>>()
        };
        let libraries = document.libraries.into_iter();
        let library = |one: LibraryDocument| -> Result<Library, InvalidCondition> {
            Ok(Library {
                name: match_type.all(vec![one.name])?,
                version: one
                    .version
                    .map(|version| match_type.all(vec![version]))
                    .transpose()?,
            })
        };
        Ok(Condition {
            services: texts(document.services)?,
            span_names: texts(document.span_names)?,
            span_kinds: texts(document.span_kinds)?,
            log_bodies: texts(document.log_bodies)?,
            log_severity_texts: texts(document.log_severity_texts)?,
            log_severity_number: document.log_severity_number,
            metric_names: texts(document.metric_names)?,
            attributes: attributes(document.attributes)?,
            resources: attributes(document.resources)?,
            libraries: libraries.map(library).collect::<Result<_, _>>()?,
        })
    }
}

impl Document {
    fn is_empty(&self) -> bool {
        let texts = [
            &self.services,
            &self.span_names,
            &self.span_kinds,
            &self.log_bodies,
            &self.log_severity_texts,
            &self.metric_names,
        ];
        texts.iter().all(|texts| texts.is_empty())
            && self.log_severity_number.is_none()
            && self.attributes.is_empty()
            && self.resources.is_empty()
            && self.libraries.is_empty()
    }
}

impl MatchType {
    /// None of an empty list, which says nothing.
    fn texts(self, all: Vec<String>) -> Result<Option<Texts>, InvalidCondition> {
        (!all.is_empty()).then(|| self.all(all)).transpose()
    }

    fn all(self, all: Vec<String>) -> Result<Texts, InvalidCondition> {
        match self {
            MatchType::Strict => Ok(Texts::Strict(all)),
            MatchType::Regexp => Ok(Texts::Patterns(RegexSet::new(all)?)),
        }
    }

    fn attribute(self, one: AttributeDocument) -> Result<Attribute, InvalidCondition> {
        let value = match (self, one.value) {
            (_, None) => None,
            (MatchType::Strict, Some(value)) => Some(Expected::Same(value_from_json(&value))),
            (MatchType::Regexp, Some(Json::String(pattern))) => {
                Some(Expected::Matching(Regex::new(&pattern)?))
            }
            (MatchType::Regexp, Some(_)) => return Err(InvalidCondition::NoText(one.key)),
        };
        Ok(Attribute {
            key: one.key,
            value,
        })
    }
}
