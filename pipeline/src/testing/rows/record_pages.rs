//! Records in pages, by age, and removed.

use super::fixture::{Checked, EVER, words};
use super::records::{key, record};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, NO_WORD, ReadRows, RecordPage, RecordRow, RecordTime, RowsError, Word, WriteRows,
};

struct Written {
    signals: [Word; 2],
    statuses: [Word; 2],
    severity: Word,
    rows: Vec<RecordRow>,
}

/// Many with the same times, statuses and ids, in no order.
async fn write_all<B: Backend>(backend: &B) -> Result<Written, RowsError> {
    let mut write = backend.write().await?;
    let [drift, alerts, open, closed, high] =
        words(&mut write, ["drift", "alerts", "open", "closed", "high"]).await?;
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
    Ok(Written {
        signals: [drift, alerts],
        statuses: [open, closed],
        severity: high,
        rows,
    })
}

pub(super) async fn records_of_a_signal_are_paged_newest_first<B: Backend>(backend: &B) -> Checked {
    let written = write_all(backend).await?;
    let mut read = backend.read().await?;
    let place = |row: &RecordRow| (row.opened, row.id.clone());
    for signal in written.signals {
        for status in written.statuses.into_iter().chain([NO_WORD, 999]) {
            for severity in [NO_WORD, written.severity] {
                for is_open in [None, Some(true), Some(false)] {
                    for (start, end) in [(0, EVER.0), (10, 40), (20, 20)] {
                        let opened = UnixNanos(start)..UnixNanos(end);
                        let fits = |row: &&RecordRow| {
                            row.signal == signal
                                && (status == NO_WORD || row.status == status)
                                && (severity == NO_WORD || row.severity == severity)
                                && is_open.is_none_or(|open| open == row.resolved.is_none())
                                && opened.contains(&row.opened)
                        };
                        let mut expected: Vec<RecordRow> =
                            written.rows.iter().filter(fits).cloned().collect();
                        expected.sort_by_key(|row| std::cmp::Reverse(place(row)));
                        let mut page = RecordPage {
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
                            page.from = Some(place(row));
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

pub(super) async fn old_records_come_oldest_first<B: Backend>(backend: &B) -> Checked {
    let written = write_all(backend).await?;
    let mut read = backend.read().await?;
    for signal in written.signals {
        for time in [RecordTime::Opened, RecordTime::Resolved] {
            let place = |row: &RecordRow| {
                let time = match time {
                    RecordTime::Opened => Some(row.opened),
                    RecordTime::Resolved => row.resolved,
                };
                time.map(|time| (time, row.id.clone()))
            };
            for before in [0, 10, 31, u64::MAX] {
                let before = UnixNanos(before);
                let of_signal = written.rows.iter().filter(|row| row.signal == signal);
                let old = of_signal.filter_map(|row| Some((place(row)?, row.clone())));
                let old = old.filter(|(place, _)| place.0 < before);
                let mut expected: Vec<((UnixNanos, String), RecordRow)> = old.collect();
                expected.sort_by(|one, other| one.0.cmp(&other.0));
                let mut after = None;
                let mut found = Vec::new();
                loop {
                    let page = read.old_records(signal, time, before, after, 2).await?;
                    let Some(last) = page.last() else { break };
                    after = place(last);
                    found.extend(page);
                }
                let expected: Vec<RecordRow> = expected.into_iter().map(|(_, row)| row).collect();
                assert_eq!(found, expected, "{time:?} before {before:?}");
            }
        }
    }
    Ok(())
}

pub(super) async fn removed_records_are_found_by_nothing<B: Backend>(backend: &B) -> Checked {
    let written = write_all(backend).await?;
    let (removed, left) = written.rows.split_at(10);
    let mut write = backend.write().await?;
    let mut keys: Vec<_> = removed.iter().map(key).collect();
    keys.push(keys[0].clone());
    keys.push((written.signals[0], "never".to_owned(), UnixNanos(1)));
    write.remove_records(&keys).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.records(&keys).await?, []);
    let uids = ["a".to_owned()];
    let found = read.records_of(&uids, &[], UnixNanos(0), EVER, 99).await?;
    assert_eq!(found.len(), left.len());
    assert!(found.iter().all(|row| left.contains(row)));
    Ok(())
}
