//! Properties of sessions and the log of commits.

use super::fixture::{PropertyResult, create_nodes, intern_words, node_row, strings};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, CountRow, EdgeKey, EdgePage, EdgeRow, Listing, NO_WORD, NodeId, NodeRow,
    NodeRowFilter, Projection, ReadRows, RowsError, WriteRows,
};

/// Writes a current node with an edge to itself and a count of 1.
async fn write_node(write: &mut impl WriteRows, uid: &str) -> Result<NodeId, RowsError> {
    let [kind] = intern_words(write, ["vm"]).await?;
    let [id] = create_nodes(write, [uid]).await?;
    let listing = Listing::Current;
    write
        .put_nodes(&[NodeRow {
            listing,
            kind,
            ..node_row(id, uid)
        }])
        .await?;
    let key = EdgeKey {
        from: id,
        kind,
        to: id,
        source: NO_WORD,
        scope: NO_WORD,
        is_observation: false,
    };
    let edge = EdgeRow {
        key,
        confidence: 1.0,
        properties: None,
        first_seen: UnixNanos(0),
        last_seen: UnixNanos(0),
    };
    write.put_edges(&[edge]).await?;
    let (provider, count) = (NO_WORD, 1);
    write
        .add_counts(&[CountRow {
            kind,
            provider,
            count,
        }])
        .await?;
    Ok(id)
}

/// Returns the listed nodes, the number of all edges, and the sum of all counts. Reads the edges of all ids below
/// 1,000, since a node that is not listed may have edges.
async fn state(rows: &mut impl ReadRows) -> Result<(Vec<NodeId>, usize, i64), RowsError> {
    let listed = rows.list(&NodeRowFilter::default(), 0, 1000).await?;
    let from: Vec<NodeId> = listed.iter().copied().chain(1..1000).collect();
    let all = EdgePage {
        after: None,
        limit: 1000,
    };
    let edges = rows.edges_out(&from, &[], &all).await?.len();
    let counts = rows.counts().await?;
    Ok((listed, edges, counts.iter().map(|row| row.count).sum()))
}

pub(super) async fn dropped_session_writes_nothing<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let a = write_node(&mut write, "a").await?;
    assert_eq!(write.append_commit(b"first").await?, 1);
    write.commit().await?;

    let mut write = backend.write().await?;
    write_node(&mut write, "b").await?;
    let [lost] = intern_words(&mut write, ["lost"]).await?;
    write.put_nodes(&[node_row(a, "a")]).await?;
    assert_eq!(write.append_commit(b"lost").await?, 2);
    assert_ne!(lost, NO_WORD);
    drop(write);

    let mut read = backend.read().await?;
    assert_eq!(state(&mut read).await?, (vec![a], 1, 1));
    assert_eq!(read.find_words(&strings(&["lost"])).await?, [NO_WORD]);
    assert_eq!(
        read.find_nodes(&strings(&["a", "b"])).await?,
        [Some(a), None]
    );
    drop(read);
    assert_eq!(backend.last_commit().await?, 1);
    assert_eq!(backend.commits(0, 9).await?, [(1, b"first".to_vec())]);

    // The words and ids of the dropped session are in no cache.
    let mut write = backend.write().await?;
    let [other, lost] = intern_words(&mut write, ["other", "lost"]).await?;
    assert_ne!(other, lost);
    let created = write.node_ids(&strings(&["c", "b"])).await?;
    let [(c, true), (b, true)] = created[..] else {
        panic!("both are new: {created:?}");
    };
    assert!(a < c && c < b, "{created:?} after {a}");
    assert_eq!(write.append_commit(b"second").await?, 2);
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.texts(&[lost, other]).await?, ["lost", "other"]);
    assert_eq!(
        read.find_words(&strings(&["other", "lost"])).await?,
        [other, lost]
    );
    assert_eq!(
        read.nodes(&[b], Projection::Full).await?,
        [node_row(b, "b")]
    );
    let commits = [(1, b"first".to_vec()), (2, b"second".to_vec())];
    assert_eq!(backend.commits(0, 9).await?, commits);
    Ok(())
}

