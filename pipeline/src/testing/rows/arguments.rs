//! Properties of calls with empty arguments, unknown keys and many keys.

use super::fixture::{MAX_TIME, NO_IDS, PropertyResult, strings};
use crate::claims::ClaimClass;
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, AliasRow, Backend, EdgeKey, EdgePage, NO_WORD, NodeId, NodeRowFilter, Projection,
    ReadRows, ScopeKey, SnapshotKey, SnapshotKind, StatsResolution, TextHits, TextMatch,
    VersionKey, VersionRow, WriteRows,
};

const ALL: EdgePage = EdgePage {
    after: None,
    limit: usize::MAX,
};

pub(super) async fn empty_arguments_read_and_change_nothing<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    assert_eq!(write.words(&[]).await?, NO_IDS);
    assert_eq!(write.node_ids(&[]).await?, []);
    write.put_nodes(&[]).await?;
    write.put_claims(&[]).await?;
    write.put_past_claims(&[]).await?;
    write.remove_claims(&[]).await?;
    write.put_versions(&[]).await?;
    write.put_snapshots(&[]).await?;
    write.put_edges(&[]).await?;
    assert_eq!(write.observe_edges(&[]).await?, [false; 0]);
    write.remove_edges(&[]).await?;
    write.put_past_edges(&[]).await?;
    write.put_aliases(&[]).await?;
    assert_eq!(write.observe_aliases(&[]).await?, [false; 0]);
    write.remove_aliases(&[]).await?;
    write.put_past_aliases(&[]).await?;
    write.put_scopes(&[]).await?;
    write.put_contested(&[]).await?;
    write.remove_contested(&[]).await?;
    write.remove_scopes(&[]).await?;
    write.put_texts(&[], &[]).await?;
    write.add_counts(&[]).await?;
    write
        .remove_edge_stats(StatsResolution::Hour, &[], UnixNanos(0), UnixNanos(9))
        .await?;
    write.remove_records(&[]).await?;
    write.remove_versions(&[]).await?;
    write.remove_snapshots(&[]).await?;
    write.remove_past_edges(&[]).await?;
    write.remove_past_aliases(&[]).await?;
    write.remove_nodes(&[]).await?;
    write.put_edge_stats(StatsResolution::Minute, &[]).await?;
    write.put_records(&[]).await?;
    write.commit().await?;

    let mut read = backend.read().await?;
    assert_eq!(read.find_words(&[]).await?, NO_IDS);
    assert_eq!(read.texts(&[]).await?, strings(&[]));
    assert_eq!(read.find_nodes(&[]).await?, []);
    check_nothing(&mut read, &[]).await?;
    assert_eq!(read.nodes_by_hash(&[]).await?, []);
    assert_eq!(read.versions(&[], Projection::Full).await?, []);
    assert_eq!(read.snapshots(&[]).await?, []);
    assert_eq!(read.aliases_by_value(&[]).await?, []);
    assert_eq!(read.past_owners(&[]).await?, []);
    assert_eq!(read.records(&[]).await?, []);
    assert_eq!(
        read.records_of(&[], &[], UnixNanos(0), MAX_TIME, 9).await?,
        []
    );
    assert_eq!(backend.last_commit().await?, 0);
    Ok(())
}

/// Checks that reads of these nodes return nothing, and that reads without node arguments return nothing either.
async fn check_nothing(read: &mut impl ReadRows, nodes: &[NodeId]) -> PropertyResult {
    assert_eq!(read.nodes(nodes, Projection::Full).await?, []);
    assert_eq!(read.merged_into(nodes).await?, []);
    assert_eq!(read.claims(nodes).await?, []);
    assert_eq!(read.past_claims(nodes, UnixNanos(0)).await?, []);
    assert_eq!(read.edges_out(nodes, &[], &ALL).await?, []);
    assert_eq!(read.edges_in(nodes, &[], &ALL).await?, []);
    assert_eq!(read.past_edges_in(nodes, &[], None, usize::MAX).await?, []);
    assert_eq!(read.aliases(nodes).await?, []);
    assert_eq!(read.aliases_of_kinds(&[], 0, usize::MAX).await?, []);
    assert_eq!(read.scopes(None).await?, []);
    assert_eq!(read.scopes(Some(&[])).await?, []);
    assert_eq!(read.words_with_prefix("").await?, NO_IDS);
    let filter = NodeRowFilter {
        include_ended: true,
        ..NodeRowFilter::default()
    };
    assert_eq!(read.list(&filter, 0, usize::MAX).await?, NO_IDS);
    assert_eq!(read.counts().await?, []);
    assert_eq!(
        read.edge_stats(StatsResolution::Minute, UnixNanos(0), MAX_TIME)
            .await?,
        []
    );
    Ok(())
}

