//! Properties of claims: the last interval of each, and the past ones.

use super::fixture::{MAX_TIME, PropertyResult, create_nodes, intern_words, sorted, sorted_by};
use crate::claims::{
    ClaimClass, ClaimInterval, IntervalEnd, PointKind, Removal, ReportPoint, ReportedBy,
};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, ClaimKey, ClaimRow, NO_WORD, NodeId, ReadRows, RowsError, WriteRows,
};
use crate::uid;

const DELETED: IntervalEnd = IntervalEnd::Removed(Removal::Deleted);

/// An interval with one report. If it has an end, a deletion ended it.
fn claim(key: ClaimKey, since: u64, until: Option<u64>) -> ClaimRow {
    claim_with_end(key, since, until.map(|until| (until, DELETED)))
}

/// An interval with one report and this end.
fn claim_with_end(key: ClaimKey, since: u64, until: Option<(u64, IntervalEnd)>) -> ClaimRow {
    let state = since + 100;
    let kind = PointKind::Seen {
        state,
        by: ReportedBy::Scan,
    };
    let time = UnixNanos(since);
    ClaimRow {
        key,
        interval: ClaimInterval {
            since: time,
            until: until.map(|(until, how)| (UnixNanos(until), how)),
            state,
            seen: time,
            points: vec![ReportPoint { time, kind }],
        },
    }
}

/// Creates these nodes. Returns the key of one claim of each node; the keys differ only in the node.
async fn keys<const N: usize>(
    write: &mut impl WriteRows,
    uids: [&str; N],
) -> Result<[ClaimKey; N], RowsError> {
    let [source, scope] = intern_words(write, ["aws", "aws/1/vm"]).await?;
    let nodes = create_nodes(write, uids).await?;
    Ok(nodes.map(|node| ClaimKey {
        node,
        class: ClaimClass::Actual,
        source,
        scope,
    }))
}

fn in_order(rows: Vec<ClaimRow>) -> Vec<ClaimRow> {
    sorted_by(rows, |row| (row.key, row.interval.since))
}

pub(super) async fn last_intervals_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = keys(&mut write, ["a", "b"]).await?;
    let classes = ClaimClass::ALL.map(|class| claim(ClaimKey { class, ..a }, 10, None));
    let mut rows = classes.to_vec();
    let mut many = claim(b, 1_700_000_000_000_000_001, None);
    many.interval.state = u64::MAX;
    many.interval.seen = UnixNanos(1_700_000_000_000_000_002);
    let seen = |state, by| PointKind::Seen { state, by };
    let reports = [
        seen(u64::MAX, ReportedBy::Row),
        seen(0, ReportedBy::Scan),
        PointKind::Removed(Removal::Deleted),
        PointKind::Removed(Removal::Released),
        PointKind::Deleted,
    ];
    let reports = reports
        .into_iter()
        .cycle()
        .take(ClaimInterval::POINTS)
        .zip(1..);
    let points = reports.map(|(kind, time)| ReportPoint {
        time: UnixNanos(time),
        kind,
    });
    many.interval.points = points.collect();
    rows.push(many);
    let mut none = claim(
        ClaimKey {
            source: a.scope,
            ..b
        },
        0,
        Some(0),
    );
    none.interval.points = Vec::new();
    rows.push(none);
    let replaced = ClaimKey {
        scope: NO_WORD,
        ..b
    };
    rows.push(claim_with_end(
        replaced,
        5,
        Some((9, IntervalEnd::Replaced)),
    ));
    let released = ClaimKey {
        class: ClaimClass::Created,
        ..b
    };
    let how = IntervalEnd::Removed(Removal::Released);
    rows.push(claim_with_end(released, 5, Some((9, how))));

    write.put_claims(&rows).await?;
    let expected = in_order(rows);
    let nodes = [b.node, a.node, b.node];
    assert_eq!(in_order(write.claims(&nodes).await?), expected);
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(in_order(read.claims(&nodes).await?), expected);
    let of_a = expected.into_iter().filter(|row| row.key.node == a.node);
    let of_a: Vec<ClaimRow> = of_a.collect();
    assert_eq!(in_order(read.claims(&[a.node]).await?), of_a);
    assert_eq!(read.past_claims(&nodes, UnixNanos(0)).await?, []);
    Ok(())
}

pub(super) async fn put_claims_replaces_the_last_interval<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = keys(&mut write, ["a", "b"]).await?;
    write
        .put_claims(&[claim(a, 10, None), claim(b, 10, None)])
        .await?;
    write.commit().await?;
    let mut write = backend.write().await?;
    // One interval, then two in one call: the interval that is written last is the last interval.
    write.put_claims(&[claim(a, 20, None)]).await?;
    write
        .put_claims(&[claim(a, 30, None), claim(a, 5, Some(8))])
        .await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = in_order(read.claims(&[a.node, b.node]).await?);
    assert_eq!(found, [claim(a, 5, Some(8)), claim(b, 10, None)]);
    let past = read.past_claims(&[a.node, b.node], UnixNanos(0)).await?;
    assert_eq!(past, [], "a replaced interval is not kept");
    Ok(())
}

