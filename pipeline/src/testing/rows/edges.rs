//! Properties of current, past and observed edges.

use super::fixture::{PropertyResult, create_nodes, intern_words, pairs, sorted_by};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, EdgeKey, EdgePage, EdgeRow, NO_WORD, NodeId, ReadRows, RowsError, Word, WriteRows,
};

/// The key by which pages of incoming edges are ordered.
type IncomingKey = (NodeId, Word, NodeId, Word, Word, bool);

fn incoming_key(key: EdgeKey) -> IncomingKey {
    (
        key.to,
        key.kind,
        key.from,
        key.source,
        key.scope,
        key.is_observation,
    )
}

pub(super) fn edge(key: EdgeKey) -> EdgeRow {
    EdgeRow {
        key,
        confidence: 1.0,
        properties: None,
        first_seen: UnixNanos(1),
        last_seen: UnixNanos(1),
    }
}

fn page(after: Option<EdgeKey>, limit: usize) -> EdgePage {
    EdgePage { after, limit }
}

/// Creates these nodes. Returns the key of an edge from the first node to the second, and the ids of all nodes.
async fn nodes_with_edge<const N: usize>(
    write: &mut impl WriteRows,
    uids: [&str; N],
) -> Result<(EdgeKey, [NodeId; N]), RowsError> {
    let [kind, source, scope] = intern_words(write, ["calls", "aws", "aws/1/vm"]).await?;
    let nodes = create_nodes(write, uids).await?;
    let key = EdgeKey {
        from: nodes[0],
        kind,
        to: nodes[1],
        source,
        scope,
        is_observation: false,
    };
    Ok((key, nodes))
}

pub(super) async fn edges_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, [a, b, c]) = nodes_with_edge(&mut write, ["a", "b", "c"]).await?;
    let full = EdgeRow {
        confidence: 0.1,
        properties: Some(vec![0, 255]),
        first_seen: UnixNanos(5),
        last_seen: UnixNanos(1_700_000_000_000_000_001),
        ..edge(key)
    };
    let observed = EdgeRow {
        properties: Some(Vec::new()),
        ..edge(EdgeKey {
            is_observation: true,
            ..key
        })
    };
    let to_itself = edge(EdgeKey {
        to: a,
        scope: NO_WORD,
        ..key
    });
    let other = edge(EdgeKey { from: c, ..key });
    let rows = [
        edge(key),
        observed.clone(),
        to_itself.clone(),
        full.clone(),
        other.clone(),
    ];
    write.put_edges(&rows).await?;
    let out = [to_itself.clone(), full.clone(), observed.clone()];
    assert_eq!(write.edges_out(&[a], &[], &page(None, 9)).await?, out);
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.edges_out(&[a, a], &[], &page(None, 9)).await?, out);
    let into_b = [full.clone(), observed.clone(), other];
    assert_eq!(read.edges_in(&[b], &[], &page(None, 9)).await?, into_b);
    assert_eq!(read.edges_out(&[b], &[], &page(None, 9)).await?, []);
    drop(read);

    let mut write = backend.write().await?;
    write.put_edges(&[edge(key)]).await?;
    write.commit().await?;
    let found = backend
        .read()
        .await?
        .edges_out(&[a], &[], &page(None, 9))
        .await?;
    assert_eq!(
        found,
        [to_itself, edge(key), observed],
        "a row is replaced as a whole"
    );
    Ok(())
}

/// Writes six nodes, and edges of three kinds between most of them; some edges have several rows. Returns the ids, the
/// kinds and the rows.
async fn write_edges<B: Backend>(
    backend: &B,
) -> Result<([NodeId; 6], [Word; 3], Vec<EdgeRow>), RowsError> {
    let mut write = backend.write().await?;
    let nodes = create_nodes(&mut write, ["a", "b", "c", "d", "e", "f"]).await?;
    // The order of the words differs from that of their texts.
    let [source, scope, contains, calls, uses] =
        intern_words(&mut write, ["s", "scope", "contains", "calls", "uses"]).await?;
    let mut rows = Vec::new();
    for (index, (from, to)) in pairs(&nodes, &nodes).into_iter().enumerate() {
        for (number, kind) in [uses, contains, calls].into_iter().enumerate() {
            let key = |scope, is_observation| EdgeKey {
                from,
                kind,
                to,
                source,
                scope,
                is_observation,
            };
            if (index + number) % 3 != 0 {
                rows.push(edge(key(scope, false)));
            }
            if (index + number) % 4 == 0 {
                rows.push(edge(key(scope, true)));
                rows.push(edge(key(NO_WORD, true)));
            }
        }
    }
    write.put_edges(&rows).await?;
    write.commit().await?;
    Ok((nodes, [contains, calls, uses], rows))
}

const LIMITS: [usize; 6] = [1, 2, 3, 7, 40, usize::MAX];

