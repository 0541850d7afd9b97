//! Properties of current, past and observed aliases.

use super::fixture::{PropertyResult, create_nodes, intern_words, sorted, sorted_by, strings};
use crate::component::UnixNanos;
use crate::store::rows::{
    AliasKey, AliasRow, Backend, NO_WORD, NodeId, ReadRows, RowsError, WriteRows,
};

fn alias(key: &AliasKey) -> AliasRow {
    AliasRow {
        key: key.clone(),
        valid_from: None,
        valid_to: None,
        first_seen: UnixNanos(1),
        last_seen: UnixNanos(1),
    }
}

/// Creates these nodes. Returns the key of an alias `10.0.0.1` of the first node, and the ids of all nodes.
async fn nodes_with_alias<const N: usize>(
    write: &mut impl WriteRows,
    uids: [&str; N],
) -> Result<(AliasKey, [NodeId; N]), RowsError> {
    let [kind, within, source, scope] =
        intern_words(write, ["ip", "vpc-1", "aws", "aws/1/vm"]).await?;
    let nodes = create_nodes(write, uids).await?;
    let key = AliasKey {
        node: nodes[0],
        kind,
        value: "10.0.0.1".to_owned(),
        within,
        source,
        scope,
        is_observation: false,
    };
    Ok((key, nodes))
}

fn in_order(rows: Vec<AliasRow>) -> Vec<AliasRow> {
    sorted_by(rows, |row| row.key.clone())
}

pub(super) async fn aliases_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, [a, b, c]) = nodes_with_alias(&mut write, ["a", "b", "c"]).await?;
    let full = AliasRow {
        valid_from: Some(UnixNanos(0)),
        valid_to: Some(UnixNanos(1_700_000_000_000_000_001)),
        first_seen: UnixNanos(3),
        last_seen: UnixNanos(1_700_000_000_000_000_002),
        ..alias(&key)
    };
    let with = |change: &dyn Fn(&mut AliasKey)| {
        let mut key = key.clone();
        change(&mut key);
        alias(&key)
    };
    let long = "x".repeat(100_000);
    let rows = vec![
        full,
        with(&|key| key.kind = key.source),
        with(&|key| key.within = NO_WORD),
        with(&|key| key.source = key.kind),
        with(&|key| key.scope = NO_WORD),
        with(&|key| key.is_observation = true),
        with(&|key| key.value = "10.0.0.10".to_owned()),
        with(&|key| key.value = "Web".to_owned()),
        with(&|key| key.value = "web".to_owned()),
        with(&|key| key.value = long.clone()),
        with(&|key| key.node = b),
    ];
    let mut put = rows.clone();
    // The full row of the same key follows and replaces this one.
    put.insert(0, alias(&key));
    write.put_aliases(&put).await?;
    let with_values = |values: &[&str]| {
        let matching = rows
            .iter()
            .filter(|row| values.contains(&row.key.value.as_str()));
        in_order(matching.cloned().collect())
    };
    let found = write.aliases_by_value(&strings(&["10.0.0.1"])).await?;
    assert_eq!(in_order(found), with_values(&["10.0.0.1"]));
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = read.aliases(&[b, c, a, b]).await?;
    assert_eq!(in_order(found), in_order(rows.clone()));
    assert_eq!(read.aliases(&[b]).await?, rows[10..]);
    for values in [
        &["10.0.0.1", "web", "10.0.0.1"][..],
        &[&long],
        &["10.0.0.", "WEB", ""],
    ] {
        let found = read.aliases_by_value(&strings(values)).await?;
        assert_eq!(
            in_order(found),
            with_values(values),
            "with the values {values:.10?}"
        );
    }
    Ok(())
}

pub(super) async fn removed_alias_leaves_a_past_owner<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, [a, b, c]) = nodes_with_alias(&mut write, ["a", "b", "c"]).await?;
    let of_b = AliasKey {
        node: b,
        ..key.clone()
    };
    let observed = AliasKey {
        is_observation: true,
        ..key.clone()
    };
    let rows = [alias(&key), alias(&of_b), alias(&observed)];
    write.put_aliases(&rows).await?;
    let values = strings(&["10.0.0.2", "10.0.0.1", "10.0.0.1"]);
    assert_eq!(write.past_owners(&values).await?, []);
    write.commit().await?;

    let mut write = backend.write().await?;
    let never = AliasKey {
        node: c,
        ..key.clone()
    };
    write
        .remove_aliases(&[key.clone(), never, key.clone()])
        .await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let owned = |value: &str, node| (value.to_owned(), node);
    let found = in_order(read.aliases_by_value(&values).await?);
    assert_eq!(found, [rows[2].clone(), rows[1].clone()]);
    assert_eq!(read.past_owners(&values).await?, [owned("10.0.0.1", a)]);
    drop(read);

    let mut write = backend.write().await?;
    write.remove_aliases(&[of_b, observed]).await?;
    write.put_aliases(&[alias(&key)]).await?;
    let past = [
        owned("10.0.0.2", c),
        owned("10.0.0.1", a),
        owned("10.0.0.2", c),
    ];
    write.put_past_aliases(&past).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = sorted(read.past_owners(&values).await?);
    let expected = [
        owned("10.0.0.1", a),
        owned("10.0.0.1", b),
        owned("10.0.0.2", c),
    ];
    assert_eq!(found, expected, "a current owner stays a past owner");
    assert_eq!(read.aliases(&[a, b, c]).await?, [alias(&key)]);
    assert_eq!(read.past_owners(&strings(&["10.0.0."])).await?, []);
    Ok(())
}

