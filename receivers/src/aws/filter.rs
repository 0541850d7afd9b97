//! What is scanned and what is not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use xxhash_rust::xxh3::xxh3_64;

/// Kinds by CloudFormation's names; `*` stands for anything: `AWS::EC2::*`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Kinds {
    /// Those that are scanned; all where none is named.
    pub include: Vec<String>,
    /// Those of them that are not.
    pub exclude: Vec<String>,
}

/// Resources by their tags: key and value, in which `*` stands for anything.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Tags {
    /// A resource must have all of these.
    pub include: BTreeMap<String, String>,
    /// A resource must have none of these.
    pub exclude: BTreeMap<String, String>,
}

impl Kinds {
    pub(super) fn take(&self, kind: &str) -> bool {
        let one_of = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern, kind));
        (self.include.is_empty() || one_of(&self.include)) && !one_of(&self.exclude)
    }

    /// A pattern that fits none of these kinds, which is a mistake.
    pub(super) fn useless<'s>(&'s self, kinds: &[&str]) -> Option<&'s str> {
        let mut patterns = self.include.iter().chain(&self.exclude);
        let useless = patterns.find(|pattern| !kinds.iter().any(|kind| fits(pattern, kind)));
        useless.map(String::as_str)
    }
}

impl Tags {
    pub(super) fn take(&self, tags: &Map<String, Json>) -> bool {
        let has = |(key, pattern): (&String, &String)| {
            let value = tags.get(key).and_then(Json::as_str);
            value.is_some_and(|value| fits(pattern, value))
        };
        self.include.iter().all(has) && !self.exclude.iter().any(has)
    }

    pub(super) fn takes_all(&self) -> bool {
        *self == Tags::default()
    }

    /// Names the filter in the scopes that are scanned with it: what another filter saw is not missing
    /// under this one. None where all is taken.
    pub(super) fn hash(&self) -> Option<String> {
        if self.takes_all() {
            return None;
        }
        let text = format!("{:?}", (&self.include, &self.exclude));
        Some(format!("{:016x}", xxh3_64(text.as_bytes())))
    }
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
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

    use super::{Kinds, Tags, fits};

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fit) in [
            ("AWS::EC2::*", "AWS::EC2::VPC", true),
            ("AWS::EC2::*", "AWS::RDS::DBInstance", false),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("prod", "prod-2", false),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn kinds_are_included_and_of_them_excluded() {
        let kinds = Kinds {
            include: vec!["AWS::EC2::*".to_owned()],
            exclude: vec!["AWS::EC2::Volume".to_owned()],
        };
        assert!(kinds.take("AWS::EC2::VPC"));
        assert!(!kinds.take("AWS::EC2::Volume") && !kinds.take("AWS::S3::Bucket"));
        assert_eq!(kinds.useless(&["AWS::EC2::Volume"]), None);
        assert_eq!(kinds.useless(&["AWS::EC2::VPC"]), Some("AWS::EC2::Volume"));
    }

    #[test]
    fn another_filter_is_another_scope() {
        let tags = |env: &str| Tags {
            include: [("env".to_owned(), env.to_owned())].into(),
            ..Tags::default()
        };
        let shop = json!({"env": "prod"});
        assert!(tags("pr*").take(shop.as_object().unwrap()));
        assert!(!tags("dev").take(shop.as_object().unwrap()));
        assert_ne!(tags("dev").hash(), tags("prod").hash());
        assert_eq!(Tags::default().hash(), None);
    }
}