pub(super) async fn pages_of_outgoing_edges_contain_each_edge_once<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let (nodes, kinds, rows) = write_edges(backend).await?;
    let mut read = backend.read().await?;
    for (from, kinds) in filters(nodes, kinds) {
        let matching = rows.iter().filter(|row| from.contains(&row.key.from));
        let matching = matching.filter(|row| kinds.is_empty() || kinds.contains(&row.key.kind));
        let expected = sorted_by(matching.cloned().collect(), |row| row.key);
        for limit in LIMITS {
            let mut after = None;
            for expected_page in pages(&expected, limit) {
                let found = read.edges_out(&from, &kinds, &page(after, limit)).await?;
                assert_eq!(
                    found, expected_page,
                    "{limit} from {from:?} of {kinds:?} after {after:?}"
                );
                after = expected_page.last().map(|row| row.key).or(after);
            }
        }
    }
    // A page begins after a key that no row has.
    let a = nodes[0];
    let all = read.edges_out(&nodes, &[], &page(None, usize::MAX)).await?;
    let never = EdgeKey {
        source: 0,
        ..all[5].key
    };
    let found = read.edges_out(&nodes, &[], &page(Some(never), 2)).await?;
    assert_eq!(found, all[5..7]);
    assert_eq!(read.edges_out(&[a], &[], &page(None, 0)).await?, []);
    Ok(())
}

pub(super) async fn pages_of_incoming_edges_contain_each_edge_once<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let (nodes, kinds, rows) = write_edges(backend).await?;
    let mut read = backend.read().await?;
    for (to, kinds) in filters(nodes, kinds) {
        let matching = rows.iter().filter(|row| to.contains(&row.key.to));
        let matching = matching.filter(|row| kinds.is_empty() || kinds.contains(&row.key.kind));
        let expected = sorted_by(matching.cloned().collect(), |row| incoming_key(row.key));
        for limit in LIMITS {
            let mut after = None;
            for expected_page in pages(&expected, limit) {
                let found = read.edges_in(&to, &kinds, &page(after, limit)).await?;
                assert_eq!(
                    found, expected_page,
                    "{limit} to {to:?} of {kinds:?} after {after:?}"
                );
                after = expected_page.last().map(|row| row.key).or(after);
            }
        }
    }
    let all = read.edges_in(&nodes, &[], &page(None, usize::MAX)).await?;
    let never = EdgeKey {
        source: 0,
        ..all[5].key
    };
    let found = read.edges_in(&nodes, &[], &page(Some(never), 2)).await?;
    assert_eq!(found, all[5..7]);
    assert_eq!(read.edges_in(&nodes, &[], &page(None, 0)).await?, []);
    Ok(())
}

/// All combinations of some lists of nodes and kinds.
fn filters(nodes: [NodeId; 6], kinds: [Word; 3]) -> Vec<(Vec<NodeId>, Vec<Word>)> {
    let [a, b, c, d, e, _] = nodes;
    let nodes = [vec![b], vec![e, a, c], vec![d, d], nodes.to_vec()];
    let kinds = [vec![], vec![kinds[1]], vec![kinds[2], kinds[0], kinds[2]]];
    pairs(&nodes, &kinds)
}

/// The expected pages of all rows, and the empty page after them.
fn pages(rows: &[EdgeRow], limit: usize) -> impl Iterator<Item = &[EdgeRow]> {
    rows.chunks(limit).chain([&[][..]])
}

pub(super) async fn removed_edge_stays_a_past_edge<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, [a, b, c]) = nodes_with_edge(&mut write, ["a", "b", "c"]).await?;
    let observed = EdgeKey {
        is_observation: true,
        ..key
    };
    let to_c = EdgeKey { to: c, ..key };
    write
        .put_edges(&[edge(key), edge(observed), edge(to_c)])
        .await?;
    assert_eq!(write.past_edges_in(&[b, c], &[], None, 9).await?, []);
    write.commit().await?;

    let mut write = backend.write().await?;
    let never = EdgeKey { from: c, ..key };
    write.remove_edges(&[key, never, key]).await?;
    check_removed(&mut write, key, observed).await?;
    write.commit().await?;
    check_removed(&mut backend.read().await?, key, observed).await?;

    let mut write = backend.write().await?;
    write.remove_edges(&[observed]).await?;
    write.put_edges(&[edge(key)]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = read.edges_out(&[a], &[], &page(None, 9)).await?;
    assert_eq!(found, [edge(key), edge(to_c)]);
    let past = read.past_edges_in(&[b, c], &[], None, 9).await?;
    assert_eq!(
        past,
        [(b, key.kind, a)],
        "an edge that is current again stays a past edge"
    );
    Ok(())
}

async fn check_removed(
    rows: &mut impl ReadRows,
    key: EdgeKey,
    observed: EdgeKey,
) -> PropertyResult {
    let current = rows.edges_in(&[key.to], &[], &page(None, 9)).await?;
    assert_eq!(current, [edge(observed)]);
    let current = rows.edges_out(&[key.from], &[], &page(None, 9)).await?;
    assert_eq!(current.len(), 2, "the other edges stay");
    let past = rows.past_edges_in(&[key.to], &[], None, 9).await?;
    assert_eq!(past, [(key.to, key.kind, key.from)]);
    Ok(())
}

