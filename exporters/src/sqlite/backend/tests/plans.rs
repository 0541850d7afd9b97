//! Every read seeks: none reads a whole table, and pages come in the order of an index.

use pipeline::component::UnixNanos;
use pipeline::store::rows::{RecordPage, RecordTime, Resolution, TextField, TextMatch, WantedText};
use sqlx::{AssertSqlSafe, Row as _};

use super::Open;
use crate::sqlite::backend::list::Index;
use crate::sqlite::backend::walk::Step;
use crate::sqlite::backend::{
    aliases, claims, commits, edges, housekeeping, leases, nodes, records, scopes, stats, texts,
    versions,
};
use pipeline::store::rows::Backend as _;

/// One line a step.
async fn plan(open: &Open, sql: &str) -> Vec<String> {
    let mut session = open.backend.read().await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(session.sqlite())
        .await
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.iter().map(|row| row.get("detail")).collect()
}

/// A whole table is read; lists of parameters and FTS5, which has indexes of its own, are none.
fn scans(step: &str) -> bool {
    let Some(of) = step.strip_prefix("SCAN ") else {
        return false;
    };
    let is_part_of_statement = of == "keys" || of.starts_with("(subquery");
    !is_part_of_statement
        && !of.contains("VIRTUAL TABLE")
        && !of.contains("VALUES")
        && !of.contains("CONSTANT ROW")
}

/// Of each combination of filters.
fn record_pages() -> Vec<RecordPage> {
    let mut pages = Vec::new();
    for (status, severity) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        for is_open in [None, Some(true), Some(false)] {
            pages.push(RecordPage {
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
async fn lists_and_pages_are_read_in_the_order_of_an_index() {
    let open = Open::new().await;
    let mut statements = vec![
        commits::READ.to_owned(),
        claims::READ_OPEN.to_owned(),
        claims::READ_SCOPE.to_owned(),
        aliases::READ_OF_KINDS.to_owned(),
        texts::FIND.to_owned(),
        texts::INDEX.to_owned(),
        texts::UNINDEX.to_owned(),
    ];
    let wanted = WantedText {
        field: TextField::Name,
        how: TextMatch::Part,
        text: "cart".to_owned(),
    };
    let texts = vec![vec![texts::Wanted::of(&wanted); 2]; 2];
    for index in Index::ALL {
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
    for walk in [edges::OUT, edges::IN, edges::PAST_IN] {
        statements.extend(Step::ALL.map(|step| walk.sql(step)));
    }
    for sql in statements {
        let plan = plan(&open, &sql).await;
        let sorts = |step: &String| step.contains("TEMP B-TREE");
        assert!(
            !plan.iter().any(|step| scans(step) || sorts(step)),
            "{sql}\n{plan:#?}"
        );
    }
}

#[tokio::test]
async fn sets_are_read_and_removed_by_key() {
    let open = Open::new().await;
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
        stats::statements_for(Resolution::Minute).read,
        records::READ.statement(),
        records::READ_OF,
        records::REMOVE_NAMES.statement(),
        leases::READ,
        leases::REMOVE,
        records::REMOVE,
        stats::READ_ENDS,
        stats::statements_for(Resolution::Minute).remove.statement(),
        housekeeping::VERSIONS_OF,
        housekeeping::REMOVE_VERSIONS.statement(),
        housekeeping::REMOVE_SNAPSHOTS.statement(),
        housekeeping::REMOVE_PAST_EDGES.statement(),
        housekeeping::REMOVE_PAST_ALIASES.statement(),
        housekeeping::REMOVE_NODES,
        housekeeping::REMOVE_ENDS,
    ];
    for sql in statements {
        let plan = plan(&open, sql).await;
        let scans: Vec<_> = plan.iter().filter(|step| scans(step)).collect();
        assert!(scans.is_empty(), "{sql}\n{plan:#?}");
    }
}

#[tokio::test]
async fn a_list_seeks_to_its_filter_and_page() {
    let open = Open::new().await;
    let plan = plan(&open, &Index::By("account").list(&[])).await;
    let seek = "SEARCH nodes USING INDEX nodes_by_account (listing=? AND account=? AND rowid>?)";
    assert!(plan.iter().any(|step| step == seek), "{plan:#?}");
}

#[tokio::test]
async fn past_claims_are_found_by_a_seek_for_each_claim() {
    let open = Open::new().await;
    let plan = plan(&open, claims::READ_PAST).await;
    let seek = "SEARCH claim_history USING PRIMARY KEY (node=? AND (class,source,scope)>(?,?,?))";
    assert!(plan.iter().any(|step| step == seek), "{plan:#?}");
}

#[tokio::test]
async fn a_page_of_a_hub_seeks_to_its_last_edge() {
    let open = Open::new().await;
    let plan = plan(&open, &edges::IN.sql(Step::Kind)).await;
    let seek = "SEARCH edges USING INDEX edges_by_target (to_node=? AND kind=? AND \
                (from_node,source,scope,is_observation)>(?,?,?,?))";
    assert!(plan.iter().any(|step| step == seek), "{plan:#?}");
}
