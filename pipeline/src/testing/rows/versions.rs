//! Properties of versions and snapshots.

use super::fixture::{PropertyResult, create_nodes, intern_words, sorted_by};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, NO_WORD, Projection, ReadRows, RowsError, SnapshotKey, SnapshotKind, VersionContent,
    VersionKey, VersionRow, WriteRows,
};

/// Creates a node with this uid and returns the key of its version with state 7.
async fn key(write: &mut impl WriteRows, uid: &str) -> Result<VersionKey, RowsError> {
    let [source, scope] = intern_words(write, ["aws", "aws/1/vm"]).await?;
    let [node] = create_nodes(write, [uid]).await?;
    Ok(VersionKey {
        node,
        source,
        scope,
        state: 7,
    })
}

fn in_order(rows: Vec<VersionRow>) -> Vec<VersionRow> {
    sorted_by(rows, |row| row.key)
}

pub(super) async fn versions_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let a = key(&mut write, "a").await?;
    let b = key(&mut write, "b").await?;
    let [kind, provider, account, region] =
        intern_words(&mut write, ["vm", "aws", "1234", "eu-west-1"]).await?;
    let full = VersionContent {
        kind,
        provider,
        account,
        region,
        name: Some("web".to_owned()),
        tags: Some(vec![1, 0, 255]),
        value: Some(vec![0; 5000]),
    };
    let empty = VersionContent {
        name: Some(String::new()),
        tags: Some(Vec::new()),
        value: Some(Vec::new()),
        ..VersionContent::default()
    };
    let row = |key, content, edges, aliases| VersionRow {
        key,
        content,
        edges,
        aliases,
        written: UnixNanos(7),
    };
    let of_state = |state| VersionKey { state, ..a };
    let rows = [
        row(a, Some(full), Some(u64::MAX), Some(1)),
        row(
            of_state(u64::MAX),
            Some(VersionContent::default()),
            Some(0),
            None,
        ),
        row(of_state(0), None, None, None),
        row(of_state(8), Some(empty), None, Some(0)),
        row(
            VersionKey {
                source: a.scope,
                ..a
            },
            None,
            Some(2),
            None,
        ),
        row(
            VersionKey {
                scope: NO_WORD,
                ..a
            },
            None,
            Some(3),
            None,
        ),
        row(b, None, Some(4), None),
    ];
    write.put_versions(&rows).await?;
    check(&mut write, &rows).await?;
    write.commit().await?;
    check(&mut backend.read().await?, &rows).await?;
    Ok(())
}

async fn check(read: &mut impl ReadRows, rows: &[VersionRow]) -> PropertyResult {
    let mut keys: Vec<VersionKey> = rows.iter().map(|row| row.key).collect();
    keys.push(keys[0]);
    keys.push(VersionKey {
        state: 99,
        ..keys[0]
    });
    let found = in_order(read.versions(&keys, Projection::Full).await?);
    assert_eq!(found, in_order(rows.to_vec()));
    let found = in_order(read.versions(&keys, Projection::Header).await?);
    let mut headers = in_order(rows.to_vec());
    for content in headers.iter_mut().filter_map(|row| row.content.as_mut()) {
        content.value = None;
    }
    assert_eq!(found, headers);
    let found = read.versions(&keys[2..3], Projection::Full).await?;
    assert_eq!(found, rows[2..3]);
    Ok(())
}

pub(super) async fn put_versions_adds_missing_parts_and_keeps_present_ones<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let key = key(&mut write, "a").await?;
    let named = |name: &str| VersionContent {
        name: Some(name.to_owned()),
        ..VersionContent::default()
    };
    let row = |content, edges, aliases| VersionRow {
        key,
        content,
        edges,
        aliases,
        written: UnixNanos(7),
    };
    let with_value = VersionContent {
        value: Some(vec![1]),
        ..named("second")
    };
    let steps = [
        (row(None, Some(1), None), row(None, Some(1), None)),
        (row(None, None, None), row(None, Some(1), None)),
        (
            row(Some(named("first")), Some(2), None),
            row(Some(named("first")), Some(1), None),
        ),
        // The content is one part, so a new value is not added to a stored content.
        (
            row(Some(with_value), None, Some(3)),
            row(Some(named("first")), Some(1), Some(3)),
        ),
        (
            row(Some(VersionContent::default()), Some(9), Some(9)),
            row(Some(named("first")), Some(1), Some(3)),
        ),
    ];
    for (put, expected) in &steps {
        write.put_versions(std::slice::from_ref(put)).await?;
        let found = write.versions(&[key], Projection::Full).await?;
        assert_eq!(found, std::slice::from_ref(expected), "after {put:?}");
    }
    write.commit().await?;

    let mut write = backend.write().await?;
    let other = VersionKey { state: 8, ..key };
    let of_other = |row: &VersionRow| VersionRow {
        key: other,
        ..row.clone()
    };
    let rows: Vec<VersionRow> = steps.iter().map(|(put, _)| of_other(put)).collect();
    write.put_versions(&rows).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let last = of_other(&steps[4].1);
    let found = read.versions(&[other], Projection::Full).await?;
    assert_eq!(found, [last], "the same rows in one call");
    Ok(())
}

pub(super) async fn snapshots_never_change<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = create_nodes(&mut write, ["a", "b"]).await?;
    let key = SnapshotKey {
        node: a,
        kind: SnapshotKind::Edges,
        hash: u64::MAX,
    };
    let of_aliases = SnapshotKey {
        kind: SnapshotKind::Aliases,
        ..key
    };
    let of_b = SnapshotKey { node: b, ..key };
    let empty = SnapshotKey { hash: 0, ..key };
    let rows = [
        (key, vec![1, 0, 255]),
        (key, vec![9]),
        (of_aliases, vec![2]),
        (of_b, vec![3]),
        (empty, Vec::new()),
    ];
    write.put_snapshots(&rows).await?;
    write.commit().await?;
    let mut write = backend.write().await?;
    write
        .put_snapshots(&[(key, vec![8]), (empty, vec![7])])
        .await?;
    write.commit().await?;
    let never = SnapshotKey { hash: 5, ..key };
    let keys = [of_b, key, of_aliases, never, key, empty];
    let found = backend.read().await?.snapshots(&keys).await?;
    let expected = [
        rows[4].clone(),
        rows[0].clone(),
        rows[2].clone(),
        rows[3].clone(),
    ];
    assert_eq!(sorted_by(found, |row| row.0), expected);
    Ok(())
}
