//! Properties of the check of the current rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fixture::{DAY, HOUR, edges, id_of, seen, seen_alias, seen_edge, store, tags, write};
use crate::claims::{ClaimClass, Removal};
use crate::component::UnixNanos;
use crate::reports::{AliasItem, ReportBatch, ScanCompletion, SnapshotItems, SnapshotReport};
use crate::scan_members::Members;
use crate::store::rows::{
    AliasRow, Backend, CountRow, EdgePage, EdgeRow, Listing, NodeId, NodeRow, Projection,
    ReadRows as _, TextField, TextMatch, TextRow, WriteRows as _,
};
use crate::store::{CheckReport, CheckedTable, Store};
use crate::uid;

/// A way to damage the current rows.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Edge,
    Alias,
    Name,
    Listing(&'static str),
    SameAs,
    Text,
    FormerText,
    Count,
    Contested,
}

/// All ways, each with the table in which the check finds it.
const DAMAGES: [(Damage, CheckedTable); 10] = [
    (Damage::Edge, CheckedTable::Edges),
    (Damage::Alias, CheckedTable::Aliases),
    (Damage::Name, CheckedTable::Nodes),
    (Damage::Listing("b"), CheckedTable::Nodes),
    (Damage::Listing("gone"), CheckedTable::Nodes),
    (Damage::SameAs, CheckedTable::Nodes),
    (Damage::Text, CheckedTable::Texts),
    (Damage::FormerText, CheckedTable::Texts),
    (Damage::Count, CheckedTable::Counts),
    (Damage::Contested, CheckedTable::Contested),
];

fn completion<'a>(scope: &'a str, began: u64, uids: &[&str]) -> ScanCompletion<'a> {
    let members = uids.iter().map(|uid| (uid::hash(uid), 1));
    ScanCompletion {
        class: ClaimClass::Actual,
        source: "aws",
        scope,
        began: UnixNanos(began),
        members: Arc::new(Members::new(members.collect())),
        miss: Removal::Deleted,
    }
}

/// Writes the nodes `a`, `b`, `svc` and `gone`. `a` has edges and names, and `svc` is merged into it. The scopes `s`
/// and `silent` both report `gone`. Two days after the last scan of `silent`, a scan of `s` misses `gone`.
async fn fill<B: Backend>(store: &Store<B>) {
    let tags = tags();
    let mut a = seen("a", ClaimClass::Actual, "s", DAY, 1);
    a.content.as_mut().unwrap().tags = Some(&tags);
    let names = ["a.example", "10.0.0.1"].map(|value| AliasItem {
        kind: "dns",
        value,
        within: "",
        valid_from: None,
        valid_to: None,
    });
    let reports = ReportBatch {
        sightings: vec![
            a,
            seen("b", ClaimClass::Actual, "s", DAY, 1),
            seen("gone", ClaimClass::Actual, "s", DAY, 1),
            seen("gone", ClaimClass::Actual, "silent", DAY, 1),
        ],
        snapshots: vec![
            edges("a", "s", DAY, 1, &["b", "c"]),
            SnapshotReport {
                uid: "a",
                source: "aws",
                scope: "s",
                time: UnixNanos(DAY),
                state: Some(1),
                items: SnapshotItems::Aliases(names.to_vec()),
            },
        ],
        completions: vec![
            completion("s", DAY, &["a", "b", "gone"]),
            completion("silent", DAY, &["gone"]),
        ],
        ..ReportBatch::default()
    };
    write(store, DAY, reports).await;
    let later = 3 * DAY;
    let reports = ReportBatch {
        sightings: vec![seen("svc", ClaimClass::Telemetry, "", later, 5)],
        edges: vec![seen_edge("b", "svc", later)],
        aliases: vec![
            seen_alias("svc", "dns", "svc.local", later),
            seen_alias("only-named", "dns", "named.local", later),
        ],
        completions: vec![completion("s", later, &["a", "b"])],
        ..ReportBatch::default()
    };
    write(store, later, reports).await;
    let reports = ReportBatch {
        aliases: vec![seen_alias("a", "same_as", "svc", later + HOUR)],
        ..ReportBatch::default()
    };
    write(store, later + HOUR, reports).await;
}

/// Damages current rows of the graph of [`fill`].
async fn damage<B: Backend>(store: &Store<B>, damage: Damage) {
    let id = async |uid| id_of(store, uid).await.unwrap();
    let mut rows = store.backend().write().await.unwrap();
    match damage {
        Damage::Edge => {
            let page = EdgePage {
                after: None,
                limit: 1,
            };
            let edges = rows.edges_out(&[id("a").await], &[], &page).await.unwrap();
            rows.remove_edges(&[edges[0].key]).await.unwrap();
        }
        Damage::Alias => {
            let aliases = rows.aliases(&[id("a").await]).await.unwrap();
            let scanned = aliases.into_iter().find(|row| !row.key.is_observation);
            rows.remove_aliases(&[scanned.unwrap().key]).await.unwrap();
        }
        Damage::Name => change_node(&mut rows, id("a").await, |row| row.name = None).await,
        Damage::Listing(uid) => {
            change_node(&mut rows, id(uid).await, |row| {
                row.listing = match row.listing {
                    Listing::Current => Listing::Ended,
                    _ => Listing::Current,
                };
            })
            .await;
        }
        Damage::SameAs => change_node(&mut rows, id("svc").await, |row| row.same_as = None).await,
        Damage::Text => {
            let field = (id("a").await, TextField::Tag);
            rows.put_texts(&[field], &[]).await.unwrap();
        }
        Damage::FormerText => {
            let node = id("b").await;
            let text = TextRow {
                node,
                field: TextField::Alias,
                is_current: true,
                text: "former".to_owned(),
            };
            let field = (node, TextField::Alias);
            rows.put_texts(&[field], &[text]).await.unwrap();
        }
        Damage::Count => {
            let count = rows.counts().await.unwrap().remove(0);
            let more = CountRow { count: 3, ..count };
            rows.add_counts(&[more]).await.unwrap();
        }
        Damage::Contested => rows.remove_contested(&[id("gone").await]).await.unwrap(),
    }
    rows.commit().await.unwrap();
}

