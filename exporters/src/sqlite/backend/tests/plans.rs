//! Query plans: every statement seeks, none reads a whole table, and pages come in the order of an index.

use pipeline::component::UnixNanos;
use pipeline::store::rows::{
    Backend as _, RecordQuery, RecordTime, StatsResolution, TextCondition, TextField, TextMatch,
};
use sqlx::{AssertSqlSafe, Row as _};

use super::TestBackend;
use crate::sqlite::backend::edge_index::EdgeRange;
use crate::sqlite::backend::list::NodeIndex;
use crate::sqlite::backend::{
    aliases, claims, commits, edges, housekeeping, leases, nodes, records, scopes, stats, texts,
    versions,
};

/// The query plan of a statement, one line per step.
async fn plan(test_backend: &TestBackend, sql: &str) -> Vec<String> {
    let mut session = test_backend.backend.read().await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(session.sqlite())
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.iter().map(|row| row.get("detail")).collect()
}

/// Whether a step reads a whole table. Lists of parameters are not tables, and FTS5 has its own indexes.
fn is_table_scan(step: &str) -> bool {
    let Some(source) = step.strip_prefix("SCAN ") else {
        return false;
    };
    let is_part_of_statement = source == "keys" || source.starts_with("(subquery");
    !is_part_of_statement
        && !source.contains("VIRTUAL TABLE")
        && !source.contains("VALUES")
        && !source.contains("CONSTANT ROW")
}

/// A page of records for each combination of filters.
fn record_pages() -> Vec<RecordQuery> {
    let mut pages = Vec::new();
    for (status, severity) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        for is_open in [None, Some(true), Some(false)] {
            pages.push(RecordQuery {
                signal: 1,
                status,
                severity,
                is_open,
                opened: UnixNanos(0)..UnixNanos(1),
                from: None,
                limit: 1,
            });
        }
    }
    pages
}

#[tokio::test]
async fn lists_and_pages_come_in_the_order_of_an_index() {
    let test_backend = TestBackend::new().await;
    let mut statements = vec![
        commits::READ.to_owned(),
        claims::READ_OPEN.to_owned(),
        claims::READ_ENDED.to_owned(),
        aliases::READ_OF_KINDS.to_owned(),
        texts::FIND.to_owned(),
        texts::INDEX.to_owned(),
        texts::UNINDEX.to_owned(),
    ];
    let condition = TextCondition {
        field: TextField::Name,
        mode: TextMatch::Substring,
        text: "cart".to_owned(),
    };
    let texts = vec![vec![texts::TextPredicate::new(&condition); 2]; 2];
    for index in NodeIndex::ALL {
        statements.extend([index.list(&[]), index.list(&texts), index.count()]);
    }
    for page in record_pages() {
        statements.push(records::page_sql(&page));
    }
    for time in [RecordTime::Opened, RecordTime::Resolved] {
        statements.push(records::old_sql(time));
    }
    statements.push(housekeeping::NODE_PAGE.to_owned());
    statements.push(housekeeping::REMOVE_COMMITS.to_owned());
    for index in [edges::OUT, edges::IN, edges::PAST_IN] {
        statements.extend(EdgeRange::ALL.map(|range| index.sql(range)));
    }
    for sql in statements {
        let plan = plan(&test_backend, &sql).await;
        let sorts = |step: &String| step.contains("TEMP B-TREE");
        assert!(
            !plan.iter().any(|step| is_table_scan(step) || sorts(step)),
            "{sql}\n{plan:#?}"
        );
    }
}

#[tokio::test]
async fn sets_of_rows_are_read_and_removed_by_key() {
    let test_backend = TestBackend::new().await;
    let statements = [
        nodes::FIND,
        nodes::BY_HASH,
        nodes::READ,
        nodes::MERGED,
        claims::READ,
        claims::READ_PAST,
        claims::REMOVE.statement(),
        claims::REMOVE_PAST.statement(),
        versions::READ.statement(),
        versions::READ_HEADERS.statement(),
        versions::READ_SNAPSHOTS.statement(),
        edges::REMOVE.statement(),
        aliases::READ,
        aliases::READ_BY_VALUE,
        aliases::READ_PAST,
        aliases::REMOVE.statement(),
        scopes::READ_NAMED,
        scopes::READ_MEMBERS,
        scopes::REMOVE_MEMBERS,
        scopes::READ_CONTESTED,
        scopes::REMOVE_CONTESTED,
        scopes::REMOVE.statement(),
        scopes::REMOVE_ALL_MEMBERS.statement(),
        stats::statements_for(StatsResolution::Minute).read,
        records::READ.statement(),
        records::READ_OF,
        records::REMOVE_NAMES.statement(),
        leases::READ,
        leases::REMOVE,
        records::REMOVE,
        stats::READ_ENDS,
        stats::statements_for(StatsResolution::Minute)
            .remove
            .statement(),
        housekeeping::VERSIONS_OF,
        housekeeping::REMOVE_VERSIONS.statement(),
        housekeeping::REMOVE_SNAPSHOTS.statement(),
        housekeeping::REMOVE_PAST_EDGES.statement(),
        housekeeping::REMOVE_PAST_ALIASES.statement(),
        housekeeping::REMOVE_NODES,
        housekeeping::REMOVE_ENDS,
    ];
    for sql in statements {
        let plan = plan(&test_backend, sql).await;
        let scans: Vec<_> = plan.iter().filter(|step| is_table_scan(step)).collect();
        assert!(scans.is_empty(), "{sql}\n{plan:#?}");
    }
}

#[tokio::test]
async fn a_list_seeks_to_the_word_of_its_filter_and_to_its_page() {
    let test_backend = TestBackend::new().await;
    let plan = plan(&test_backend, &NodeIndex::Column("account").list(&[])).await;
    let seek = "SEARCH nodes USING INDEX nodes_by_account (listing=? AND account=? AND rowid>?)";
    assert!(plan.iter().any(|step| step == seek), "{plan:#?}");
}

#[tokio::test]
async fn past_claims_are_read_with_one_seek_per_claim() {
    let test_backend = TestBackend::new().await;
    let plan = plan(&test_backend, claims::READ_PAST).await;
    let seek = "SEARCH claim_history USING PRIMARY KEY (node=? AND (class,source,scope)>(?,?,?))";
    assert!(plan.iter().any(|step| step == seek), "{plan:#?}");
}

#[tokio::test]
async fn a_page_of_edges_seeks_to_the_last_edge_of_the_previous_page() {
    let test_backend = TestBackend::new().await;
    let plan = plan(&test_backend, &edges::IN.sql(EdgeRange::RestOfKind)).await;
    let seek = "SEARCH edges USING INDEX edges_by_target (to_node=? AND kind=? AND \
                (from_node,source,scope,is_observation)>(?,?,?,?))";
    assert!(plan.iter().any(|step| step == seek), "{plan:#?}");
}
