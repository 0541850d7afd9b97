//! Tests of queries that exceed a limit, and of large queries that do not.

use std::time::{Duration, Instant};

use async_graphql::{Executor, Request, Variables};
use futures::StreamExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Shop, schema};
use crate::graphql::bounds::BoundedSchema;

/// The query that GraphiQL sends to learn the schema.
const INTROSPECTION: &str = include_str!("introspection.graphql");

/// The error of a query that must be rejected fast.
async fn rejected(shop: &Shop, query: &str) -> String {
    let start = Instant::now();
    let error = shop.query_error(query).await;
    // Generous for a busy machine. The expansions below would take years.
    assert!(start.elapsed() < Duration::from_secs(5), "{error}");
    error
}

/// A query with fragments, each of which spreads the next one twice.
fn expansion(fragments: usize) -> String {
    let mut query = "{ ...F0 }".to_owned();
    for at in 0..fragments {
        let next = at + 1;
        query += &format!(" fragment F{at} on Query {{ ...F{next} ...F{next} }}");
    }
    query + &format!(" fragment F{fragments} on Query {{ __typename }}")
}

#[tokio::test]
async fn fragments_that_spread_each_other_are_not_expanded() {
    let shop = Shop::new().await;
    assert_eq!(
        rejected(&shop, &expansion(20)).await,
        "the query has 3145727 selections with its fragments expanded; the limit is 10000"
    );
    let mut wide = "{ ...F0 }".to_owned();
    for at in 0..25 {
        let spreads = format!("...F{} ", at + 1).repeat(60);
        wide += &format!(" fragment F{at} on Query {{ {spreads} }}");
    }
    wide += " fragment F25 on Query { __typename }";
    let error = rejected(&shop, &wide).await;
    assert!(error.contains(&u64::MAX.to_string()), "{error}");
    // 8 levels have 511 spreads, which is within the limits.
    shop.query(&expansion(8)).await;
}

#[tokio::test]
async fn the_error_for_a_fragment_that_spreads_itself_names_it() {
    let shop = Shop::new().await;
    let fragments = "fragment A on Query { ...B } fragment B on Query { ... { ...A } }";
    let used = format!("{{ ...A }} {fragments}");
    assert_eq!(
        rejected(&shop, &used).await,
        "the fragment A spreads itself"
    );
    let unused = format!("{{ __typename }} {fragments}");
    assert_eq!(
        rejected(&shop, &unused).await,
        "the fragment A spreads itself"
    );
    let mut chain = "{ __typename }".to_owned();
    for at in 0..400 {
        chain += &format!(" fragment F{at} on Query {{ ...F{} }}", at + 1);
    }
    assert_eq!(
        rejected(&shop, &chain).await,
        "the query has 33 levels of nested selections; the limit is 32"
    );
}

#[tokio::test]
async fn aliases_and_directives_and_tokens_are_counted() {
    let shop = Shop::new().await;
    let aliases: String = (0..1_001).map(|at| format!("a{at}: __typename ")).collect();
    assert_eq!(
        rejected(&shop, &format!("{{ {aliases} }}")).await,
        "the query has 1001 aliases with its fragments expanded; the limit is 1000"
    );
    let directives = "@a".repeat(1_001);
    assert_eq!(
        rejected(&shop, &format!("{{ __typename {directives} }}")).await,
        "the query has 1001 directives with its fragments expanded; the limit is 1000"
    );
    let directives = "__typename @skip(if: true) @skip(if: true) ".repeat(10);
    let fragment = format!("fragment F on Query {{ {directives} }}");
    let spreads = "...F ".repeat(100);
    assert_eq!(
        rejected(&shop, &format!("{{ {spreads} }} {fragment}")).await,
        "the query has 2000 directives with its fragments expanded; the limit is 1000"
    );
    assert_eq!(
        rejected(&shop, &format!("{{ {} }}", "__typename ".repeat(5_000))).await,
        "the query has 5002 tokens; the limit is 5000"
    );
}

