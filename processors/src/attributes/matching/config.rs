//! The YAML of `include` and `exclude`: the Collector's keys.

use std::borrow::Cow;

use pipeline::attributes::value_from_json;
use regex::{Regex, RegexSet};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value as Json;

/// The checked condition of `include` or `exclude`. A row matches if it matches all given properties.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "ConditionDocument")]
pub(crate) struct RowCondition {
    pub(super) services: Option<TextMatcher>,
    pub(super) span_names: Option<TextMatcher>,
    pub(super) span_kinds: Option<TextMatcher>,
    pub(super) log_bodies: Option<TextMatcher>,
    pub(super) log_severity_texts: Option<TextMatcher>,
    pub(super) log_severity_number: Option<SeverityRange>,
    pub(super) metric_names: Option<TextMatcher>,
    pub(super) attributes: Vec<AttributeMatcher>,
    pub(super) resources: Vec<AttributeMatcher>,
    pub(super) libraries: Vec<ScopeMatcher>,
}

/// A list of texts or patterns. A text matches if it matches one of them.
#[derive(Clone, Debug)]
pub(super) enum TextMatcher {
    Strict(Vec<String>),
    Patterns(RegexSet),
}

impl TextMatcher {
    /// Whether one of the texts or patterns matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            TextMatcher::Strict(all) => all.iter().any(|one| one == text),
            TextMatcher::Patterns(all) => all.is_match(text),
        }
    }
}

/// An attribute that must be present, with a matching value if one is given.
#[derive(Clone, Debug)]
pub(super) struct AttributeMatcher {
    pub(super) key: String,
    pub(super) value: Option<ValueMatcher>,
}

/// A condition on the value of an attribute.
#[derive(Clone, Debug)]
pub(super) enum ValueMatcher {
    /// The value must equal this encoded value and have the same type.
    Equal(Vec<u8>),
    /// The value as text must match.
    Pattern(Regex),
}

/// A condition on the instrumentation scope. Without a version, any version matches.
#[derive(Clone, Debug)]
pub(super) struct ScopeMatcher {
    pub(super) name: TextMatcher,
    pub(super) version: Option<TextMatcher>,
}

/// A condition on the severity of a log record.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SeverityRange {
    /// The lowest `SeverityNumber` that matches.
    pub(super) min: i32,
    /// Whether records without a severity number match.
    pub(super) match_undefined: bool,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum MatchType {
    Strict,
    Regexp,
}

/// A condition on rows. A row matches if it matches every given property.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ConditionDocument {
    /// `strict` for equal texts, `regexp` for patterns that match anywhere in a text.
    match_type: Option<MatchType>,
    /// Has no effect: patterns are compiled once and need no cache.
    #[allow(dead_code, reason = "the Collector's files may have it")]
    regexp: Option<PatternCacheDocument>,
    /// Values of `service.name`.
    services: Vec<String>,
    span_names: Vec<String>,
    /// `SPAN_KIND_SERVER` and so on.
    span_kinds: Vec<String>,
    /// Bodies of log records; only bodies that are text can match.
    log_bodies: Vec<String>,
    log_severity_texts: Vec<String>,
    log_severity_number: Option<SeverityRange>,
    metric_names: Vec<String>,
    /// Attributes of the row; all of them must match.
    attributes: Vec<AttributeDocument>,
    /// Attributes of the resource; all of them must match.
    resources: Vec<AttributeDocument>,
    /// Instrumentation scopes.
    libraries: Vec<LibraryDocument>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(dead_code, reason = "the Collector's files may have it")]
struct PatternCacheDocument {
    cacheenabled: bool,
    cachemaxnumentries: u64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AttributeDocument {
    key: String,
    /// The value to match; if it is not set, any value matches.
    value: Option<Json>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LibraryDocument {
    name: String,
    /// The version to match; if it is not set, any version matches.
    version: Option<String>,
}

/// The schema of the YAML.
impl JsonSchema for RowCondition {
    fn schema_name() -> Cow<'static, str> {
        "RowCondition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ConditionDocument::json_schema(generator)
    }
}

/// Why a condition is invalid.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidCondition {
    #[error("missing required field \"match_type\": use strict or regexp")]
    NoMatchType,
    #[error(
        "nothing to match: give services, span_names, span_kinds, log_bodies, log_severity_texts, \
         log_severity_number, metric_names, attributes, resources or libraries"
    )]
    Empty,
    #[error("unknown span kind {0:?}: use a name such as SPAN_KIND_SERVER")]
    SpanKind(String),
    #[error("the value of {0} must be a string with match_type regexp: put it in quotes")]
    UnquotedPattern(String),
    #[error("{0}")]
    Pattern(#[from] regex::Error),
}

impl TryFrom<ConditionDocument> for RowCondition {
    type Error = InvalidCondition;

    fn try_from(document: ConditionDocument) -> Result<RowCondition, InvalidCondition> {
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
        let library = |one: LibraryDocument| -> Result<ScopeMatcher, InvalidCondition> {
            Ok(ScopeMatcher {
                name: match_type.matcher(vec![one.name])?,
                version: one
                    .version
                    .map(|version| match_type.matcher(vec![version]))
                    .transpose()?,
            })
        };
        Ok(RowCondition {
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

impl ConditionDocument {
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
    /// The matcher of a list of texts; `None` for an empty list, which is no condition.
    fn texts(self, all: Vec<String>) -> Result<Option<TextMatcher>, InvalidCondition> {
        (!all.is_empty()).then(|| self.matcher(all)).transpose()
    }

    fn matcher(self, all: Vec<String>) -> Result<TextMatcher, InvalidCondition> {
        match self {
            MatchType::Strict => Ok(TextMatcher::Strict(all)),
            MatchType::Regexp => Ok(TextMatcher::Patterns(RegexSet::new(all)?)),
        }
    }

    fn attribute(self, one: AttributeDocument) -> Result<AttributeMatcher, InvalidCondition> {
        let value = match (self, one.value) {
            (_, None) => None,
            (MatchType::Strict, Some(value)) => Some(ValueMatcher::Equal(value_from_json(&value))),
            (MatchType::Regexp, Some(Json::String(pattern))) => {
                Some(ValueMatcher::Pattern(Regex::new(&pattern)?))
            }
            (MatchType::Regexp, Some(_)) => return Err(InvalidCondition::UnquotedPattern(one.key)),
        };
        Ok(AttributeMatcher {
            key: one.key,
            value,
        })
    }
}
