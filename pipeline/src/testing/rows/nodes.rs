//! Properties of nodes and their ids.

use super::fixture::{
    PropertyResult, create_nodes, intern_words, node_row, sorted, sorted_by, strings,
};
use crate::component::UnixNanos;
use crate::store::rows::{Backend, Listing, NodeId, NodeRow, Projection, ReadRows, WriteRows};
use crate::uid;

pub(super) async fn node_ids_grow_in_order_of_creation<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let created = write.node_ids(&strings(&["z", "b", "z", "c"])).await?;
    let [(z, true), (b, true), (again, false), (c, true)] = created[..] else {
        panic!("z, b and c are new, each at its first position: {created:?}");
    };
    assert_eq!(again, z, "a repeated uid has one id");
    assert!(0 < z && z < b && b < c, "ids grow in order: {created:?}");
    let found = write
        .find_nodes(&strings(&["c", "never", "z", "c"]))
        .await?;
    assert_eq!(found, [Some(c), None, Some(z), Some(c)]);
    write.commit().await?;

    let mut write = backend.write().await?;
    let created = write.node_ids(&strings(&["c", "a"])).await?;
    let [(again, false), (a, true)] = created[..] else {
        panic!("only a is new: {created:?}");
    };
    assert_eq!(again, c);
    assert!(a > c, "ids grow in later sessions: {a}, {c}");
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = read.find_nodes(&strings(&["a", "b", ""])).await?;
    assert_eq!(found, [Some(a), Some(b), None]);
    Ok(())
}

pub(super) async fn node_without_a_written_row_has_defaults<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a] = create_nodes(&mut write, ["a"]).await?;
    write.commit().await?;
    let found = backend.read().await?.nodes(&[a], Projection::Full).await?;
    assert_eq!(found, [node_row(a, "a")]);
    Ok(())
}

pub(super) async fn nodes_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b, c] = create_nodes(&mut write, ["a", "b", "c"]).await?;
    let [kind, provider, account, region] =
        intern_words(&mut write, ["vm", "aws", "1234", "eu-west-1"]).await?;
    let full = NodeRow {
        listing: Listing::Ended,
        ended: Some(UnixNanos(1_700_000_000_000_000_009)),
        unobserved: Some(UnixNanos(0)),
        has_lifecycle: true,
        kind,
        provider,
        account,
        region,
        name: Some("Näme".to_owned()),
        tags: Some(vec![0, 255, 1]),
        first_seen: UnixNanos(1),
        last_seen: UnixNanos(1_700_000_000_000_000_008),
        same_as: Some(b),
        changed: UnixNanos(1_700_000_000_000_000_007),
        ..node_row(a, "a")
    };
    let empty = NodeRow {
        listing: Listing::Current,
        ended: None,
        unobserved: Some(UnixNanos(7)),
        name: Some(String::new()),
        tags: Some(Vec::new()),
        ..node_row(b, "b")
    };
    let replaced = NodeRow {
        id: c,
        uid: "c".to_owned(),
        ..full.clone()
    };
    // The second row of `c` replaces the first one as a whole, also in the columns that are empty in the second row.
    let rows = [full.clone(), replaced, empty.clone(), node_row(c, "c")];
    write.put_nodes(&rows).await?;
    let expected = [full, empty.clone(), node_row(c, "c")];
    check(&mut write, &expected).await?;
    write.commit().await?;
    check(&mut backend.read().await?, &expected).await?;

    let mut write = backend.write().await?;
    write.put_nodes(&[node_row(a, "a")]).await?;
    write.commit().await?;
    let found = backend.read().await?.nodes(&[a], Projection::Full).await?;
    assert_eq!(found, [node_row(a, "a")]);

    // The columns that lists read (listing, kind, provider, account, region) stay the same, and all others change. Of
    // two rows, the last one wins.
    let last = NodeRow {
        listing: empty.listing,
        has_lifecycle: true,
        ended: Some(UnixNanos(8)),
        tags: Some(vec![7]),
        first_seen: UnixNanos(2),
        last_seen: UnixNanos(3),
        changed: UnixNanos(4),
        ..node_row(b, "b")
    };
    let mut write = backend.write().await?;
    write.put_nodes(&[empty, last.clone()]).await?;
    write.commit().await?;
    let found = backend.read().await?.nodes(&[b], Projection::Full).await?;
    assert_eq!(found, [last]);
    Ok(())
}

