//! Properties of lists and counts of nodes.

use super::fixture::{
    MAX_TIME, NO_IDS, PropertyResult, intern_words, node_row, pairs, sorted_by, strings,
};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, CountRow, Listing, NO_WORD, NodeId, NodeRow, NodeRowFilter, ReadRows, RowsError,
    TextCondition, TextField, TextMatch, TextRow, WriteRows,
};

/// Whether the filter, without its texts, matches the row.
fn matches(row: &NodeRow, filter: &NodeRowFilter) -> bool {
    let is_word = |word, required| required == NO_WORD || word == required;
    let is_listed = match row.listing {
        Listing::None => false,
        Listing::Current => true,
        Listing::Ended => filter.include_ended,
    };
    is_listed
        && (filter.kinds.is_empty() || filter.kinds.contains(&row.kind))
        && is_word(row.provider, filter.provider)
        && is_word(row.account, filter.account)
        && is_word(row.region, filter.region)
}

pub(super) async fn list_applies_every_combination_of_filters<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [vm, disk, never, aws, gcp, one, two, west, east] = intern_words(
        &mut write,
        [
            "vm",
            "disk",
            "never",
            "aws",
            "gcp",
            "1",
            "2",
            "eu-west-1",
            "eu-east-1",
        ],
    )
    .await?;
    let listings = [
        Listing::Current,
        Listing::None,
        Listing::Ended,
        Listing::Current,
    ];
    let kinds = pairs(&[vm, disk, NO_WORD], &[aws, gcp]);
    let locations = pairs(&[one, two], &[west, NO_WORD, east]);
    let mut rows = Vec::new();
    for (index, (kind, location)) in pairs(&kinds, &locations).into_iter().enumerate() {
        rows.push(NodeRow {
            listing: listings[index % 4],
            has_lifecycle: true,
            ended: (index % 4 == 2).then_some(MAX_TIME),
            kind: kind.0,
            provider: kind.1,
            account: location.0,
            region: location.1,
            ..node_row(0, &format!("node-{index}"))
        });
    }
    put(&mut write, &mut rows).await?;
    write.commit().await?;

    let mut read = backend.read().await?;
    let kinds = [vec![], vec![vm], vec![disk, vm, disk], vec![never]];
    let kinds = pairs(&kinds, &[NO_WORD, aws, never]);
    let locations = pairs(&[NO_WORD, two], &[NO_WORD, west]);
    for ((kinds, location), include_ended) in pairs(&pairs(&kinds, &locations), &[false, true]) {
        let filter = NodeRowFilter {
            kinds: kinds.0,
            provider: kinds.1,
            account: location.0,
            region: location.1,
            include_ended,
            ..NodeRowFilter::default()
        };
        let expected = rows.iter().filter(|row| matches(row, &filter));
        let expected: Vec<NodeId> = expected.map(|row| row.id).collect();
        for limit in [1, 5, 100, usize::MAX] {
            let mut after = 0;
            for chunk in expected.chunks(limit).chain([&[][..]]) {
                let found = read.list(&filter, after, limit).await?;
                assert_eq!(found, chunk, "{limit} of {filter:?} after {after}");
                after = chunk.last().copied().unwrap_or(after);
            }
        }
        assert_eq!(read.list(&filter, 0, 0).await?, NO_IDS);
    }
    drop(read);

    let mut write = backend.write().await?;
    rows[0].listing = Listing::None;
    rows[1].listing = Listing::Current;
    rows[4].provider = gcp;
    write.put_nodes(&rows).await?;
    write.commit().await?;
    let filter = NodeRowFilter {
        provider: aws,
        ..NodeRowFilter::default()
    };
    let expected = rows.iter().filter(|row| matches(row, &filter));
    let expected: Vec<NodeId> = expected.map(|row| row.id).collect();
    let found = backend.read().await?.list(&filter, 0, 100).await?;
    assert_eq!(found, expected, "a list matches the changed rows");
    Ok(())
}

