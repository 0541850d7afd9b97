//! `airdig store check`: compares the current rows with the stored reports.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;
use exporters::sqlite;
use pipeline::store::CheckReport;

use super::{StoreAddress, on_one_line, plural};
use crate::cli::{FAILED, plain_table, print};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The graph file: `sqlite:airdig.db`.
    #[arg(value_name = "sqlite:PATH")]
    store: StoreAddress,
    /// Repair the rows that differ, in short transactions. Do not run two repairs of a graph at the same time.
    #[arg(long)]
    rebuild: bool,
}

pub(super) async fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let store = sqlite::open_existing(&arguments.store.path).await;
    let store = store.map_err(|error| on_one_line(&error))?;
    let checked = async {
        let first = store.check(arguments.rebuild).await?;
        if !arguments.rebuild || first.is_clean() {
            return Ok((first, None));
        }
        let remaining = store.check(false).await?;
        Ok((first, Some(remaining)))
    };
    let checked = checked.await;
    sqlite::close(&store).await;
    let failed = |error: pipeline::store::rows::RowsError| {
        format!("cannot check {}: {}", arguments.store, on_one_line(&error))
    };
    let (first, remaining) = checked.map_err(failed)?;
    let mut text = describe(&first);
    if let Some(remaining) = &remaining {
        let repaired = plural(first.repaired, "row", "rows");
        let _ = write!(
            text,
            "\nrepaired {repaired}; checked again: {}",
            describe(remaining)
        );
    }
    let printed = print(&text);
    match remaining.unwrap_or(first).is_clean() {
        true => Ok(printed),
        false => Ok(ExitCode::from(FAILED)),
    }
}

/// Describes the result for the user: the differences, then the totals.
fn describe(report: &CheckReport) -> String {
    let nodes = plural(report.nodes, "node", "nodes");
    if report.is_clean() {
        return format!("{nodes}: the current rows agree with the reports");
    }
    let rows = report.differences.iter().map(|difference| {
        let (table, rows) = (difference.table.to_string(), difference.rows.to_string());
        [difference.subject.clone(), table, rows]
    });
    let header = Some(["differs", "table", "rows"]);
    let shown: u64 = report
        .differences
        .iter()
        .map(|difference| difference.rows)
        .sum();
    let total: u64 = report.totals.values().sum();
    let mut text = plain_table(header, rows);
    if total > shown {
        let _ = write!(
            text,
            "\n… and {}",
            plural(total - shown, "other row", "other rows")
        );
    }
    let totals = report.totals.iter();
    let totals: Vec<String> = totals
        .map(|(table, rows)| format!("{table} {rows}"))
        .collect();
    let rows = plural(total, "row differs", "rows differ");
    let _ = write!(
        text,
        "\n{nodes}: {rows} from the reports ({})",
        totals.join(", ")
    );
    text
}

#[cfg(test)]
mod tests {
    use pipeline::store::{CheckDifference, CheckReport, CheckedTable};

    use super::describe;

    #[test]
    fn differences_are_listed_with_their_totals() {
        let mut report = CheckReport {
            nodes: 1,
            ..CheckReport::default()
        };
        assert_eq!(
            describe(&report),
            "1 node: the current rows agree with the reports"
        );
        report.differences.push(CheckDifference {
            subject: "svc://cart".to_owned(),
            table: CheckedTable::Edges,
            rows: 2,
        });
        report.totals = [(CheckedTable::Edges, 5), (CheckedTable::Texts, 1)].into();
        let text = describe(&report);
        assert!(text.contains("svc://cart"), "{text}");
        assert!(text.contains("and 4 other rows"), "{text}");
        assert!(
            text.ends_with("6 rows differ from the reports (edges 5, texts 1)"),
            "{text}"
        );
    }
}