pub(super) async fn readers_do_not_see_uncommitted_rows<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let a = write_node(&mut write, "a").await?;
    write.append_commit(b"first").await?;
    assert_eq!(
        state(&mut write).await?,
        (vec![a], 1, 1),
        "a session sees its own rows"
    );
    let mut read = backend.read().await?;
    assert_eq!(state(&mut read).await?, (vec![], 0, 0));
    assert_eq!(read.find_nodes(&strings(&["a"])).await?, [None]);
    assert_eq!(read.find_words(&strings(&["vm"])).await?, [NO_WORD]);
    drop(read);
    assert_eq!(backend.last_commit().await?, 0);
    assert_eq!(backend.commits(0, 9).await?, []);
    write.commit().await?;
    assert_eq!(state(&mut backend.read().await?).await?, (vec![a], 1, 1));
    assert_eq!(backend.last_commit().await?, 1);
    Ok(())
}

pub(super) async fn open_reader_does_not_see_later_commits<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let a = write_node(&mut write, "a").await?;
    write.commit().await?;
    let mut before = backend.read().await?;
    assert_eq!(state(&mut before).await?, (vec![a], 1, 1));

    let mut write = backend.write().await?;
    let b = write_node(&mut write, "b").await?;
    assert_eq!(state(&mut before).await?, (vec![a], 1, 1));
    write.commit().await?;
    let mut after = backend.read().await?;
    assert_eq!(state(&mut after).await?, (vec![a, b], 2, 2));
    assert_eq!(
        state(&mut before).await?,
        (vec![a], 1, 1),
        "the open session does not see the later commit"
    );
    assert_eq!(before.find_nodes(&strings(&["b"])).await?, [None]);
    drop(before);
    assert_eq!(state(&mut after).await?, (vec![a, b], 2, 2));
    Ok(())
}

pub(super) async fn two_concurrent_writers_both_commit<B: Backend>(backend: &B) -> PropertyResult {
    let write = async |uid: &str| {
        let mut write = backend.write().await?;
        let shared = write_node(&mut write, "shared").await?;
        let own = write_node(&mut write, uid).await?;
        let number = write.append_commit(uid.as_bytes()).await?;
        write.commit().await?;
        Ok::<_, RowsError>((shared, own, number))
    };
    let (first, second) = futures::join!(write("a"), write("b"));
    let ((shared, a, one), (again, b, two)) = (first?, second?);
    assert_eq!(shared, again, "a uid has one id");
    assert_eq!(one.min(two), 1);
    assert_eq!(one.max(two), 2);
    let mut expected = vec![shared, a, b];
    expected.sort_unstable();
    assert_eq!(state(&mut backend.read().await?).await?, (expected, 3, 4));
    assert_eq!(backend.last_commit().await?, 2);
    Ok(())
}

pub(super) async fn commits_are_numbered_without_gaps<B: Backend>(backend: &B) -> PropertyResult {
    assert_eq!(backend.last_commit().await?, 0);
    assert_eq!(backend.commits(0, 9).await?, []);
    let mut expected = Vec::new();
    for session in 0..3_u64 {
        let mut write = backend.write().await?;
        for _ in 0..=session {
            let number = expected.len() as u64 + 1;
            let commit = vec![0, 255, number as u8];
            assert_eq!(write.append_commit(&commit).await?, number);
            expected.push((number, commit));
        }
        write.commit().await?;
        // A session that appends nothing to the log uses no number.
        backend.write().await?.commit().await?;
        assert_eq!(backend.last_commit().await?, expected.len() as u64);
    }
    for after in 0..8 {
        for limit in [0, 1, 4, usize::MAX] {
            let found = backend.commits(after, limit).await?;
            let rest = expected.iter().filter(|(number, _)| *number > after);
            let rest: Vec<_> = rest.take(limit).cloned().collect();
            assert_eq!(found, rest, "{limit} after {after}");
        }
    }
    assert_eq!(backend.commits(u64::MAX, 9).await?, []);
    Ok(())
}
