//! Properties of the reads and removals that housekeeping uses.

use super::fixture::{
    MAX_TIME, NO_IDS, PropertyResult, create_nodes, intern_words, node_row, sorted, sorted_by,
    strings,
};
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, AliasRow, Backend, EdgeKey, EdgeRow, EdgeStatsRow, NO_WORD, NodeId, Projection,
    ReadRows, SnapshotKey, SnapshotKind, StatsEdge, StatsResolution, VersionContent, VersionKey,
    VersionRow, WriteRows,
};

pub(super) async fn state_is_stored_by_name<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    write.put_state("a", b"one").await?;
    write.put_state("b", b"").await?;
    write.put_state("a", &[0, 255]).await?;
    assert_eq!(write.state("a").await?, Some(vec![0, 255]));
    write.commit().await?;
    let mut write = backend.write().await?;
    write.put_state("b", b"lost").await?;
    drop(write);
    let mut read = backend.read().await?;
    assert_eq!(read.state("a").await?, Some(vec![0, 255]));
    assert_eq!(read.state("b").await?, Some(Vec::new()));
    assert_eq!(read.state("A").await?, None);
    Ok(())
}

pub(super) async fn all_nodes_are_paged_and_ids_of_removed_nodes_are_not_reused<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let ids = create_nodes(&mut write, ["a", "b", "c", "d"]).await?;
    write.put_nodes(&[node_row(ids[1], "b")]).await?;
    assert_eq!(
        write.node_page(0, 9).await?,
        ids,
        "a page contains nodes that are not listed, and nodes without a written row"
    );
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.node_page(ids[0], 2).await?, ids[1..3]);
    assert_eq!(read.node_page(ids[3], 2).await?, NO_IDS);
    assert_eq!(read.node_page(0, 0).await?, NO_IDS);
    drop(read);

    let mut write = backend.write().await?;
    write.remove_nodes(&[ids[1], ids[3], 999, ids[3]]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.node_page(0, 9).await?, [ids[0], ids[2]]);
    let found = read.find_nodes(&strings(&["b", "c", "d"])).await?;
    assert_eq!(found, [None, Some(ids[2]), None]);
    assert_eq!(read.nodes(&ids, Projection::Full).await?.len(), 2);
    drop(read);
    let mut write = backend.write().await?;
    let [again] = create_nodes(&mut write, ["d"]).await?;
    assert!(again > ids[3], "{again} was the id of another node");
    write.remove_nodes(&[again]).await?;
    write.commit().await?;
    let mut write = backend.write().await?;
    let [last] = create_nodes(&mut write, ["d"]).await?;
    assert!(last > again, "{last} was the id of another node");
    Ok(())
}

pub(super) async fn versions_of_nodes_are_read_without_values<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = create_nodes(&mut write, ["a", "b"]).await?;
    let [source, kind] = intern_words(&mut write, ["aws", "vm"]).await?;
    let row = |node: NodeId, state, written| VersionRow {
        key: VersionKey {
            node,
            source,
            scope: NO_WORD,
            state,
        },
        content: Some(VersionContent {
            kind,
            name: Some("n".to_owned()),
            value: Some(vec![7; 100]),
            ..VersionContent::default()
        }),
        edges: Some(state),
        aliases: None,
        written: UnixNanos(written),
    };
    let rows = [row(a, 1, 50), row(a, u64::MAX, 60), row(b, 1, 70)];
    write.put_versions(&rows).await?;
    // A row without parts changes only the time at which the version was written, and only to a later time.
    let without_parts = |row: &VersionRow, written| VersionRow {
        content: None,
        edges: None,
        written: UnixNanos(written),
        ..row.clone()
    };
    write
        .put_versions(&[without_parts(&rows[0], 90), without_parts(&rows[1], 10)])
        .await?;
    let header = |row: &VersionRow, written| {
        let mut row = row.clone();
        row.written = UnixNanos(written);
        if let Some(content) = &mut row.content {
            content.value = None;
        }
        row
    };
    let expected = [header(&rows[0], 90), header(&rows[1], 60)];
    let in_order = |rows| sorted_by(rows, |row: &VersionRow| row.key);
    assert_eq!(in_order(write.versions_of(&[a]).await?), expected);
    let [edges, aliases] = [SnapshotKind::Edges, SnapshotKind::Aliases].map(|kind| SnapshotKey {
        node: a,
        kind,
        hash: u64::MAX,
    });
    write
        .put_snapshots(&[(edges, vec![1]), (aliases, vec![2])])
        .await?;
    write.commit().await?;

    let mut write = backend.write().await?;
    write
        .remove_versions(&[
            rows[0].key,
            rows[0].key,
            VersionKey {
                state: 5,
                ..rows[0].key
            },
        ])
        .await?;
    write.remove_snapshots(&[edges]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let remaining = in_order(read.versions_of(&[b, a, 999]).await?);
    assert_eq!(remaining, [expected[1].clone(), header(&rows[2], 70)]);
    let remaining = read.snapshots(&[edges, aliases]).await?;
    assert_eq!(remaining, [(aliases, vec![2])]);
    Ok(())
}

