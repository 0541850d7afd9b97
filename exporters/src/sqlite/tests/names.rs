//! Names, page by page, as a processor reads them when it starts.

use pipeline::graph_store::GraphStore;

use super::Open;
use super::telling::{alias_set, fact};

/// `uid kind=value since`, page by page.
async fn names(open: &Open, kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = open.store().aliases(kinds, after.as_deref(), 1).await;
        let page = page.unwrap();
        let told = page.aliases.into_iter().map(|it| {
            let by_itself = if it.is_of_set { "" } else { " by itself" };
            let (uid, kind, value, since) = (it.uid, it.kind, it.value, it.since.0);
            format!("{uid} {kind}={value} {since}{by_itself}")
        });
        found.extend(told);
        after = page.last;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn names_are_told_in_pages_with_the_time_since_which_they_lead_there() {
    let open = Open::new().await;
    let ip = ("ip", "10.0.0.7");
    open.tell(alias_set("a", 10, &[ip, ("dns", "a.example")]))
        .await;
    open.tell(alias_set("a", 20, &[ip, ("dns", "new.example")]))
        .await;
    open.tell(alias_set("b", 10, &[ip])).await;
    open.tell(alias_set("b", 20, &[("name", "other")])).await;
    open.tell(alias_set("b", 30, &[ip, ("id", "i-b")])).await;
    open.tell(alias_set("c", 10, &[ip])).await;
    open.tell(alias_set("c", 20, &[("name", "other")])).await;
    open.tell(alias_set("c", 30, &[ip])).await;
    open.tell(alias_set("d", 10, &[ip])).await;
    open.tell(fact("d", "lifecycle", "observed", "aws", "d", 10))
        .await;
    open.tell(fact("d", "lifecycle", "deleted", "aws", "d", 20))
        .await;
    open.tell(alias_set("e", 10, &[("name", "e")])).await;
    assert_eq!(
        names(&open, &["ip", "dns"]).await,
        [
            "a dns=new.example 20",
            "a ip=10.0.0.7 10",
            "b ip=10.0.0.7 30",
            "c ip=10.0.0.7 30",
        ]
    );
    assert_eq!(names(&open, &["name"]).await, ["e name=e 10"]);
}