pub(super) async fn unknown_keys_read_nothing<B: Backend>(backend: &B) -> PropertyResult {
    let mut read = backend.read().await?;
    let (node, word) = (77, 88);
    check_nothing(&mut read, &[node]).await?;
    assert_eq!(read.find_words(&strings(&["never"])).await?, [NO_WORD]);
    assert_eq!(read.texts(&[word]).await?, [""]);
    assert_eq!(read.find_nodes(&strings(&["never"])).await?, [None]);
    assert_eq!(read.nodes_by_hash(&[0, u64::MAX]).await?, []);
    let scope = ScopeKey {
        class: ClaimClass::Actual,
        source: word,
        scope: word,
    };
    assert_eq!(read.open_claims(scope, 0, usize::MAX).await?, []);
    assert_eq!(read.ended_claims(scope, UnixNanos(0)).await?, []);
    assert_eq!(read.members(scope, u64::MAX).await?, None);
    assert_eq!(read.contested(scope).await?, NO_IDS);
    assert_eq!(read.scopes(Some(&[word])).await?, []);
    let version = VersionKey {
        node,
        source: word,
        scope: word,
        state: u64::MAX,
    };
    assert_eq!(read.versions(&[version], Projection::Full).await?, []);
    let snapshot = SnapshotKey {
        node,
        kind: SnapshotKind::Edges,
        hash: u64::MAX,
    };
    assert_eq!(read.snapshots(&[snapshot]).await?, []);
    assert_eq!(read.aliases_of_kinds(&[word], 0, usize::MAX).await?, []);
    assert_eq!(read.aliases_by_value(&strings(&["never"])).await?, []);
    assert_eq!(read.past_owners(&strings(&["never"])).await?, []);
    for how in [TextMatch::Exact, TextMatch::Prefix, TextMatch::Substring] {
        let found = read.find_text("never", how, true, usize::MAX).await?;
        assert_eq!(found, TextHits::default());
    }
    let record = (word, "never".to_owned(), UnixNanos(1));
    assert_eq!(read.records(&[record]).await?, []);
    let uids = strings(&["never"]);
    assert_eq!(
        read.records_of(&uids, &[word], UnixNanos(0), MAX_TIME, 9)
            .await?,
        []
    );
    Ok(())
}

/// More keys than the parameters that an SQL statement may have.
const MANY: usize = 40_000;

pub(super) async fn calls_accept_40_000_keys<B: Backend>(backend: &B) -> PropertyResult {
    let uids: Vec<String> = (0..MANY).map(|number| format!("uid-{number}")).collect();
    let mut write = backend.write().await?;
    let created = write.node_ids(&uids).await?;
    let ids: Vec<NodeId> = created.iter().map(|(id, _)| *id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
    let words = write.words(&uids).await?;
    let version = |&node: &NodeId| VersionRow {
        key: VersionKey {
            node,
            source: words[0],
            scope: words[1],
            state: 1,
        },
        content: None,
        edges: Some(1),
        aliases: None,
        written: UnixNanos(0),
    };
    let versions: Vec<VersionRow> = ids.iter().map(version).collect();
    write.put_versions(&versions).await?;
    let alias = |(node, value): (&NodeId, &String)| AliasRow {
        key: AliasKey {
            node: *node,
            kind: words[0],
            value: value.clone(),
            within: NO_WORD,
            source: words[0],
            scope: words[1],
            is_observation: false,
        },
        valid_from: None,
        valid_to: None,
        first_seen: UnixNanos(0),
        last_seen: UnixNanos(0),
    };
    let aliases: Vec<AliasRow> = ids.iter().zip(&uids).map(alias).collect();
    write.put_aliases(&aliases).await?;
    write.commit().await?;

    let mut read = backend.read().await?;
    assert!(
        read.find_words(&uids).await? == words,
        "every word is found"
    );
    assert!(read.texts(&words).await? == uids, "every text is found");
    let found = read.find_nodes(&uids).await?;
    assert!(found == ids.iter().copied().map(Some).collect::<Vec<_>>());
    assert_eq!(read.nodes(&ids, Projection::Header).await?.len(), MANY);
    let keys: Vec<VersionKey> = versions.iter().map(|row| row.key).collect();
    assert_eq!(read.versions(&keys, Projection::Full).await?.len(), MANY);
    assert_eq!(read.aliases(&ids).await?.len(), MANY);
    assert_eq!(read.aliases_by_value(&uids).await?.len(), MANY);
    // One page covers all given nodes, whatever their number.
    let key = |number: usize, to: usize| EdgeKey {
        from: ids[number],
        kind: words[0],
        to: ids[to],
        source: words[0],
        scope: words[1],
        is_observation: false,
    };
    drop(read);
    let mut write = backend.write().await?;
    let past: Vec<_> = (0..MANY)
        .map(|number| (ids[number], words[0], ids[0]))
        .collect();
    write.put_past_edges(&past).await?;
    let edges = (0..MANY).map(|number| super::edges::edge(key(number, MANY - 1 - number)));
    let edges: Vec<_> = edges.collect();
    write.put_edges(&edges).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let after = Some(edges[MANY - 10].key);
    let page = EdgePage { after, limit: 5 };
    let found = read.edges_out(&ids, &[], &page).await?;
    assert_eq!(found, edges[MANY - 9..MANY - 4]);
    let found = read.edges_in(&ids, &words, &ALL).await?;
    assert!(
        found.iter().eq(edges.iter().rev()),
        "ordered by their target nodes"
    );
    let found = read.past_edges_in(&ids, &words, None, usize::MAX).await?;
    assert!(found == past, "all past edges");
    Ok(())
}