async fn check(rows: &mut impl ReadRows, expected: &[NodeRow]) -> PropertyResult {
    let mut ids: Vec<NodeId> = expected.iter().map(|row| row.id).collect();
    ids.push(ids[0]);
    ids.push(ids[1] + 1_000_000);
    let found = sorted_by(rows.nodes(&ids, Projection::Full).await?, |row| row.id);
    assert_eq!(found, expected);
    let found = sorted_by(rows.nodes(&ids, Projection::Header).await?, |row| row.id);
    let without_tags = expected.iter().map(|row| NodeRow {
        tags: None,
        ..row.clone()
    });
    assert_eq!(found, without_tags.collect::<Vec<_>>());
    Ok(())
}

pub(super) async fn uids_are_compared_byte_for_byte<B: Backend>(backend: &B) -> PropertyResult {
    let long = "x".repeat(100_000);
    let longer = format!("{long}y");
    let uids = strings(&[
        "arn:A", "arn:a", "arn:a ", "1", "01", "ä", "Ä", &long, &longer,
    ]);
    let mut write = backend.write().await?;
    let created = write.node_ids(&uids).await?;
    assert!(created.iter().all(|(_, is_new)| *is_new), "{created:?}");
    write.commit().await?;
    let mut read = backend.read().await?;
    let ids: Vec<NodeId> = created.iter().map(|(id, _)| *id).collect();
    let found = read.find_nodes(&uids).await?;
    assert_eq!(found, ids.iter().copied().map(Some).collect::<Vec<_>>());
    let found = sorted_by(read.nodes(&ids, Projection::Full).await?, |row| row.id);
    let found: Vec<String> = found.into_iter().map(|row| row.uid).collect();
    assert!(found == uids, "uids are read as written");
    Ok(())
}

pub(super) async fn nodes_are_found_by_hash<B: Backend>(backend: &B) -> PropertyResult {
    // The hashes of 32 uids include some of both halves of the range of u64.
    let uids: Vec<String> = (0..32).map(|number| format!("uid-{number}")).collect();
    let mut write = backend.write().await?;
    let created = write.node_ids(&uids).await?;
    write.commit().await?;
    let hashes: Vec<u64> = uids.iter().map(|uid| uid::hash(uid)).collect();
    let expected = hashes
        .iter()
        .copied()
        .zip(created.iter().map(|(id, _)| *id));
    let expected = sorted(expected.collect());
    let mut hashes_to_find = hashes.clone();
    hashes_to_find.push(hashes[0]);
    hashes_to_find.push(uid::hash("never"));
    let found = backend.read().await?.nodes_by_hash(&hashes_to_find).await?;
    assert_eq!(sorted(found), expected);
    Ok(())
}

pub(super) async fn merged_nodes_are_found_by_their_target<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b, c, d] = create_nodes(&mut write, ["a", "b", "c", "d"]).await?;
    let merged = |id, uid, into| NodeRow {
        same_as: into,
        ..node_row(id, uid)
    };
    let rows = [
        merged(b, "b", Some(a)),
        merged(c, "c", Some(a)),
        merged(d, "d", Some(b)),
    ];
    write.put_nodes(&rows).await?;
    assert_eq!(sorted(write.merged_into(&[a]).await?), [(b, a), (c, a)]);
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = read.merged_into(&[b, a, a, c]).await?;
    assert_eq!(sorted(found), [(b, a), (c, a), (d, b)]);
    drop(read);

    let mut write = backend.write().await?;
    let rows = [merged(b, "b", None), merged(c, "c", Some(d))];
    write.put_nodes(&rows).await?;
    write.commit().await?;
    let found = backend.read().await?.merged_into(&[a, d]).await?;
    assert_eq!(sorted(found), [(c, d)], "former merges are not found");
    Ok(())
}