pub(super) async fn past_claims_include_the_newest_that_ended_before_the_time<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b, c] = keys(&mut write, ["a", "b", "c"]).await?;
    let other = ClaimKey {
        class: ClaimClass::Desired,
        ..a
    };
    let past = [
        claim(a, 10, Some(20)),
        claim(a, 20, Some(30)),
        // An empty interval, as a removal before all sightings makes.
        claim(a, 35, Some(35)),
        claim(a, 40, Some(50)),
        claim(other, 12, Some(60)),
        claim(other, 60, Some(61)),
        claim(b, 10, Some(30)),
    ];
    let mut shuffled = past.to_vec();
    shuffled.reverse();
    write.put_past_claims(&shuffled).await?;
    let last = [
        claim(a, 70, None),
        claim(b, 70, Some(80)),
        claim(c, 1, Some(2)),
    ];
    write.put_claims(&last).await?;
    let nodes = [a.node, b.node, c.node, a.node];
    check_past(&mut write, &nodes, &past).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    check_past(&mut read, &nodes, &past).await?;
    check_past(&mut read, &[b.node], &past[6..]).await?;
    check_past(&mut read, &[c.node], &[]).await?;
    assert_eq!(in_order(read.claims(&nodes).await?), last);
    Ok(())
}

/// Reads the past intervals since several times and compares them with `past`.
async fn check_past(
    rows: &mut impl ReadRows,
    nodes: &[NodeId],
    past: &[ClaimRow],
) -> PropertyResult {
    let times = [
        0,
        9,
        10,
        20,
        29,
        30,
        31,
        35,
        36,
        49,
        50,
        59,
        60,
        61,
        100,
        u64::MAX,
    ];
    for since in times.map(UnixNanos) {
        let ends_after =
            |row: &ClaimRow| row.interval.until.is_some_and(|(until, _)| until > since);
        let is_newest_before = |row: &ClaimRow| {
            let of_claim = past.iter().filter(|other| other.key == row.key);
            let before = of_claim.filter(|other| !ends_after(other));
            before.map(|other| other.interval.since).max() == Some(row.interval.since)
        };
        let expected = past
            .iter()
            .filter(|row| ends_after(row) || is_newest_before(row));
        let expected: Vec<ClaimRow> = expected.cloned().collect();
        let found = in_order(rows.past_claims(nodes, since).await?);
        assert_eq!(found, in_order(expected), "since {since:?}");
    }
    Ok(())
}

pub(super) async fn put_past_claims_replaces_the_interval_with_the_same_since<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a] = keys(&mut write, ["a"]).await?;
    write
        .put_past_claims(&[claim(a, 10, Some(20)), claim(a, 30, Some(40))])
        .await?;
    write.commit().await?;
    let mut write = backend.write().await?;
    let replaced = claim_with_end(a, 10, Some((25, IntervalEnd::Replaced)));
    write
        .put_past_claims(&[claim(a, 10, Some(15)), replaced.clone()])
        .await?;
    write.commit().await?;
    let found = backend
        .read()
        .await?
        .past_claims(&[a.node], UnixNanos(0))
        .await?;
    assert_eq!(in_order(found), [replaced, claim(a, 30, Some(40))]);
    Ok(())
}

pub(super) async fn remove_claims_keeps_all_other_intervals<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b] = keys(&mut write, ["a", "b"]).await?;
    let other = ClaimKey {
        source: a.scope,
        ..a
    };
    let past = [
        claim(a, 10, Some(20)),
        claim(a, 20, Some(30)),
        claim(other, 10, Some(20)),
        claim(b, 10, Some(20)),
    ];
    write.put_past_claims(&past).await?;
    let last = [
        claim(a, 40, None),
        claim(other, 40, None),
        claim(b, 40, None),
    ];
    write.put_claims(&last).await?;
    write.commit().await?;

    let mut write = backend.write().await?;
    let time = UnixNanos;
    // Removes the last interval and a past interval of `a`, and nothing of `b`, which has no interval that began at 39.
    let keys = [(a, time(40)), (a, time(10)), (b, time(39)), (a, time(40))];
    write.remove_claims(&keys).await?;
    let nodes = [a.node, b.node];
    let mut remaining = past[1..].to_vec();
    check_remaining(&mut write, &nodes, &remaining, &last[1..]).await?;
    write.commit().await?;
    check_remaining(&mut backend.read().await?, &nodes, &remaining, &last[1..]).await?;

    let mut write = backend.write().await?;
    write.remove_claims(&[(b, time(40)), (b, time(10))]).await?;
    write.put_claims(&[claim(a, 50, None)]).await?;
    write.commit().await?;
    remaining.pop();
    let last = [claim(a, 50, None), claim(other, 40, None)];
    check_remaining(&mut backend.read().await?, &nodes, &remaining, &last).await?;
    let scope = b.scope_key();
    let open = backend.read().await?.open_claims(scope, 0, 9).await?;
    assert_eq!(open, [(uid::hash("a"), claim(a, 50, None))]);
    Ok(())
}

