//! Properties of the texts by which a search finds nodes.

use super::fixture::{PropertyResult, create_nodes, sorted};
use crate::store::rows::{
    Backend, NodeId, ReadRows, RowsError, TextField, TextMatch, TextRow, WriteRows,
};

/// A text of a node. It is current if the id of the node is odd.
fn row(node: NodeId, field: TextField, text: &str) -> TextRow {
    let text = text.to_owned();
    TextRow {
        node,
        field,
        is_current: node % 2 == 1,
        text,
    }
}

/// Writes the texts, which replace all texts of their fields.
async fn put(write: &mut impl WriteRows, rows: &[TextRow]) -> Result<(), RowsError> {
    let fields: Vec<_> = rows.iter().map(|row| (row.node, row.field)).collect();
    write.put_texts(&fields, rows).await
}

/// Whether a search for `text` finds the row.
fn matches(row: &TextRow, text: &str, how: TextMatch) -> bool {
    match how {
        TextMatch::Exact => row.text == text,
        TextMatch::Prefix => row.text.starts_with(text),
        TextMatch::Substring => row.text.contains(text),
    }
}

/// Searches for a text by each kind of match and with several limits, and compares the results with `texts`. Does not
/// search for a substring of less than three characters, since it has no trigram.
async fn check(rows: &mut impl ReadRows, texts: &[TextRow], text: &str) -> PropertyResult {
    for how in [TextMatch::Exact, TextMatch::Prefix, TextMatch::Substring] {
        if how == TextMatch::Substring && text.chars().count() < 3 {
            continue;
        }
        let expected = texts.iter().filter(|row| matches(row, text, how)).cloned();
        let mut expected = expected.collect::<Vec<TextRow>>();
        expected.sort_by(|a, b| (a.field, a.node, &a.text).cmp(&(b.field, b.node, &b.text)));
        expected.dedup();
        for current in [true, false] {
            let expected = expected.iter().filter(|row| row.is_current == current);
            let expected: Vec<TextRow> = expected.cloned().collect();
            for limit in [0, 1, 2, 5, usize::MAX] {
                let found = rows.find_text(text, how, current, limit).await?;
                let page = &expected[..limit.min(expected.len())];
                assert_eq!(found.rows, page, "{limit} with {text:?}, {how:?}");
                assert_eq!(found.has_more, limit < expected.len(), "{text:?}, {how:?}");
            }
        }
    }
    Ok(())
}

pub(super) async fn texts_are_found_by_equality_prefix_and_substring<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b, c] = create_nodes(&mut write, ["a", "b", "c"]).await?;
    let rows = [
        row(a, TextField::Name, "web"),
        row(a, TextField::Uid, "arn:aws:web-1"),
        row(b, TextField::Name, "web-2"),
        row(b, TextField::Alias, "web.example"),
        row(b, TextField::Alias, "10.0.0.1"),
        row(b, TextField::Alias, "web"),
        row(c, TextField::Name, "cobweb"),
        row(c, TextField::Tag, "team=web"),
        row(c, TextField::Name, "w"),
        // A repeated row is found once.
        row(c, TextField::Tag, "team=web"),
    ];
    put(&mut write, &rows).await?;
    let texts = [
        "web",
        "we",
        "w",
        "arn:aws:web-1",
        "-2",
        "eb-",
        "10.0.0.1",
        "0.0",
        "webs",
        "nowhere",
    ];
    for text in texts {
        check(&mut write, &rows, text).await?;
    }
    write.commit().await?;
    let mut read = backend.read().await?;
    for text in texts {
        check(&mut read, &rows, text).await?;
    }
    Ok(())
}

pub(super) async fn found_texts_are_ordered_by_field_node_and_text<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let nodes = create_nodes(&mut write, ["z", "y", "x", "w"]).await?;
    let mut rows = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        for (number, field) in TextField::ALL.into_iter().enumerate() {
            // The alphabetical order of the texts is the reverse of the order of nodes and fields.
            let letter = char::from(b'z' - (index + number) as u8);
            rows.push(row(node, field, &format!("same {letter}")));
            rows.push(row(node, field, &format!("same a{letter}")));
        }
    }
    rows.reverse();
    put(&mut write, &rows).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    for text in ["same", "same ", "ame a", "same z"] {
        check(&mut read, &rows, text).await?;
    }
    Ok(())
}

