//! Properties of pages of records, of reads by age, and of removals.

use super::fixture::{MAX_TIME, PropertyResult, intern_words};
use super::records::{key, record};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, NO_WORD, ReadRows, RecordQuery, RecordRow, RecordTime, RowsError, Word, WriteRows,
};

/// The rows that `write_all` writes, and the words in them.
struct WrittenRecords {
    signals: [Word; 2],
    statuses: [Word; 2],
    severity: Word,
    rows: Vec<RecordRow>,
}

/// Writes 24 records, not in the order of their times. Many have equal opening times and equal statuses.
async fn write_all<B: Backend>(backend: &B) -> Result<WrittenRecords, RowsError> {
    let mut write = backend.write().await?;
    let [drift, alerts, open, closed, high] =
        intern_words(&mut write, ["drift", "alerts", "open", "closed", "high"]).await?;
    let mut rows = Vec::new();
    for number in 0..24_u64 {
        let signal = if number % 5 == 0 { alerts } else { drift };
        let (opened, id) = (10 * (number * 7 % 6), format!("id-{}", number * 11 % 24));
        let is_open = number % 3 == 0;
        rows.push(RecordRow {
            status: if is_open { open } else { closed },
            severity: if number % 2 == 0 { high } else { NO_WORD },
            resolved: (!is_open).then_some(UnixNanos(opened + number % 4)),
            ..record(signal, &id, opened, &["a"])
        });
    }
    write.put_records(&rows).await?;
    write.commit().await?;
    Ok(WrittenRecords {
        signals: [drift, alerts],
        statuses: [open, closed],
        severity: high,
        rows,
    })
}

pub(super) async fn records_of_a_signal_are_paged_newest_first<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let written = write_all(backend).await?;
    let mut read = backend.read().await?;
    let position = |row: &RecordRow| (row.opened, row.id.clone());
    for signal in written.signals {
        for status in written.statuses.into_iter().chain([NO_WORD, 999]) {
            for severity in [NO_WORD, written.severity] {
                for is_open in [None, Some(true), Some(false)] {
                    for (start, end) in [(0, MAX_TIME.0), (10, 40), (20, 20)] {
                        let opened = UnixNanos(start)..UnixNanos(end);
                        let matches = |row: &&RecordRow| {
                            row.signal == signal
                                && (status == NO_WORD || row.status == status)
                                && (severity == NO_WORD || row.severity == severity)
                                && is_open.is_none_or(|open| open == row.resolved.is_none())
                                && opened.contains(&row.opened)
                        };
                        let mut expected: Vec<RecordRow> =
                            written.rows.iter().filter(matches).cloned().collect();
                        expected.sort_by_key(|row| std::cmp::Reverse(position(row)));
                        let mut page = RecordQuery {
                            signal,
                            status,
                            severity,
                            is_open,
                            opened: opened.clone(),
                            from: None,
                            limit: usize::MAX,
                        };
                        let found = read.record_page(&page).await?;
                        assert_eq!(found, expected, "{page:?}");
                        page.limit = 3;
                        for (number, row) in expected.iter().enumerate() {
                            page.from = Some(position(row));
                            let found = read.record_page(&page).await?;
                            let rest = expected.iter().skip(number).take(3);
                            let rest: Vec<RecordRow> = rest.cloned().collect();
                            assert_eq!(found, rest, "{page:?}");
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn old_records_are_paged_oldest_first<B: Backend>(backend: &B) -> PropertyResult {
    let written = write_all(backend).await?;
    let mut read = backend.read().await?;
    for signal in written.signals {
        for time in [RecordTime::Opened, RecordTime::Resolved] {
            let position = |row: &RecordRow| {
                let time = match time {
                    RecordTime::Opened => Some(row.opened),
                    RecordTime::Resolved => row.resolved,
                };
                time.map(|time| (time, row.id.clone()))
            };
            for before in [0, 10, 31, u64::MAX] {
                let before = UnixNanos(before);
                let of_signal = written.rows.iter().filter(|row| row.signal == signal);
                let old = of_signal.filter_map(|row| Some((position(row)?, row.clone())));
                let old = old.filter(|(position, _)| position.0 < before);
                let mut expected: Vec<((UnixNanos, String), RecordRow)> = old.collect();
                expected.sort_by(|one, other| one.0.cmp(&other.0));
                let mut after = None;
                let mut found = Vec::new();
                loop {
                    let page = read.old_records(signal, time, before, after, 2).await?;
                    let Some(last) = page.last() else { break };
                    after = position(last);
                    found.extend(page);
                }
                let expected: Vec<RecordRow> = expected.into_iter().map(|(_, row)| row).collect();
                assert_eq!(found, expected, "{time:?} before {before:?}");
            }
        }
    }
    Ok(())
}

pub(super) async fn removed_records_are_not_found<B: Backend>(backend: &B) -> PropertyResult {
    let written = write_all(backend).await?;
    let (removed, remaining) = written.rows.split_at(10);
    let mut write = backend.write().await?;
    let mut keys: Vec<_> = removed.iter().map(key).collect();
    keys.push(keys[0].clone());
    keys.push((written.signals[0], "never".to_owned(), UnixNanos(1)));
    write.remove_records(&keys).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.records(&keys).await?, []);
    let uids = ["a".to_owned()];
    let found = read
        .records_of(&uids, &[], UnixNanos(0), MAX_TIME, 99)
        .await?;
    assert_eq!(found.len(), remaining.len());
    assert!(found.iter().all(|row| remaining.contains(row)));
    Ok(())
}
