//! The texts by which a search finds a node: its name, its aliases, the tail of its uid, values and keys of its tags.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Listing, NodeId, NodeRow, TextField, TextRow, stored_text};
use crate::attributes::{Map, map_to_json};
use crate::uid;

/// The texts that a transaction replaces: for each node and field, all new texts.
#[derive(Debug, Default)]
pub(super) struct TextChanges {
    by_field: BTreeMap<(NodeId, TextField), BTreeSet<TextRow>>,
}

impl TextChanges {
    /// Replaces the texts of a node that differ between its old and its new row, except the texts of its aliases. Does
    /// nothing if neither row is in a list.
    pub(super) fn replace_changed(&mut self, old: &NodeRow, new: &NodeRow) {
        let was_listed = old.listing != Listing::None;
        let has_same_listing = old.listing == new.listing && was_listed;
        if new.listing == Listing::None && !was_listed {
            return;
        }
        if !has_same_listing {
            self.replace_uid(new);
        }
        if !has_same_listing || old.name != new.name {
            self.replace_name(new);
        }
        if !has_same_listing || old.tags != new.tags {
            self.replace_tags(new);
        }
    }

    /// Replaces all texts of a node.
    pub(super) fn replace_all<'v>(
        &mut self,
        node: &NodeRow,
        aliases: impl Iterator<Item = &'v str>,
    ) {
        self.replace_uid(node);
        self.replace_name(node);
        self.replace_tags(node);
        self.replace_aliases(node, aliases);
    }

    fn replace_uid(&mut self, node: &NodeRow) {
        self.replace(node, TextField::Uid, [uid_tail(&node.uid).to_owned()]);
    }

    fn replace_name(&mut self, node: &NodeRow) {
        self.replace(node, TextField::Name, node.name.clone());
    }

    fn replace_tags(&mut self, node: &NodeRow) {
        let tags = node.tags.as_deref().unwrap_or_default();
        let tags = map_to_json(Map::new(tags));
        self.replace(node, TextField::Tag, tags.values().map(tag_value_text));
        let keys = tags.keys().map(|key| tag_key_text(key));
        self.replace(node, TextField::TagKey, keys);
    }

    /// Replaces the texts of a node's aliases; `values` are the values of all its aliases.
    pub(super) fn replace_aliases<'v>(
        &mut self,
        node: &NodeRow,
        values: impl Iterator<Item = &'v str>,
    ) {
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
            text: normalize(&text),
        });
        self.by_field.insert((node.id, field), rows.collect());
    }

    /// The (node, field) pairs whose texts are replaced, and the new texts.
    pub(super) fn into_rows(self) -> (Vec<(NodeId, TextField)>, Vec<TextRow>) {
        let fields = self.by_field.keys().copied().collect();
        (fields, self.by_field.into_values().flatten().collect())
    }
}

/// The form in which texts are stored and compared: in lower case, cut to the stored length.
pub(super) fn normalize(text: &str) -> String {
    stored_text(&lowercase(text))
}

/// Converts a text to lower case, character by character, so that a substring of a text stays a substring of the
/// result. (`str::to_lowercase` converts a Σ depending on its neighbours.)
pub(super) fn lowercase(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// The part of a uid that differs among resources of one kind: in an ARN everything after the account, in any other uid
/// everything after the scheme.
pub(super) fn uid_tail(uid: &str) -> &str {
    if uid.starts_with("arn:") {
        let last = uid.splitn(6, ':').nth(5);
        return last.filter(|last| !last.is_empty()).unwrap_or(uid);
    }
    match uid.split_once("://") {
        Some((_, rest)) if !rest.is_empty() => rest,
        _ => uid,
    }
}

/// One character that represents the key of a tag, so that a filter by tag key needs no long texts. It is a hash of the
/// key in plane 15, which Unicode reserves for private use; two keys can have the same character.
pub(super) fn tag_key_text(key: &str) -> String {
    const FIRST: u32 = 0xF_0000;
    const COUNT: u64 = 0xFFFE;
    let character = char::from_u32(FIRST + (uid::hash(key) % COUNT) as u32);
    character.unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
}

/// The value of a tag as text: a string without quotes, any other value as JSON.
pub(super) fn tag_value_text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::uid_tail;

    #[test]
    fn uid_tail_starts_after_the_account_or_the_scheme() {
        let arn = "arn:aws:ec2:eu-west-1:1:security-group/sg-1";
        assert_eq!(uid_tail(arn), "security-group/sg-1");
        assert_eq!(uid_tail("svc://prod/shop/cart"), "prod/shop/cart");
        assert_eq!(uid_tail("plain"), "plain");
        assert_eq!(
            uid_tail("arn:aws:ec2:eu-west-1:1:"),
            "arn:aws:ec2:eu-west-1:1:"
        );
        assert_eq!(uid_tail("arn:aws:ec2"), "arn:aws:ec2");
        assert_eq!(uid_tail("svc://"), "svc://");
    }
}
