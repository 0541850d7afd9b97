//! Filters of kinds and of resources by their tags.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use xxhash_rust::xxh3::xxh3_64;

/// Selects kinds by their CloudFormation names. `*` matches any text: `AWS::EC2::*`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct KindFilter {
    /// Kinds to scan. Empty: all kinds.
    pub include: Vec<String>,
    /// Kinds not to scan, even if `include` selects them.
    pub exclude: Vec<String>,
}

/// Selects resources by their tags. `*` in a value matches any text.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct TagPatterns {
    /// A resource must have all of these.
    pub include: BTreeMap<String, String>,
    /// A resource must have none of these.
    pub exclude: BTreeMap<String, String>,
}

impl KindFilter {
    /// Whether a kind is scanned.
    pub(super) fn includes(&self, kind: &str) -> bool {
        let one_of = |patterns: &[String]| {
            patterns
                .iter()
                .any(|pattern| matches_pattern(pattern, kind))
        };
        (self.include.is_empty() || one_of(&self.include)) && !one_of(&self.exclude)
    }

    /// The first pattern that matches none of these kinds, which is a mistake in the configuration.
    pub(super) fn unmatched<'s>(&'s self, kinds: &[&str]) -> Option<&'s str> {
        let mut patterns = self.include.iter().chain(&self.exclude);
        let unmatched =
            patterns.find(|pattern| !kinds.iter().any(|kind| matches_pattern(pattern, kind)));
        unmatched.map(String::as_str)
    }
}

impl TagPatterns {
    /// Whether the filter selects a resource with these tags.
    pub(super) fn matches(&self, tags: &Map<String, Json>) -> bool {
        let has = |(key, pattern): (&String, &String)| {
            let value = tags.get(key).and_then(Json::as_str);
            value.is_some_and(|value| matches_pattern(pattern, value))
        };
        self.include.iter().all(has) && !self.exclude.iter().any(has)
    }

    /// Whether the filter selects every resource.
    pub(super) fn match_all(&self) -> bool {
        *self == TagPatterns::default()
    }

    /// A hash that is part of the names of scopes, so that each filter has its own scopes. In one common scope, a scan
    /// with this filter would appear to miss the resources that only another filter selects. `None` if the filter
    /// selects every resource.
    pub(super) fn hash(&self) -> Option<String> {
        if self.match_all() {
            return None;
        }
        let text = format!("{:?}", (&self.include, &self.exclude));
        Some(format!("{:016x}", xxh3_64(text.as_bytes())))
    }
}

/// Whether a text matches a pattern, in which `*` matches any text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{KindFilter, TagPatterns, matches_pattern};

    #[test]
    fn star_matches_any_text() {
        for (pattern, text, expected) in [
            ("AWS::EC2::*", "AWS::EC2::VPC", true),
            ("AWS::EC2::*", "AWS::RDS::DBInstance", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("prod", "prod-2", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn excluded_kinds_are_removed_from_included_kinds() {
        let kinds = KindFilter {
            include: vec!["AWS::EC2::*".to_owned()],
            exclude: vec!["AWS::EC2::Volume".to_owned()],
        };
        assert!(kinds.includes("AWS::EC2::VPC"));
        assert!(!kinds.includes("AWS::EC2::Volume") && !kinds.includes("AWS::S3::Bucket"));
        assert_eq!(kinds.unmatched(&["AWS::EC2::Volume"]), None);
        assert_eq!(
            kinds.unmatched(&["AWS::EC2::VPC"]),
            Some("AWS::EC2::Volume")
        );
    }

    #[test]
    fn each_filter_has_its_own_hash() {
        let tags = |env: &str| TagPatterns {
            include: [("env".to_owned(), env.to_owned())].into(),
            ..TagPatterns::default()
        };
        let shop = json!({"env": "prod"});
        assert!(tags("pr*").matches(shop.as_object().unwrap()));
        assert!(!tags("dev").matches(shop.as_object().unwrap()));
        assert_ne!(tags("dev").hash(), tags("prod").hash());
        assert_eq!(TagPatterns::default().hash(), None);
    }
}
