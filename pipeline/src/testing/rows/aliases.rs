//! Aliases: current, past and observed.

use super::fixture::{Checked, by, nodes, sorted, strings, words};
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

/// The alias `10.0.0.1` of the first of these nodes, and the nodes.
async fn of_first<const N: usize>(
    write: &mut impl WriteRows,
    uids: [&str; N],
) -> Result<(AliasKey, [NodeId; N]), RowsError> {
    let [kind, within, source, scope] = words(write, ["ip", "vpc-1", "aws", "aws/1/vm"]).await?;
    let nodes = nodes(write, uids).await?;
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
    by(rows, |row| row.key.clone())
}

pub(super) async fn aliases_come_back_as_put<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let (key, [a, b, c]) = of_first(&mut write, ["a", "b", "c"]).await?;
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
    // The full row of the same key stands behind it and replaces it.
    put.insert(0, alias(&key));
    write.put_aliases(&put).await?;
    let of = |values: &[&str]| {
        let fitting = rows
            .iter()
            .filter(|row| values.contains(&row.key.value.as_str()));
        in_order(fitting.cloned().collect())
    };
    let found = write.aliases_by_value(&strings(&["10.0.0.1"])).await?;
    assert_eq!(in_order(found), of(&["10.0.0.1"]));
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
        assert_eq!(in_order(found), of(values), "with the values {values:.10?}");
    }
    Ok(())
}

pub(super) async fn removed_alias_leaves_a_past_owner<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let (key, [a, b, c]) = of_first(&mut write, ["a", "b", "c"]).await?;
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
    write.put_aliases(&[alias(&key)]).await?;
    write.remove_aliases(&[of_b, observed]).await?;
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
    assert_eq!(found, expected, "an owner that has it again was once one");
    assert_eq!(read.aliases(&[a, b, c]).await?, [alias(&key)]);
    assert_eq!(read.past_owners(&strings(&["10.0.0."])).await?, []);
    Ok(())
}

pub(super) async fn aliases_of_kinds_are_paged_by_node<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let (key, nodes) = of_first(&mut write, ["a", "b", "c", "d", "e", "f"]).await?;
    let [name, other] = words(&mut write, ["dns", "arn"]).await?;
    let mut rows = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let of = |kind, value: String| {
            let key = AliasKey {
                node,
                kind,
                value,
                ..key.clone()
            };
            alias(&key)
        };
        // Several of a kind, both kinds, or only a kind that is not asked for.
        match index % 3 {
            0 => rows.extend((0..3).map(|number| of(key.kind, format!("10.0.0.{number}")))),
            1 => rows.extend([of(key.kind, "10.1.1.1".into()), of(name, "a.b".into())]),
            _ => rows.push(of(other, "arn:x".into())),
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
        let fitting = rows.iter().filter(|row| kinds.contains(&row.key.kind));
        let fitting = in_order(fitting.cloned().collect());
        for limit in [1, 2, 3, usize::MAX] {
            let (mut after, mut left) = (0, fitting.clone());
            loop {
                let found = read.aliases_of_kinds(&kinds, after, limit).await?;
                let mut nodes: Vec<NodeId> = found.iter().map(|row| row.key.node).collect();
                assert!(nodes.is_sorted(), "by node: {nodes:?}");
                nodes.dedup();
                assert!(nodes.len() <= limit, "at most {limit} nodes: {nodes:?}");
                assert!(
                    nodes.len() == limit || found.len() == left.len(),
                    "a whole page"
                );
                let rest = left.split_off(found.len().min(left.len()));
                assert_eq!(in_order(found), left, "{limit} of {kinds:?} after {after}");
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

pub(super) async fn observed_aliases_merge<B: Backend>(backend: &B) -> Checked {
    let mut write = backend.write().await?;
    let (key, [a, b]) = of_first(&mut write, ["a", "b"]).await?;
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
        // Earlier: it gives the first time.
        (
            seen(5, 15, Some(9), Some(90)),
            seen(5, 20, Some(4), Some(40)),
        ),
        // At the same time the greater bounds, by (from, to); none is the least.
        (seen(20, 20, None, Some(99)), seen(5, 20, Some(4), Some(40))),
        (seen(20, 20, Some(4), None), seen(5, 20, Some(4), Some(40))),
        (
            seen(20, 20, Some(5), Some(1)),
            seen(5, 20, Some(5), Some(1)),
        ),
        // Later, without bounds.
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
    assert_eq!(new, expected, "new at its first place, in order");
    write.commit().await?;
    let found = in_order(backend.read().await?.aliases(&[a, b]).await?);
    assert_eq!(found, [seen(1, 31, None, None), other(&steps[7].1)]);
    Ok(())
}
