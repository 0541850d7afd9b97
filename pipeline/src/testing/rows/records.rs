//! Properties of records.

use super::fixture::{MAX_TIME, PropertyResult, intern_words, sorted_by, strings};
use crate::component::UnixNanos;
use crate::store::rows::{Backend, NO_WORD, ReadRows, RecordRow, Word, WriteRows};

/// A record that is not resolved.
pub(super) fn record(signal: Word, id: &str, opened: u64, names: &[&str]) -> RecordRow {
    RecordRow {
        signal,
        id: id.to_owned(),
        opened: UnixNanos(opened),
        // An episode that opened later has an earlier report time. So the properties fail if a list is ordered by
        // report time.
        time: UnixNanos(1000 - opened),
        source: NO_WORD,
        uid: names.first().map(|&uid| uid.to_owned()),
        names: strings(names),
        status: NO_WORD,
        severity: NO_WORD,
        resolved: None,
        columns: "{}".to_owned(),
        impact: None,
        impact_time: UnixNanos(0),
    }
}

/// The key of a record: signal, id and opening time.
pub(super) fn key(row: &RecordRow) -> (Word, String, UnixNanos) {
    (row.signal, row.id.clone(), row.opened)
}

pub(super) async fn records_are_keyed_by_signal_id_and_opening_time<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [drift, alerts, aws, open, high] =
        intern_words(&mut write, ["drift", "alerts", "aws", "open", "high"]).await?;
    let full = RecordRow {
        time: UnixNanos(1_700_000_000_000_000_001),
        source: aws,
        status: open,
        severity: high,
        resolved: Some(UnixNanos(1_700_000_000_000_000_002)),
        columns: r#"{"a":"ä'\""}"#.to_owned(),
        impact: Some("{\"nodes\":[]}".to_owned()),
        impact_time: UnixNanos(9),
        ..record(drift, "d1", 10, &["a", "b"])
    };
    let rows = [
        record(drift, "d1", 10, &[]),
        full.clone(),
        record(drift, "d1", 20, &["a"]),
        record(drift, "D1", 10, &["a"]),
        record(alerts, "d1", 10, &["a"]),
        RecordRow {
            impact: Some(String::new()),
            resolved: Some(UnixNanos(0)),
            uid: None,
            ..record(alerts, "", 0, &["b"])
        },
    ];
    write.put_records(&rows).await?;
    let mut keys: Vec<_> = rows.iter().map(key).collect();
    keys.push((drift, "d2".to_owned(), UnixNanos(10)));
    let expected = sorted_by(rows[1..].to_vec(), key);
    assert_eq!(sorted_by(write.records(&keys).await?, key), expected);
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(sorted_by(read.records(&keys).await?, key), expected);
    assert_eq!(read.records(&keys[3..4]).await?, rows[3..4]);
    drop(read);

    let mut write = backend.write().await?;
    write.put_records(&rows[..1]).await?;
    write.commit().await?;
    let found = backend.read().await?.records(&keys[..1]).await?;
    assert_eq!(found, rows[..1], "a row is replaced as a whole");
    Ok(())
}

pub(super) async fn records_are_found_by_each_of_their_names<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let [drift, alerts] = intern_words(&mut write, ["drift", "alerts"]).await?;
    let rows = [
        record(drift, "one", 10, &["a", "b", "c"]),
        record(alerts, "two", 20, &["b"]),
        record(drift, "none", 30, &[]),
    ];
    write.put_records(&rows).await?;
    write.commit().await?;
    let cases: [(&[&str], &[usize]); 7] = [
        (&["a"], &[0]),
        (&["c"], &[0]),
        (&["b"], &[1, 0]),
        (&["a", "c", "a"], &[0]),
        (&["c", "b", "never"], &[1, 0]),
        (&["A", "", "never"], &[]),
        (&[], &[]),
    ];
    let mut read = backend.read().await?;
    for (uids, expected) in cases {
        let uids = strings(uids);
        let found = read
            .records_of(&uids, &[], UnixNanos(0), MAX_TIME, 9)
            .await?;
        let expected: Vec<RecordRow> = expected.iter().map(|&index| rows[index].clone()).collect();
        assert_eq!(found, expected, "of {uids:?}");
    }
    drop(read);

    let mut write = backend.write().await?;
    let renamed = record(drift, "one", 10, &["c", "d"]);
    write.put_records(std::slice::from_ref(&renamed)).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let found = read
        .records_of(&strings(&["a", "b"]), &[], UnixNanos(0), MAX_TIME, 9)
        .await?;
    assert_eq!(
        found,
        rows[1..2],
        "a name that a later row lacks does not find the record"
    );
    for uid in ["c", "d"] {
        let found = read
            .records_of(&strings(&[uid]), &[], UnixNanos(0), MAX_TIME, 9)
            .await?;
        assert_eq!(found, std::slice::from_ref(&renamed));
    }
    Ok(())
}

pub(super) async fn records_are_read_newest_first<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [drift, alerts, health] = intern_words(&mut write, ["drift", "alerts", "health"]).await?;
    let rows = [
        record(drift, "y", 30, &["a"]),
        record(drift, "x", 20, &["a", "b"]),
        record(drift, "z", 20, &["b"]),
        record(alerts, "a", 20, &["a"]),
        record(alerts, "x", 15, &["a"]),
        record(drift, "x", 10, &["b"]),
    ];
    let mut shuffled = rows.to_vec();
    shuffled.rotate_left(2);
    shuffled.reverse();
    write.put_records(&shuffled).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let uids = strings(&["b", "a"]);
    let signals = [
        vec![],
        vec![drift],
        vec![alerts, drift, alerts],
        vec![health],
    ];
    for signals in signals {
        for (from, to) in [(0, u64::MAX), (10, 20), (15, 21), (20, 20), (31, u64::MAX)] {
            for limit in [0, 1, 3, usize::MAX] {
                let (from, to) = (UnixNanos(from), UnixNanos(to));
                let expected = rows
                    .iter()
                    .filter(|row| from <= row.opened && row.opened < to);
                let of_signal = |row: &&RecordRow| signals.contains(&row.signal);
                let expected = expected.filter(|row| signals.is_empty() || of_signal(row));
                let expected: Vec<RecordRow> = expected.take(limit).cloned().collect();
                let found = read.records_of(&uids, &signals, from, to, limit).await?;
                assert_eq!(
                    found, expected,
                    "{limit} of {signals:?}, {from:?} to {to:?}"
                );
            }
        }
    }
    Ok(())
}