pub(super) async fn all_characters_of_a_text_are_literal<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = create_nodes(&mut write, ["a", "b"]).await?;
    let texts = [
        "50%_off",
        "50xyoff",
        "a_b",
        "axb",
        "it's",
        "\"quoted\"",
        "a*b?c[d]",
        "axbxcxd",
        "near(x y)",
        "one two",
        "two one",
        "one-two",
        "äpfel",
        "apfel",
        "łódź",
        "lodz",
        "日本語ノード",
        "straße",
        "strasse",
        "back\\slash",
        "\u{10FFFF}\u{10FFFF}",
        "colon:name",
        "name : x",
        "+plus",
        "-minus",
        "not x",
        "a and b",
        "null",
        "1",
        "01",
        "{name}",
        "   ",
        "",
    ];
    let rows = texts
        .iter()
        .enumerate()
        .map(|(index, text)| row([a, b][index % 2], TextField::ALL[index % 4], text));
    let rows: Vec<TextRow> = rows.collect();
    put(&mut write, &rows).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let parts = [
        "50%",
        "%_o",
        "a_b",
        "_b",
        "it's",
        "'s",
        "\"quo",
        "quoted\"",
        "*b?",
        "[d]",
        "near(",
        "e t",
        "e-t",
        "äpf",
        "pfe",
        "apf",
        "łód",
        "ódź",
        "本語ノ",
        "ße",
        "traß",
        "\\sl",
        "\u{10FFFF}",
        "on:na",
        "me :",
        "+pl",
        "-mi",
        "not ",
        " and ",
        "{na",
        "   ",
        "one two",
        "\"",
        "\"\"\"",
        "a*",
        "%",
        "_",
        "***",
        "%%%",
    ];
    for text in texts.iter().chain(&parts).filter(|text| !text.is_empty()) {
        check(&mut read, &rows, text).await?;
    }
    Ok(())
}

pub(super) async fn put_texts_replaces_only_the_given_fields<B: Backend>(
    backend: &B,
) -> PropertyResult {
    check_replacement(backend, false).await
}

pub(super) async fn put_texts_replaces_texts_of_its_own_session<B: Backend>(
    backend: &B,
) -> PropertyResult {
    check_replacement(backend, true).await
}

/// Replaces texts with `put_texts`, in the session that wrote them or in a later one.
async fn check_replacement<B: Backend>(backend: &B, in_one_session: bool) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = create_nodes(&mut write, ["a", "b"]).await?;
    let rows = [
        row(a, TextField::Name, "web old"),
        row(a, TextField::Alias, "web first"),
        row(a, TextField::Alias, "web second"),
        row(a, TextField::Tag, "web tag"),
        row(b, TextField::Name, "web other"),
        row(b, TextField::Alias, "web alias"),
    ];
    put(&mut write, &rows).await?;
    if !in_one_session {
        write.commit().await?;
        write = backend.write().await?;
    }
    // The name of `a` changes, one of its aliases stays and its tag is removed. `b` keeps its alias.
    let fields = [
        (a, TextField::Name),
        (a, TextField::Alias),
        (a, TextField::Tag),
        (b, TextField::Name),
        (b, TextField::Uid),
    ];
    let new = [
        row(a, TextField::Name, "web new"),
        row(a, TextField::Alias, "web second"),
        row(b, TextField::Name, "web other"),
    ];
    write.put_texts(&fields, &new).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let mut expected = new.to_vec();
    expected.push(rows[5].clone());
    for text in [
        "web", "web old", "web new", "old", "first", "second", "tag", "other", "alias",
    ] {
        check(&mut read, &expected, text).await?;
    }
    let mut found = Vec::new();
    for current in [true, false] {
        let matches = read.find_text("web ", TextMatch::Prefix, current, 99);
        found.extend(matches.await?.rows);
    }
    assert_eq!(sorted(found), sorted(expected));
    Ok(())
}

pub(super) async fn texts_of_nodes_are_the_last_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b, c] = create_nodes(&mut write, ["a", "b", "c"]).await?;
    let rows = [
        row(a, TextField::Name, "web"),
        row(a, TextField::Alias, "10.0.0.1"),
        row(a, TextField::Alias, "süd \u{1f600} %_\"'"),
        row(a, TextField::Uid, "web"),
        row(b, TextField::Tag, "prod"),
    ];
    put(&mut write, &rows).await?;
    assert_eq!(
        sorted(write.texts_of(&[a, b]).await?),
        sorted(rows.to_vec())
    );
    write.commit().await?;

    let mut write = backend.write().await?;
    let fields = [(a, TextField::Alias), (a, TextField::Uid)];
    write.put_texts(&fields, &rows[1..2]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(
        sorted(read.texts_of(&[a, c, a]).await?),
        sorted(rows[..2].to_vec())
    );
    assert_eq!(read.texts_of(&[b]).await?, rows[4..]);
    assert_eq!(read.texts_of(&[c, 0, -1]).await?, []);
    Ok(())
}
