//! Properties of a backend: how it stores and returns rows of edge statistics.

use super::fixture::{MAX_TIME, PropertyResult, create_nodes, intern_words, sorted_by};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, EdgeStatsRow, NO_WORD, ReadRows, RowsError, StatsResolution, WriteRows,
};

/// Creates the nodes and words of a row of edge statistics and returns the row, unwritten.
async fn stats(write: &mut impl WriteRows) -> Result<EdgeStatsRow, RowsError> {
    let [kind, connection_type, writer] = intern_words(write, ["calls", "http", "host-1"]).await?;
    let [from, to] = create_nodes(write, ["a", "b"]).await?;
    Ok(EdgeStatsRow {
        // The start of the minute. A backend accepts any time here.
        minute: UnixNanos(60),
        from,
        kind,
        to,
        connection_type,
        writer,
        chunk: 0,
        calls: 10,
        errors: 2,
        duration_sum: 1.5,
        duration_max: 0.1,
        scale: 3,
        offset: -20,
        counts: vec![1, 0, u64::MAX],
    })
}

fn in_order(rows: Vec<EdgeStatsRow>) -> Vec<EdgeStatsRow> {
    sorted_by(rows, |row| {
        let edge = (row.from, row.kind, row.to, row.connection_type);
        (row.minute, edge, row.writer, row.chunk)
    })
}

pub(super) async fn edge_stats_are_read_by_minute<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let first = stats(&mut write).await?;
    let with = |change: &dyn Fn(&mut EdgeStatsRow)| {
        let mut row = first.clone();
        change(&mut row);
        row
    };
    let rows = vec![
        first.clone(),
        with(&|row| std::mem::swap(&mut row.from, &mut row.to)),
        with(&|row| row.kind = row.writer),
        with(&|row| row.to = row.from),
        with(&|row| row.connection_type = NO_WORD),
        with(&|row| row.writer = row.kind),
        with(&|row| row.chunk = u32::MAX),
        with(&|row| {
            row.minute = UnixNanos(120);
            row.scale = i32::MIN;
            row.offset = i32::MAX;
            row.counts = Vec::new();
        }),
        with(&|row| row.minute = UnixNanos(0)),
        with(&|row| row.minute = UnixNanos(1_700_000_040_000_000_000)),
    ];
    write.put_edge_stats(StatsResolution::Minute, &rows).await?;
    let found = write
        .edge_stats(StatsResolution::Minute, UnixNanos(0), MAX_TIME)
        .await?;
    assert_eq!(in_order(found), in_order(rows.clone()));
    write.commit().await?;
    let mut read = backend.read().await?;
    for (from, to) in [
        (0, 61),
        (60, 120),
        (60, 121),
        (61, u64::MAX),
        (1, 60),
        (60, 60),
        (120, 60),
    ] {
        let (from, to) = (UnixNanos(from), UnixNanos(to));
        let expected = rows
            .iter()
            .filter(|row| from <= row.minute && row.minute < to);
        let expected = in_order(expected.cloned().collect());
        let found = in_order(read.edge_stats(StatsResolution::Minute, from, to).await?);
        assert_eq!(found, expected, "{from:?} to {to:?}");
    }
    Ok(())
}

/// Of rows with the same key, a backend keeps the one with the most calls; of these, the one with the most errors; of
/// these, the one with the greatest sum of durations.
pub(super) async fn row_with_greater_totals_replaces_the_stored_edge_stats<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let mut write = backend.write().await?;
    let first = stats(&mut write).await?;
    let counted = |calls, errors, duration_sum, max| EdgeStatsRow {
        calls,
        errors,
        duration_sum,
        duration_max: max,
        counts: vec![max as u64],
        ..first.clone()
    };
    let steps = [
        (counted(10, 2, 1.5, 1.0), true),
        (counted(9, 9, 9.5, 2.0), false),
        (counted(10, 1, 9.5, 3.0), false),
        (counted(10, 2, 1.25, 4.0), false),
        // Of equal rows, the stored one stays.
        (counted(10, 2, 1.5, 5.0), false),
        (counted(10, 2, 1.75, 6.0), true),
        (counted(10, 3, 0.5, 7.0), true),
        (counted(11, 0, 0.0, 8.0), true),
        (counted(11, 0, -1.0, 9.0), false),
    ];
    let mut stored = &steps[0].0;
    for (row, wins) in &steps {
        write
            .put_edge_stats(StatsResolution::Minute, std::slice::from_ref(row))
            .await?;
        if *wins {
            stored = row;
        }
        let found = write
            .edge_stats(StatsResolution::Minute, UnixNanos(0), MAX_TIME)
            .await?;
        assert_eq!(found, [stored.clone()], "after {row:?}");
    }
    write.commit().await?;

    let mut write = backend.write().await?;
    let other = |(row, _): &(EdgeStatsRow, bool)| EdgeStatsRow {
        chunk: 1,
        ..row.clone()
    };
    let mut rows: Vec<EdgeStatsRow> = steps.iter().map(other).collect();
    rows.push(steps[0].0.clone());
    write.put_edge_stats(StatsResolution::Minute, &rows).await?;
    write.commit().await?;
    let found = backend
        .read()
        .await?
        .edge_stats(StatsResolution::Minute, UnixNanos(0), MAX_TIME)
        .await?;
    let expected = [steps[7].0.clone(), other(&steps[7])];
    assert_eq!(
        in_order(found),
        expected,
        "the same totals in another chunk, written in one call"
    );
    Ok(())
}