/// Rewrites the row of a node.
async fn change_node<W: crate::store::rows::WriteRows>(
    rows: &mut W,
    id: NodeId,
    change: impl FnOnce(&mut NodeRow),
) {
    let mut found = rows.nodes(&[id], Projection::Full).await.unwrap();
    change(&mut found[0]);
    rows.put_nodes(&found).await.unwrap();
}

/// All current rows: nodes by id, edges, aliases, texts and counts, each in order.
type CurrentRows = (
    BTreeMap<NodeId, NodeRow>,
    Vec<EdgeRow>,
    Vec<AliasRow>,
    Vec<TextRow>,
    Vec<CountRow>,
);

async fn current_rows<B: Backend>(store: &Store<B>) -> CurrentRows {
    let mut rows = store.backend().read().await.unwrap();
    let ids = rows.node_page(0, 1000).await.unwrap();
    let page = EdgePage {
        after: None,
        limit: 1000,
    };
    let nodes = rows.nodes(&ids, Projection::Full).await.unwrap();
    let nodes = nodes.into_iter().map(|row| (row.id, row)).collect();
    let mut edges = rows.edges_out(&ids, &[], &page).await.unwrap();
    edges.sort_by_key(|row| row.key);
    let mut aliases = rows.aliases(&ids).await.unwrap();
    aliases.sort_by(|one, other| one.key.cmp(&other.key));
    let mut texts = rows.texts_of(&ids).await.unwrap();
    texts.sort();
    let mut counts = rows.counts().await.unwrap();
    counts.sort();
    (nodes, edges, aliases, texts, counts)
}

async fn check<B: Backend>(store: &Store<B>, rebuild: bool) -> CheckReport {
    store.check(rebuild).await.unwrap()
}

pub(super) async fn check_finds_and_repairs_damaged_rows<B: Backend>(one: B, _: B) {
    let store = store(one);
    fill(&store).await;
    let before = current_rows(&store).await;
    let healthy = check(&store, false).await;
    assert!(healthy.is_clean(), "{healthy:?}");
    assert_eq!(healthy.nodes, before.0.len() as u64);
    for (damaged, table) in DAMAGES {
        damage(&store, damaged).await;
        let found = check(&store, false).await;
        assert!(found.totals.contains_key(&table), "{damaged:?}: {found:?}");
        assert_eq!(found.repaired, 0);
        let repaired = check(&store, true).await;
        assert!(repaired.repaired > 0, "{damaged:?}: {repaired:?}");
        let after = check(&store, true).await;
        assert!(after.is_clean(), "{damaged:?}: {after:?}");
        assert_eq!(after.repaired, 0);
        assert_eq!(current_rows(&store).await, before, "{damaged:?}");
    }
    for (damaged, _) in DAMAGES {
        damage(&store, damaged).await;
    }
    let found = check(&store, true).await;
    let kinds: Vec<CheckedTable> = found.totals.keys().copied().collect();
    assert_eq!(kinds.len(), 6, "{found:?}");
    let after = check(&store, false).await;
    assert!(after.is_clean(), "{after:?}");
    assert_eq!(current_rows(&store).await, before);
}

/// A late scan makes the stale claim of `silent` count again, so `gone` exists again. The claim was open throughout and
/// no snapshot changed, so the texts change only because of the existence of the node.
pub(super) async fn node_that_exists_again_has_current_texts<B: Backend>(one: B, _: B) {
    let store = store(one);
    fill(&store).await;
    let later = 3 * DAY + 2 * HOUR;
    let alias = ReportBatch {
        aliases: vec![seen_alias("gone", "dns", "gone.local", later)],
        ..ReportBatch::default()
    };
    write(&store, later, alias).await;
    let count_hits = async |current| {
        let mut rows = store.backend().read().await.unwrap();
        let hits = rows.find_text("gone.local", TextMatch::Exact, current, 9);
        hits.await.unwrap().rows.len()
    };
    assert_eq!((count_hits(true).await, count_hits(false).await), (0, 1));
    // With this scan, `silent` was active less than a day before the other scope reported the deletion.
    let again = ReportBatch {
        completions: vec![completion("silent", 3 * DAY - HOUR, &["gone"])],
        ..ReportBatch::default()
    };
    write(&store, later, again).await;
    assert_eq!((count_hits(true).await, count_hits(false).await), (1, 0));
    let healthy = check(&store, false).await;
    assert!(healthy.is_clean(), "{healthy:?}");
}