/// Creates a node for each row, sets the ids of the rows, and writes the rows and the texts of their uids and names.
async fn put(write: &mut impl WriteRows, rows: &mut [NodeRow]) -> Result<(), RowsError> {
    let mut texts = Vec::new();
    for row in &mut *rows {
        let created = write.node_ids(std::slice::from_ref(&row.uid)).await?;
        row.id = created[0].0;
        let mut text = |field, text: &str| {
            let text = text.to_lowercase();
            texts.push(TextRow {
                node: row.id,
                field,
                is_current: row.listing == Listing::Current,
                text,
            });
        };
        text(TextField::Uid, &row.uid);
        if let Some(name) = &row.name {
            text(TextField::Name, name);
        }
    }
    write.put_nodes(rows).await?;
    let fields: Vec<_> = texts.iter().map(|row| (row.node, row.field)).collect();
    write.put_texts(&fields, &texts).await
}

/// Reads all pages of a list with several limits and compares them with `expected`.
async fn check(
    read: &mut impl ReadRows,
    filter: &NodeRowFilter,
    expected: &[NodeId],
) -> PropertyResult {
    for limit in [1, 2, 100] {
        let mut found = Vec::new();
        loop {
            let after = found.last().copied().unwrap_or(0);
            let page = read.list(filter, after, limit).await?;
            assert!(page.len() <= limit, "{page:?} of at most {limit}");
            found.extend_from_slice(&page);
            if page.len() < limit {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?} in pages of {limit}");
    }
    Ok(())
}

fn condition(field: TextField, how: TextMatch, text: &str) -> TextCondition {
    TextCondition {
        field,
        mode: how,
        text: text.to_owned(),
    }
}

pub(super) async fn list_matches_names_and_uids<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [vm] = intern_words(&mut write, ["vm"]).await?;
    let uids = [
        "arn:aws:Web-1",
        "x",
        "arn:x/50%_a",
        "svc:////cart",
        "arn:y",
        "i-0123",
        "z",
    ];
    let names = [
        None,
        Some("ÄPFEL Web"),
        Some("it's \"quoted\" *"),
        Some(""),
        Some("web-2"),
        Some("ŁÓDŹ"),
        Some("日本語ノード"),
    ];
    let listings = [Listing::Current, Listing::Ended, Listing::Current];
    let rows = uids
        .iter()
        .zip(names)
        .zip([NO_WORD, vm].into_iter().cycle())
        .zip(listings.into_iter().cycle());
    let rows = rows.map(|(((uid, name), kind), listing)| NodeRow {
        listing,
        kind,
        name: name.map(str::to_owned),
        ..node_row(0, uid)
    });
    let mut rows: Vec<NodeRow> = rows.collect();
    put(&mut write, &mut rows).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let texts = [
        "web",
        "äpfel",
        "pfel w",
        "łódź",
        "日本語",
        "語",
        "50%_a",
        "%",
        "_",
        "it's",
        "\"quoted\"",
        "*",
        "w",
        "i-",
        "arn:aws:web-1",
        "////",
        "nowhere",
    ];
    let kinds = pairs(&[vec![], vec![vm]], &[false, true]);
    for (text, (kinds, include_ended)) in pairs(&texts, &kinds) {
        let is_short = text.chars().count() < 3;
        let how = match is_short {
            true => TextMatch::Prefix,
            false => TextMatch::Substring,
        };
        let fields = [TextField::Name, TextField::Uid];
        let any = fields.map(|field| condition(field, how, text));
        let filter = NodeRowFilter {
            kinds,
            include_ended,
            texts: vec![any.into()],
            ..NodeRowFilter::default()
        };
        let expected = rows
            .iter()
            .filter(|row| matches(row, &filter))
            .filter(|row| {
                let texts = [row.name.as_deref().unwrap_or_default(), &row.uid];
                texts.iter().any(|found| match is_short {
                    true => found.to_lowercase().starts_with(text),
                    false => found.to_lowercase().contains(text),
                })
            });
        let expected: Vec<NodeId> = expected.map(|row| row.id).collect();
        check(&mut read, &filter, &expected).await?;
    }
    Ok(())
}