pub(super) async fn past_edges_and_owners_can_be_removed<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = create_nodes(&mut write, ["a", "b"]).await?;
    let [kind] = intern_words(&mut write, ["CALLS"]).await?;
    let key = EdgeKey {
        from: a,
        kind,
        to: b,
        source: kind,
        scope: NO_WORD,
        is_observation: true,
    };
    let edge = EdgeRow {
        key,
        confidence: 1.0,
        properties: None,
        first_seen: UnixNanos(1),
        last_seen: UnixNanos(1),
    };
    let alias = AliasKey {
        node: a,
        kind,
        value: "10.0.0.1".to_owned(),
        within: NO_WORD,
        source: kind,
        scope: NO_WORD,
        is_observation: true,
    };
    write.put_edges(&[edge]).await?;
    write
        .put_aliases(&[AliasRow {
            key: alias.clone(),
            valid_from: None,
            valid_to: None,
            first_seen: UnixNanos(1),
            last_seen: UnixNanos(1),
        }])
        .await?;
    write.remove_edges(&[key]).await?;
    write.remove_aliases(std::slice::from_ref(&alias)).await?;
    write.put_past_edges(&[(b, kind, b)]).await?;
    write
        .put_past_aliases(&[("10.0.0.1".to_owned(), b)])
        .await?;
    write.commit().await?;
    let mut write = backend.write().await?;
    write
        .remove_past_edges(&[(b, kind, a), (a, kind, b)])
        .await?;
    write
        .remove_past_aliases(&[("10.0.0.1".to_owned(), a), ("10.0.0.2".to_owned(), b)])
        .await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let remaining = read.past_edges_in(&[a, b], &[], None, 9).await?;
    assert_eq!(remaining, [(b, kind, b)]);
    let owners = read.past_owners(&strings(&["10.0.0.1"])).await?;
    assert_eq!(owners, [("10.0.0.1".to_owned(), b)]);
    Ok(())
}

pub(super) async fn minutes_and_hours_are_stored_separately<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [kind] = intern_words(&mut write, ["CALLS"]).await?;
    let [a, b, c] = create_nodes(&mut write, ["a", "b", "c"]).await?;
    let row = |minute, from, chunk| EdgeStatsRow {
        minute: UnixNanos(minute),
        from,
        kind,
        to: b,
        connection_type: NO_WORD,
        writer: NO_WORD,
        chunk,
        calls: 1,
        errors: 0,
        duration_sum: 0.5,
        duration_max: 0.5,
        scale: 0,
        offset: 0,
        counts: vec![1],
    };
    let minutes = [
        row(60, a, 0),
        row(60, a, 1),
        row(60, c, 0),
        row(120, a, 0),
        row(180, a, 0),
    ];
    let hours = [row(50, a, 0), row(60, a, 0)];
    assert_eq!(
        write.oldest_edge_stats(StatsResolution::Minute).await?,
        None
    );
    write
        .put_edge_stats(StatsResolution::Minute, &minutes)
        .await?;
    write.put_edge_stats(StatsResolution::Hour, &hours).await?;
    write.commit().await?;

    let edge = |from| StatsEdge {
        from,
        kind,
        to: b,
        connection_type: NO_WORD,
    };
    let mut write = backend.write().await?;
    let (from, to) = (UnixNanos(60), UnixNanos(180));
    write
        .remove_edge_stats(StatsResolution::Minute, &[edge(a), edge(b)], from, to)
        .await?;
    let (from, to) = (UnixNanos(50), UnixNanos(51));
    write
        .remove_edge_stats(StatsResolution::Hour, &[edge(a)], from, to)
        .await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let in_order = |rows| sorted_by(rows, |row: &EdgeStatsRow| (row.minute, row.from));
    let remaining = read
        .edge_stats(StatsResolution::Minute, UnixNanos(0), MAX_TIME)
        .await?;
    assert_eq!(
        in_order(remaining),
        [minutes[2].clone(), minutes[4].clone()]
    );
    let remaining = read
        .edge_stats(StatsResolution::Hour, UnixNanos(0), MAX_TIME)
        .await?;
    assert_eq!(remaining, hours[1..]);
    let oldest = read.oldest_edge_stats(StatsResolution::Minute).await?;
    assert_eq!(oldest, Some(UnixNanos(60)));
    let oldest = read.oldest_edge_stats(StatsResolution::Hour).await?;
    assert_eq!(oldest, Some(UnixNanos(60)));
    let last_times = sorted(read.last_edge_stats(&[b, c, 999, b]).await?);
    let nodes: Vec<NodeId> = last_times.iter().map(|(node, _)| *node).collect();
    assert_eq!(nodes, [b, c]);
    assert!(
        last_times[0].1 >= UnixNanos(180) && last_times[1].1 >= UnixNanos(60),
        "{last_times:?}"
    );
    Ok(())
}

pub(super) async fn remove_commits_keeps_the_numbers_of_all_other_commits<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    for number in 1..=6_u8 {
        write.append_commit(&[number]).await?;
    }
    write.commit().await?;
    let mut write = backend.write().await?;
    assert_eq!(write.remove_commits(4, 3).await?, 3);
    assert_eq!(write.remove_commits(4, 3).await?, 1);
    assert_eq!(write.remove_commits(4, 3).await?, 0);
    assert_eq!(write.remove_commits(0, 3).await?, 0);
    write.commit().await?;
    assert_eq!(backend.commits(0, 9).await?, [(5, vec![5]), (6, vec![6])]);
    let mut write = backend.write().await?;
    assert_eq!(write.remove_commits(u64::MAX, usize::MAX).await?, 2);
    write.commit().await?;
    assert_eq!(backend.last_commit().await?, 6);
    let mut write = backend.write().await?;
    assert_eq!(write.append_commit(b"seven").await?, 7);
    write.commit().await?;
    assert_eq!(backend.commits(0, 9).await?, [(7, b"seven".to_vec())]);
    let sizes = backend.store_size().await?;
    assert!(sizes.rows.contains(&("commits", 1)), "{sizes:?}");
    assert!(!backend.compact(10).await?);
    Ok(())
}