pub(super) async fn past_edges_are_paged<B: Backend>(backend: &B) -> PropertyResult {
    let (nodes, kinds, rows) = write_edges(backend).await?;
    let [a, b, c, ..] = nodes;
    let mut write = backend.write().await?;
    // Removes a third of the edges. Also writes past edges for some removed and for some other edges.
    let removed: Vec<EdgeKey> = rows.iter().step_by(3).map(|row| row.key).collect();
    write.remove_edges(&removed).await?;
    let past_edge = |key: &EdgeKey| (key.to, key.kind, key.from);
    let mut put: Vec<_> = removed.iter().take(5).map(past_edge).collect();
    put.extend(
        rows.iter()
            .skip(1)
            .step_by(9)
            .map(|row| past_edge(&row.key)),
    );
    put.push(put[0]);
    write.put_past_edges(&put).await?;
    write.put_past_edges(&put[..3]).await?;
    write.commit().await?;
    put.extend(removed.iter().map(past_edge));
    put.sort_unstable();
    put.dedup();
    let mut read = backend.read().await?;
    let kinds = [vec![], vec![kinds[0]], vec![kinds[2], kinds[1]]];
    for (to, kinds) in pairs(&[vec![b], vec![c, a, c], nodes.to_vec()], &kinds) {
        let matching = put.iter().filter(|(node, ..)| to.contains(node));
        let matching = matching.filter(|(_, kind, _)| kinds.is_empty() || kinds.contains(kind));
        let expected: Vec<_> = matching.copied().collect();
        for limit in LIMITS {
            let mut after = None;
            for expected_page in expected.chunks(limit).chain([&[][..]]) {
                let found = read.past_edges_in(&to, &kinds, after, limit).await?;
                assert_eq!(
                    found, expected_page,
                    "{limit} to {to:?} of {kinds:?} after {after:?}"
                );
                after = expected_page.last().copied().or(after);
            }
        }
    }
    Ok(())
}

pub(super) async fn observed_edges_merge<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, [a, _, c]) = nodes_with_edge(&mut write, ["a", "b", "c"]).await?;
    let key = EdgeKey {
        is_observation: true,
        ..key
    };
    let seen = |first, last, confidence, properties: Option<&[u8]>| EdgeRow {
        key,
        confidence,
        properties: properties.map(<[u8]>::to_vec),
        first_seen: UnixNanos(first),
        last_seen: UnixNanos(last),
    };
    let steps = [
        (seen(10, 20, 0.5, Some(&[2])), seen(10, 20, 0.5, Some(&[2]))),
        // An earlier observation sets the first time and the confidence.
        (seen(5, 15, 0.9, Some(&[3])), seen(5, 20, 0.9, Some(&[2]))),
        // Of two observations with the same last time, the one with the greater properties wins.
        (
            seen(20, 20, 0.1, Some(&[1, 9])),
            seen(5, 20, 0.9, Some(&[2])),
        ),
        (seen(20, 20, 0.1, None), seen(5, 20, 0.9, Some(&[2]))),
        (
            seen(20, 20, 0.1, Some(&[2, 0])),
            seen(5, 20, 0.9, Some(&[2, 0])),
        ),
        // A later observation without properties clears them.
        (seen(7, 30, 0.2, None), seen(5, 30, 0.9, None)),
        (seen(30, 30, 0.2, Some(&[])), seen(5, 30, 0.9, Some(&[]))),
    ];
    for (index, (put, merged)) in steps.iter().enumerate() {
        let new = write.observe_edges(std::slice::from_ref(put)).await?;
        assert_eq!(new, [index == 0], "whether {put:?} was new");
        let found = write.edges_out(&[a], &[], &page(None, 9)).await?;
        assert_eq!(found, std::slice::from_ref(merged), "after {put:?}");
    }
    write.commit().await?;

    let mut write = backend.write().await?;
    let other = |row: &EdgeRow| EdgeRow {
        key: EdgeKey { to: c, ..key },
        ..row.clone()
    };
    let mut rows: Vec<EdgeRow> = steps.iter().map(|(put, _)| other(put)).collect();
    rows.insert(1, seen(1, 31, 0.0, None));
    let new = write.observe_edges(&rows).await?;
    let expected: Vec<bool> = (0..rows.len()).map(|index| index == 0).collect();
    assert_eq!(new, expected, "only the first row of a key is new");
    write.commit().await?;
    let found = backend
        .read()
        .await?
        .edges_out(&[a], &[], &page(None, 9))
        .await?;
    assert_eq!(found, [seen(1, 31, 0.9, None), other(&steps[6].1)]);
    Ok(())
}
