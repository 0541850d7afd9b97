//! Lists of nodes, and how many there are.

use super::fixture::{Checked, EVER, NONE, by, node, pairs, strings, words};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, CountRow, Listing, NO_WORD, NodeId, NodeRow, ReadRows, RowFilter, RowsError,
    TextField, TextMatch, TextRow, WantedText, WriteRows,
};

fn fits(row: &NodeRow, filter: &RowFilter) -> bool {
    let is_of = |word, wanted| wanted == NO_WORD || word == wanted;
    let is_listed = match row.listing {
        Listing::None => false,
        Listing::Current => true,
        Listing::Ended => filter.with_ended,
    };
    is_listed
        && (filter.kinds.is_empty() || filter.kinds.contains(&row.kind))
        && is_of(row.provider, filter.provider)
        && is_of(row.account, filter.account)
        && is_of(row.region, filter.region)
}

pub(super) async fn list_fits_each_combination_of_filters<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let [vm, disk, never, aws, gcp, one, two, west, east] = words(
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
    let places = pairs(&[one, two], &[west, NO_WORD, east]);
    let mut rows = Vec::new();
    for (index, (of, place)) in pairs(&kinds, &places).into_iter().enumerate() {
        rows.push(NodeRow {
            listing: listings[index % 4],
            has_lifecycle: true,
            ended: (index % 4 == 2).then_some(EVER),
            kind: of.0,
            provider: of.1,
            account: place.0,
            region: place.1,
            ..node(0, &format!("node-{index}"))
        });
    }
    put(&mut write, &mut rows).await?;
    write.commit().await?;

    let mut read = backend.read().await?;
    let kinds = [vec![], vec![vm], vec![disk, vm, disk], vec![never]];
    let of = pairs(&kinds, &[NO_WORD, aws, never]);
    let places = pairs(&[NO_WORD, two], &[NO_WORD, west]);
    for ((of, place), with_ended) in pairs(&pairs(&of, &places), &[false, true]) {
        let filter = RowFilter {
            kinds: of.0,
            provider: of.1,
            account: place.0,
            region: place.1,
            with_ended,
            ..RowFilter::default()
        };
        let fitting = rows.iter().filter(|row| fits(row, &filter));
        let fitting: Vec<NodeId> = fitting.map(|row| row.id).collect();
        for limit in [1, 5, 100, usize::MAX] {
            let mut after = 0;
            for chunk in fitting.chunks(limit).chain([&[][..]]) {
                let found = read.list(&filter, after, limit).await?;
                assert_eq!(found, chunk, "{limit} of {filter:?} after {after}");
                after = chunk.last().copied().unwrap_or(after);
            }
        }
        assert_eq!(read.list(&filter, 0, 0).await?, NONE);
    }
    drop(read);

    let mut write = backend.write().await?;
    rows[0].listing = Listing::None;
    rows[1].listing = Listing::Current;
    rows[4].provider = gcp;
    write.put_nodes(&rows).await?;
    write.commit().await?;
    let filter = RowFilter {
        provider: aws,
        ..RowFilter::default()
    };
    let fitting = rows.iter().filter(|row| fits(row, &filter));
    let fitting: Vec<NodeId> = fitting.map(|row| row.id).collect();
    let found = backend.read().await?.list(&filter, 0, 100).await?;
    assert_eq!(found, fitting, "a list follows its rows");
    Ok(())
}

/// Puts nodes with all their texts, and sets their numbers.
async fn put(write: &mut impl WriteRows, rows: &mut [NodeRow]) -> Result<(), RowsError> {
    let mut texts = Vec::new();
    for row in &mut *rows {
        let made = write.node_ids(std::slice::from_ref(&row.uid)).await?;
        row.id = made[0].0;
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

/// Reads all pages of a list.
async fn check(read: &mut impl ReadRows, filter: &RowFilter, fitting: &[NodeId]) -> Checked {
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
        assert_eq!(found, fitting, "{filter:?} by {limit}");
    }
    Ok(())
}

fn wanted(field: TextField, how: TextMatch, text: &str) -> WantedText {
    WantedText {
        field,
        how,
        text: text.to_owned(),
    }
}

pub(super) async fn list_finds_names_and_uids<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let [vm] = words(&mut write, ["vm"]).await?;
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
        ..node(0, uid)
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
    for (text, (kinds, with_ended)) in pairs(&texts, &kinds) {
        let is_short = text.chars().count() < 3;
        let how = match is_short {
            true => TextMatch::Prefix,
            false => TextMatch::Part,
        };
        let fields = [TextField::Name, TextField::Uid];
        let any = fields.map(|field| wanted(field, how, text));
        let filter = RowFilter {
            kinds,
            with_ended,
            texts: vec![any.into()],
            ..RowFilter::default()
        };
        let fitting = rows.iter().filter(|row| fits(row, &filter)).filter(|row| {
            let texts = [row.name.as_deref().unwrap_or_default(), &row.uid];
            texts.iter().any(|found| match is_short {
                true => found.to_lowercase().starts_with(text),
                false => found.to_lowercase().contains(text),
            })
        });
        let fitting: Vec<NodeId> = fitting.map(|row| row.id).collect();
        check(&mut read, &filter, &fitting).await?;
    }
    Ok(())
}

pub(super) async fn list_finds_each_of_several_texts<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let [vm] = words(&mut write, ["vm"]).await?;
    let mut rows: Vec<NodeRow> = (0..6)
        .map(|number| NodeRow {
            listing: Listing::Current,
            kind: if number % 2 == 0 { vm } else { NO_WORD },
            changed: UnixNanos(number),
            ..node(0, &format!("node-{number}"))
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
    for ((tags, fitting), kinds) in pairs(&cases, &[vec![], vec![vm]]) {
        let exact = |tag: &&str| vec![wanted(TextField::Tag, TextMatch::Exact, tag)];
        let filter = RowFilter {
            kinds,
            texts: tags.iter().map(exact).collect(),
            ..RowFilter::default()
        };
        let of = fitting.iter().map(|&index| &rows[index]);
        let of = of.filter(|row| fits(row, &filter));
        let of: Vec<NodeId> = of.map(|row| row.id).collect();
        check(&mut read, &filter, &of).await?;

        // Those that changed later are listed as well, whatever they are.
        let filter = RowFilter {
            changed_after: Some(UnixNanos(3)),
            ..filter
        };
        let later = rows.iter().filter(|row| row.changed > UnixNanos(3));
        let mut all: Vec<NodeId> = of.into_iter().chain(later.map(|row| row.id)).collect();
        all.sort_unstable();
        all.dedup();
        check(&mut read, &filter, &all).await?;
    }
    Ok(())
}

pub(super) async fn counts_add_up<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let [vm, disk, aws] = words(&mut write, ["vm", "disk", "aws"]).await?;
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
    let in_order = |rows| by(rows, |row: &CountRow| *row);
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
    // Nodes are not counted by themselves.
    drop(read);
    let mut write = backend.write().await?;
    let made = write.node_ids(&strings(&["a"])).await?;
    let listed = NodeRow {
        listing: Listing::Current,
        kind: disk,
        ..node(made[0].0, "a")
    };
    write.put_nodes(&[listed]).await?;
    assert_eq!(write.counts().await?.len(), 3);
    Ok(())
}