async fn check_remaining(
    rows: &mut impl ReadRows,
    nodes: &[NodeId],
    past: &[ClaimRow],
    last: &[ClaimRow],
) -> PropertyResult {
    let found = rows.past_claims(nodes, UnixNanos(0)).await?;
    assert_eq!(in_order(found), in_order(past.to_vec()));
    let found = rows.claims(nodes).await?;
    assert_eq!(in_order(found), in_order(last.to_vec()));
    Ok(())
}

pub(super) async fn open_claims_of_a_scope_are_paged_by_node<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let uids = ["a", "b", "c", "d", "e", "f", "g"];
    let mut write = backend.write().await?;
    let keys @ [a, b, c, d, e, f, g] = keys(&mut write, uids).await?;
    let rows = [
        claim(g, 10, None),
        claim(a, 10, None),
        claim(b, 10, Some(11)),
        claim(c, 10, None),
        claim(
            ClaimKey {
                class: ClaimClass::Desired,
                ..b
            },
            10,
            None,
        ),
        claim(
            ClaimKey {
                source: b.scope,
                ..b
            },
            10,
            None,
        ),
        claim(
            ClaimKey {
                scope: b.source,
                ..b
            },
            10,
            None,
        ),
        claim(d, 10, None),
        claim(e, 10, None),
        claim(f, 10, None),
    ];
    write.put_claims(&rows).await?;
    write
        .put_past_claims(&[claim(a, 1, Some(9)), claim(b, 1, Some(9))])
        .await?;
    write.commit().await?;
    let mut write = backend.write().await?;
    // `d` ends, and `e` continues with another interval.
    write
        .put_claims(&[claim(d, 10, Some(12)), claim(e, 12, None)])
        .await?;
    let expected = [
        (uid::hash("a"), claim(a, 10, None)),
        (uid::hash("c"), claim(c, 10, None)),
        (uid::hash("e"), claim(e, 12, None)),
        (uid::hash("f"), claim(f, 10, None)),
        (uid::hash("g"), claim(g, 10, None)),
    ];
    let all = write.open_claims(a.scope_key(), 0, usize::MAX).await?;
    assert_eq!(all, expected);
    write.commit().await?;
    let mut read = backend.read().await?;
    for limit in [0, 1, 2, 4, 5, 6, usize::MAX] {
        for after in keys.map(|key| key.node).into_iter().chain([0]) {
            let page = read.open_claims(a.scope_key(), after, limit).await?;
            let rest = expected.iter().filter(|(_, row)| row.key.node > after);
            let rest: Vec<_> = rest.take(limit).cloned().collect();
            assert_eq!(page, rest, "{limit} after {after}");
        }
    }
    Ok(())
}

pub(super) async fn ended_claims_are_those_that_ended_after_the_time<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [a, b, c, d] = keys(&mut write, ["a", "b", "c", "d"]).await?;
    let rows = [
        claim(a, 10, None),
        claim(b, 10, Some(20)),
        claim(c, 10, Some(30)),
        claim(
            ClaimKey {
                class: ClaimClass::Desired,
                ..d
            },
            10,
            None,
        ),
        claim(
            ClaimKey {
                source: d.scope,
                ..d
            },
            10,
            None,
        ),
        claim(
            ClaimKey {
                scope: NO_WORD,
                ..d
            },
            10,
            None,
        ),
    ];
    write.put_claims(&rows).await?;
    // The past interval of `b` has no effect, since only last intervals count.
    write.put_past_claims(&[claim(b, 1, Some(5))]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let ended = |uid: &str, key: ClaimKey| (uid::hash(uid), key.node);
    let (b, c) = (ended("b", b), ended("c", c));
    let times = [
        (UnixNanos(0), vec![b, c]),
        (UnixNanos(19), vec![b, c]),
        (UnixNanos(20), vec![c]),
        (UnixNanos(30), vec![]),
        (MAX_TIME, vec![]),
    ];
    for (since, expected) in times {
        let found = read.ended_claims(rows[0].key.scope_key(), since).await?;
        assert_eq!(sorted(found), sorted(expected), "since {since:?}");
    }
    Ok(())
}