pub(super) async fn list_requires_a_match_of_every_text<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [vm] = intern_words(&mut write, ["vm"]).await?;
    let mut rows: Vec<NodeRow> = (0..6)
        .map(|number| NodeRow {
            listing: Listing::Current,
            kind: if number % 2 == 0 { vm } else { NO_WORD },
            changed: UnixNanos(number),
            ..node_row(0, &format!("node-{number}"))
        })
        .collect();
    put(&mut write, &mut rows).await?;
    let tags: [&[&str]; 6] = [
        &["shop", "prod"],
        &["shop", "test"],
        &["shop"],
        &["shopping", "prod"],
        &[],
        &["prod", "shop", "it's \"50%\""],
    ];
    let texts = rows.iter().zip(tags).flat_map(|(row, tags)| {
        tags.iter().map(|tag| TextRow {
            node: row.id,
            field: TextField::Tag,
            is_current: true,
            text: (*tag).to_owned(),
        })
    });
    let texts: Vec<TextRow> = texts.collect();
    let fields: Vec<_> = rows.iter().map(|row| (row.id, TextField::Tag)).collect();
    write.put_texts(&fields, &texts).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let cases: [(&[&str], &[usize]); 6] = [
        (&["shop"], &[0, 1, 2, 5]),
        (&["shop", "prod"], &[0, 5]),
        (&["prod"], &[0, 3, 5]),
        (&["it's \"50%\"", "shop"], &[5]),
        (&["never"], &[]),
        (&["shop", "never"], &[]),
    ];
    for ((tags, expected), kinds) in pairs(&cases, &[vec![], vec![vm]]) {
        let exact = |tag: &&str| vec![condition(TextField::Tag, TextMatch::Exact, tag)];
        let filter = NodeRowFilter {
            kinds,
            texts: tags.iter().map(exact).collect(),
            ..NodeRowFilter::default()
        };
        let expected = expected.iter().map(|&index| &rows[index]);
        let expected = expected.filter(|row| matches(row, &filter));
        let expected: Vec<NodeId> = expected.map(|row| row.id).collect();
        check(&mut read, &filter, &expected).await?;

        // Nodes that changed after 3 are listed too, even if the filter does not match them.
        let filter = NodeRowFilter {
            changed_after: Some(UnixNanos(3)),
            ..filter
        };
        let changed = rows.iter().filter(|row| row.changed > UnixNanos(3));
        let mut all: Vec<NodeId> = expected
            .into_iter()
            .chain(changed.map(|row| row.id))
            .collect();
        all.sort_unstable();
        all.dedup();
        check(&mut read, &filter, &all).await?;
    }
    Ok(())
}

pub(super) async fn counts_add_up<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [vm, disk, aws] = intern_words(&mut write, ["vm", "disk", "aws"]).await?;
    let count = |kind, provider, count| CountRow {
        kind,
        provider,
        count,
    };
    let changes = [
        count(vm, aws, 2),
        count(disk, aws, 1),
        count(vm, NO_WORD, 5),
        count(vm, aws, 3),
        count(NO_WORD, NO_WORD, 4),
        count(disk, NO_WORD, 1),
        count(disk, NO_WORD, -1),
    ];
    write.add_counts(&changes).await?;
    let in_order = |rows| sorted_by(rows, |row: &CountRow| *row);
    let expected = vec![
        count(vm, aws, 5),
        count(disk, aws, 1),
        count(vm, NO_WORD, 5),
        count(NO_WORD, NO_WORD, 4),
    ];
    assert_eq!(in_order(write.counts().await?), in_order(expected));
    write.commit().await?;

    let mut write = backend.write().await?;
    let changes = [
        count(disk, aws, -1),
        count(vm, aws, -2),
        count(vm, NO_WORD, 1),
    ];
    write.add_counts(&changes).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let expected = vec![
        count(vm, aws, 3),
        count(vm, NO_WORD, 6),
        count(NO_WORD, NO_WORD, 4),
    ];
    assert_eq!(in_order(read.counts().await?), in_order(expected));
    // Writing a node does not change the counts.
    drop(read);
    let mut write = backend.write().await?;
    let created = write.node_ids(&strings(&["a"])).await?;
    let listed = NodeRow {
        listing: Listing::Current,
        kind: disk,
        ..node_row(created[0].0, "a")
    };
    write.put_nodes(&[listed]).await?;
    assert_eq!(write.counts().await?.len(), 3);
    Ok(())
}
