//! The texts by which nodes are found: names, aliases, the tail of a uid, values and keys of tags.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::rows::{Listing, NodeId, NodeRow, TextField, TextRow};
use crate::attributes::{Map, map_to_json};
use crate::uid;

/// Characters of a text that are kept: what people type.
const LONGEST: usize = 200;

/// Characters that indexes use for themselves: a plane that Unicode leaves to private use.
pub const RESERVED: RangeInclusive<char> = '\u{10_0000}'..='\u{10_FFFD}';

/// Texts that a transaction replaces.
#[derive(Debug, Default)]
pub(super) struct Changes {
    of: BTreeMap<(NodeId, TextField), BTreeSet<TextRow>>,
}

impl Changes {
    /// Takes in how a node changed.
    pub(super) fn compare(&mut self, old: &NodeRow, new: &NodeRow) {
        let was_listed = old.listing != Listing::None;
        let is_same = old.listing == new.listing && was_listed;
        if new.listing == Listing::None && !was_listed {
            return;
        }
        if !is_same {
            self.uid(new);
        }
        if !is_same || old.name != new.name {
            self.name(new);
        }
        if !is_same || old.tags != new.tags {
            self.tags(new);
        }
    }

    /// All texts of a node.
    pub(super) fn all<'v>(&mut self, node: &NodeRow, aliases: impl Iterator<Item = &'v str>) {
        self.uid(node);
        self.name(node);
        self.tags(node);
        self.aliases(node, aliases);
    }

    fn uid(&mut self, node: &NodeRow) {
        self.replace(node, TextField::Uid, [tail(&node.uid).to_owned()]);
    }

    fn name(&mut self, node: &NodeRow) {
        self.replace(node, TextField::Name, node.name.clone());
    }

    fn tags(&mut self, node: &NodeRow) {
        let tags = node.tags.as_deref().unwrap_or_default();
        let tags = map_to_json(Map::new(tags));
        self.replace(node, TextField::Tag, tags.values().map(said));
        let keys = tags.keys().map(|key| key_text(key));
        self.replace(node, TextField::TagKey, keys);
    }

    /// All aliases of a node.
    pub(super) fn aliases<'v>(&mut self, node: &NodeRow, values: impl Iterator<Item = &'v str>) {
        self.replace(node, TextField::Alias, values.map(str::to_owned));
    }

    fn replace(
        &mut self,
        node: &NodeRow,
        field: TextField,
        texts: impl IntoIterator<Item = String>,
    ) {
        let rows = texts.into_iter().filter(|text| !text.is_empty());
        let rows = rows.map(|text| TextRow {
            node: node.id,
            field,
            is_current: node.listing == Listing::Current,
            text: fold(&text),
        });
        self.of.insert((node.id, field), rows.collect());
    }

    pub(super) fn finish(self) -> (Vec<(NodeId, TextField)>, Vec<TextRow>) {
        let fields = self.of.keys().copied().collect();
        (fields, self.of.into_values().flatten().collect())
    }
}

/// As texts are compared: in lower case, and kept as far as that.
pub(super) fn fold(text: &str) -> String {
    kept(&lower(text))
}

/// In lower case, character by character: a part of a text stays a part of it (`str::to_lowercase` looks at
/// what stands beside a Σ).
pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What is kept of a text. Characters that an index may need for itself are replaced, so that what is
/// read is what was written.
pub fn kept(text: &str) -> String {
    let keep = |character| match character {
        '\0' | '\u{2}' => char::REPLACEMENT_CHARACTER,
        other if RESERVED.contains(&other) => char::REPLACEMENT_CHARACTER,
        other => other,
    };
    text.chars().take(LONGEST).map(keep).collect()
}

/// The part in which a uid differs from others of its kind: all after the account of an ARN, after the scheme of others.
pub(super) fn tail(uid: &str) -> &str {
    if uid.starts_with("arn:") {
        let last = uid.splitn(6, ':').nth(5);
        return last.filter(|last| !last.is_empty()).unwrap_or(uid);
    }
    match uid.split_once("://") {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => uid,
    }
}

/// A character that stands for the key of a tag, so that lists by key need no long texts: one of a
/// plane that Unicode leaves to private use. Keys may share one.
pub(super) fn key_text(key: &str) -> String {
    const FIRST: u32 = 0xF_0000;
    const COUNT: u64 = 0xFFFE;
    let character = char::from_u32(FIRST + (uid::hash(key) % COUNT) as u32);
    character.unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
}

/// The value of a tag as people write it.
pub(super) fn said(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::tail;

    #[test]
    fn the_tail_of_a_uid_is_what_people_type() {
        let arn = "arn:aws:ec2:eu-west-1:1:security-group/sg-1";
        assert_eq!(tail(arn), "security-group/sg-1");
        assert_eq!(tail("svc://prod/shop/cart"), "prod/shop/cart");
        assert_eq!(tail("plain"), "plain");
        assert_eq!(tail("arn:aws:ec2:eu-west-1:1:"), "arn:aws:ec2:eu-west-1:1:");
        assert_eq!(tail("arn:aws:ec2"), "arn:aws:ec2");
        assert_eq!(tail("svc://"), "svc://");
    }
}