#[tokio::test]
async fn nesting_is_bounded_before_the_parser_recurses() {
    let shop = Shop::new().await;
    let deep = 30_000;
    for query in [
        "{a".repeat(deep),
        "{".repeat(deep),
        format!("{{ nodes(a: {}", "[".repeat(deep)),
        format!("{{ nodes(a: {}", "{a:".repeat(deep / 3)),
        format!("query ($a: {}", "[".repeat(deep)),
        format!("query ($a: Int = {}", "[".repeat(deep)),
        format!("{{ a @b(c: {}", "[".repeat(deep)),
        format!("{{ {}", "...{".repeat(deep / 4)),
    ] {
        let error = rejected(&shop, &query).await;
        assert!(
            error.contains("tokens; the limit is 5000") || error.contains("open at once"),
            "{error}"
        );
    }
    let lists = |depth| {
        format!(
            "{{ nodes(a: {}{}) {{ a }} }}",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert_eq!(
        rejected(&shop, &lists(63)).await,
        "the query has 65 brackets open at once; the limit is 64"
    );
    // The deepest allowed nesting must fit on the stack of the check thread.
    for query in [
        lists(62),
        format!(
            "query ($a: {}Int{}) {{ a }}",
            "[".repeat(63),
            "]".repeat(63)
        ),
        format!("{}{}", "{a".repeat(64), "}".repeat(64)),
        format!("{}a{}", "{...".repeat(62), "}".repeat(62)),
    ] {
        let error = &shop.execute(&query).await.errors[0].message;
        assert!(!error.contains("panicked"), "{error}");
    }
}

#[tokio::test]
async fn variables_count_at_each_use() {
    let shop = Shop::new().await;
    let error_of = async |query: &str, variables| {
        let request = Request::new(query).variables(Variables::from_json(variables));
        shop.schema.execute(request).await.errors[0].message.clone()
    };
    let uses: String = (0..200)
        .map(|at| format!("a{at}: node(uid: $uid) {{ uid }} "))
        .collect();
    let query = format!("query ($uid: String!) {{ {uses} }}");
    assert_eq!(
        error_of(&query, json!({"uid": "a".repeat(64_000)})).await,
        "the query has 200600 values in arguments with its fragments expanded and its variables substituted; the limit is 20000"
    );
    let values = vec![0; 20_000];
    assert_eq!(
        error_of("{ __typename }", json!({"unused": values})).await,
        "the query has 20001 values in its variables; the limit is 20000"
    );
    let mut nested = json!(1);
    for _ in 0..65 {
        nested = json!([nested]);
    }
    assert_eq!(
        error_of("{ __typename }", json!({"unused": nested})).await,
        "the query has 65 levels of nested lists and objects in its variables; the limit is 64"
    );
}

#[tokio::test]
async fn comparisons_of_validation_are_bounded() {
    let shop = Shop::new().await;
    let fields = "__typename ".repeat(2_000);
    let nested = format!("{}{fields}{}", "{...".repeat(20) + "{", "}".repeat(21));
    let error = rejected(&shop, &nested).await;
    assert!(error.contains("comparisons of fields"), "{error}");
    let arguments: String = (0..33).map(|at| format!("a{at}: 1 ")).collect();
    assert_eq!(
        rejected(&shop, &format!("{{ node({arguments}) {{ uid }} }}")).await,
        "the query has 33 arguments of one field or directive; the limit is 32"
    );
    let variables: String = (0..101).map(|at| format!("$a{at}: Int ")).collect();
    assert_eq!(
        rejected(&shop, &format!("query ({variables}) {{ __typename }}")).await,
        "the query has 101 variables in one operation; the limit is 100"
    );
}

#[tokio::test]
async fn the_introspection_of_graphiql_passes_and_a_nested_one_is_rejected() {
    let shop = Shop::new().await;
    let schema = shop.query(INTROSPECTION).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 20);
    let query = "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }";
    let error = rejected(&shop, query).await;
    assert!(error.contains("response to its introspection"), "{error}");
}

/// Compares the real lists with the lengths in `bounds/document.rs`.
#[tokio::test]
async fn the_cost_does_not_underestimate_the_lists_of_the_schema() {
    use crate::graphql::bounds::introspected_items;
    let shop = Shop::new().await;
    let schema = shop.query(INTROSPECTION).await;
    let types = schema["__schema"]["types"].as_array().unwrap();
    let lengths = |parents: &[&serde_json::Value], list: &str| -> Vec<usize> {
        parents
            .iter()
            .filter_map(|parent| parent[list].as_array())
            .map(Vec::len)
            .collect()
    };
    let all: Vec<_> = types.iter().collect();
    let fields: Vec<_> = all
        .iter()
        .filter_map(|parent| parent["fields"].as_array())
        .flatten()
        .collect();
    let mean =
        |lengths: Vec<usize>, count: usize| lengths.iter().sum::<usize>().div_ceil(count) as u64;
    assert!(
        types.len() as u64 <= introspected_items("types"),
        "{}",
        types.len()
    );
    for (parents, list) in [
        (&all, "fields"),
        (&fields, "args"),
        (&all, "enumValues"),
        (&all, "interfaces"),
        (&all, "possibleTypes"),
        (&all, "inputFields"),
    ] {
        let mean = mean(lengths(parents, list), parents.len());
        assert!(mean <= introspected_items(list), "{list}: {mean}");
    }
}

#[tokio::test]
async fn a_large_query_passes() {
    let shop = Shop::new().await;
    let fragment = "fragment Card on Node { uid label kind name firstSeen aliases { kind value } facts { group value } }";
    let nodes: String = (0..45)
        .map(|at| format!("n{at}: node(uid: \"arn:i-{at}\") {{ ...Card }} "))
        .collect();
    let answer = shop.query(&format!("{{ {nodes} }} {fragment}")).await;
    assert_eq!(answer["n1"]["uid"], "arn:i-1");
}

#[tokio::test]
async fn the_error_for_an_unknown_name_suggests_the_nearest_one() {
    let shop = Shop::new().await;
    for (query, expected) in [
        (
            "{ nodess { edges { cursor } } }",
            "Unknown field \"nodess\" on type \"Query\". Did you mean \"nodes\"?",
        ),
        (
            r#"{ node(uidd: "a") { uid } }"#,
            "Unknown argument \"uidd\" on field \"node\" of type \"Query\". Did you mean \"uid\"?",
        ),
    ] {
        let errors = shop.execute(query).await.errors;
        assert!(
            errors.iter().any(|error| error.message == expected),
            "{errors:?}"
        );
    }
}

#[tokio::test]
async fn the_number_of_validation_errors_is_bounded() {
    let shop = Shop::new().await;
    let unknown: String = (0..1_000).map(|at| format!("unknown{at} ")).collect();
    let response = shop.execute(&format!("{{ {unknown} }}")).await;
    assert_eq!(response.errors.len(), 21);
    assert_eq!(response.errors[20].message, "980 more errors are not shown");
    let unparsed = format!("{{ {} ", "a ".repeat(2_000));
    let response = shop.execute(&unparsed).await;
    assert!(response.errors[0].message.len() < 1_001, "{response:?}");
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_query_in_the_queue() {
    let shop = Shop::new().await;
    let stop = CancellationToken::new();
    let config = super::config();
    let schema = schema::builder(shop.graphql.store.clone(), &config);
    let schema = BoundedSchema::new(schema, &config, stop.clone()).unwrap();
    let _blocked = schema.block_threads();
    let query = "{ __typename }";
    let posted = schema.execute(query.into());
    let mut streamed = schema.execute_stream(query.into(), None);
    let stopping = async { stop.cancel() };
    let (posted, streamed, ()) = futures::join!(posted, streamed.next(), stopping);
    for response in [posted, streamed.unwrap()] {
        assert_eq!(
            response.errors[0].message,
            "airdig is shutting down: retry later"
        );
    }
}

#[tokio::test]
async fn the_timeout_includes_the_time_in_the_queue() {
    let shop = Shop::with(|config| config.query_timeout = Duration::from_millis(50)).await;
    let blocked = shop.schema.block_threads();
    let error = shop.query_error("{ __typename }").await;
    assert!(error.contains("took longer than 50ms"), "{error}");
    drop(blocked);
}