pub(super) async fn aliases_of_kinds_are_paged_by_node<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, nodes) = nodes_with_alias(&mut write, ["a", "b", "c", "d", "e", "f"]).await?;
    let [name, other] = intern_words(&mut write, ["dns", "arn"]).await?;
    let mut rows = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let row = |kind, value: String| {
            let key = AliasKey {
                node,
                kind,
                value,
                ..key.clone()
            };
            alias(&key)
        };
        // Several aliases of one kind, aliases of two kinds, or one alias of a third kind.
        match index % 3 {
            0 => rows.extend((0..3).map(|number| row(key.kind, format!("10.0.0.{number}")))),
            1 => rows.extend([row(key.kind, "10.1.1.1".into()), row(name, "a.b".into())]),
            _ => rows.push(row(other, "arn:x".into())),
        }
    }
    write.put_aliases(&rows).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    for kinds in [
        vec![key.kind],
        vec![name, key.kind, name],
        vec![other],
        vec![],
    ] {
        let matching = rows.iter().filter(|row| kinds.contains(&row.key.kind));
        let matching = in_order(matching.cloned().collect());
        for limit in [1, 2, 3, usize::MAX] {
            let (mut after, mut left) = (0, matching.clone());
            loop {
                let found = read.aliases_of_kinds(&kinds, after, limit).await?;
                let mut nodes: Vec<NodeId> = found.iter().map(|row| row.key.node).collect();
                assert!(nodes.is_sorted(), "ordered by node: {nodes:?}");
                nodes.dedup();
                assert!(nodes.len() <= limit, "at most {limit} nodes: {nodes:?}");
                assert!(
                    nodes.len() == limit || found.len() == left.len(),
                    "only the last page is shorter"
                );
                let rest = left.split_off(found.len().min(left.len()));
                assert_eq!(
                    in_order(found),
                    left,
                    "{limit} nodes of {kinds:?} after {after}"
                );
                let Some(last) = nodes.last() else {
                    break;
                };
                (after, left) = (*last, rest);
            }
        }
        assert_eq!(read.aliases_of_kinds(&kinds, 0, 0).await?, []);
    }
    Ok(())
}

pub(super) async fn observed_aliases_merge<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let (key, [a, b]) = nodes_with_alias(&mut write, ["a", "b"]).await?;
    let key = AliasKey {
        is_observation: true,
        ..key
    };
    let seen = |first, last, from: Option<u64>, to: Option<u64>| AliasRow {
        key: key.clone(),
        valid_from: from.map(UnixNanos),
        valid_to: to.map(UnixNanos),
        first_seen: UnixNanos(first),
        last_seen: UnixNanos(last),
    };
    let steps = [
        (
            seen(10, 20, Some(4), Some(40)),
            seen(10, 20, Some(4), Some(40)),
        ),
        // An earlier observation sets the first time.
        (
            seen(5, 15, Some(9), Some(90)),
            seen(5, 20, Some(4), Some(40)),
        ),
        // Of two observations with the same last time, the greater (from, to) wins. `None` is the least value.
        (seen(20, 20, None, Some(99)), seen(5, 20, Some(4), Some(40))),
        (seen(20, 20, Some(4), None), seen(5, 20, Some(4), Some(40))),
        (
            seen(20, 20, Some(5), Some(1)),
            seen(5, 20, Some(5), Some(1)),
        ),
        // A later observation without bounds clears them.
        (seen(8, 30, None, None), seen(5, 30, None, None)),
        (seen(30, 30, None, Some(0)), seen(5, 30, None, Some(0))),
        (seen(30, 30, Some(0), None), seen(5, 30, Some(0), None)),
    ];
    for (index, (put, merged)) in steps.iter().enumerate() {
        let new = write.observe_aliases(std::slice::from_ref(put)).await?;
        assert_eq!(new, [index == 0], "whether {put:?} was new");
        assert_eq!(
            write.aliases(&[a]).await?,
            std::slice::from_ref(merged),
            "after {put:?}"
        );
    }
    write.commit().await?;

    let mut write = backend.write().await?;
    let other = |row: &AliasRow| {
        let key = AliasKey {
            node: b,
            ..key.clone()
        };
        AliasRow { key, ..row.clone() }
    };
    let mut rows: Vec<AliasRow> = steps.iter().map(|(put, _)| other(put)).collect();
    rows.insert(1, seen(1, 31, None, None));
    let new = write.observe_aliases(&rows).await?;
    let expected: Vec<bool> = (0..rows.len()).map(|index| index == 0).collect();
    assert_eq!(new, expected, "only the first row of a key is new");
    write.commit().await?;
    let found = in_order(backend.read().await?.aliases(&[a, b]).await?);
    assert_eq!(found, [seen(1, 31, None, None), other(&steps[7].1)]);
    Ok(())
}
