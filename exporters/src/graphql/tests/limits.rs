//! What is asked too much.

use std::time::Duration;

use super::Shop;

#[tokio::test]
async fn pages_and_depths_are_bounded() {
    let shop = Shop::new().await;
    let told = shop
        .refused("{ nodes(first: 501) { edges { cursor } } }")
        .await;
    assert_eq!(told, "first may be 500 at most, not 501");
    let told = shop
        .refused("{ nodes(first: -1) { edges { cursor } } }")
        .await;
    assert_eq!(told, "first may not be negative: -1");
    let told = shop
        .refused(r#"{ neighbors(uid: "sg-1", depth: 6) { truncated } }"#)
        .await;
    assert_eq!(told, "depth may be 1 to 5, not 6");
    let told = shop
        .refused(r#"{ timeline(uid: "nobody") { edges { cursor } } }"#)
        .await;
    assert_eq!(told, "nothing is known of nobody");
    let told = shop
        .refused(r#"{ serviceMap(from: "-1m", to: "-2m") { edges { calls } } }"#)
        .await;
    assert_eq!(told, "from is later than to");
    let told = shop
        .refused(r#"{ serviceMap(from: "yesterday") { edges { calls } } }"#)
        .await;
    assert!(told.contains("no moment"), "{told}");
}

#[tokio::test]
async fn a_query_that_nests_or_multiplies_too_much_is_refused_before_it_runs() {
    let shop = Shop::with(|config| {
        config.max_depth = 4;
        config.max_complexity = 100;
    })
    .await;
    let told = shop
        .refused("{ nodes(first: 1) { edges { node { facts { value } } } } }")
        .await;
    assert!(told.contains("nested too deep"), "{told}");
    let told = shop
        .refused("{ nodes(first: 500) { edges { node { uid } } } }")
        .await;
    assert!(told.contains("too complex"), "{told}");
    shop.ask("{ nodes(first: 2) { edges { node { uid } } } }")
        .await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_ended() {
    let shop = Shop::with(|config| config.query_timeout = Duration::ZERO).await;
    let told = shop.refused("{ nodes { edges { node { uid } } } }").await;
    assert!(
        told.contains("took longer than 0s") && told.contains("query_timeout"),
        "{told}"
    );
}

#[tokio::test]
async fn what_the_store_cannot_do_is_told_without_its_secrets() {
    use pipeline::component::Exporter;
    let shop = Shop::new().await;
    shop.sqlite.stop().await.unwrap();
    let told = shop.refused(r#"{ node(uid: "sg-1") { uid } }"#).await;
    assert_eq!(told, "the store could not look up 1 names");
}
