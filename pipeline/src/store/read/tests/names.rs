//! What names lead to; and all of them, page by page, as a processor reads them when it starts.

use crate::component::UnixNanos;
use crate::graph_store::{At, Direction, GraphStore};

use super::asking::{ends, small_vpc, uids};
use super::batches::{alias_set, fact, seen_edge};
use super::{Open, at};

/// `uid kind=value since`, page by page.
async fn names(open: &Open, kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = open.store().aliases(kinds, after.as_deref(), 1).await;
        let page = page.unwrap();
        let reported = page.aliases.into_iter().map(|it| {
            let by_itself = if it.is_of_set { "" } else { " by itself" };
            let (uid, kind, value, since) = (it.uid, it.kind, it.value, it.since.0);
            format!("{uid} {kind}={value} {since}{by_itself}")
        });
        found.extend(reported);
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
    open.write(alias_set("a", 10, &[ip, ("dns", "a.example")]))
        .await;
    open.write(alias_set("a", 20, &[ip, ("dns", "new.example")]))
        .await;
    open.write(alias_set("b", 10, &[ip])).await;
    open.write(alias_set("b", 20, &[("name", "other")])).await;
    open.write(alias_set("b", 30, &[ip, ("id", "i-b")])).await;
    open.write(alias_set("c", 10, &[ip])).await;
    open.write(alias_set("c", 20, &[("name", "other")])).await;
    open.write(alias_set("c", 30, &[ip])).await;
    open.write(alias_set("d", 10, &[ip])).await;
    open.write(fact("d", "lifecycle", "observed", "aws", "d", 10))
        .await;
    open.write(fact("d", "lifecycle", "deleted", "aws", "d", 20))
        .await;
    open.write(alias_set("e", 10, &[("name", "e")])).await;
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

#[tokio::test]
async fn a_name_leads_to_its_uid() {
    let open = small_vpc().await;
    open.write(alias_set("sg", 10, &[("id", "sg-0815"), ("name", "web")]))
        .await;
    open.write(alias_set("i-1", 10, &[("name", "web")])).await;
    let resolve = async |names: &[&str], at| open.store().resolve(&uids(names), at).await.unwrap();
    assert_eq!(
        resolve(&["sg-0815", "web", "i-2", "nothing"], At::Now).await,
        [
            uids(&["sg"]),
            uids(&["i-1", "sg"]),
            uids(&["i-2"]),
            uids(&[])
        ]
    );
    open.write(alias_set("sg", 20, &[("id", "sg-0815")])).await;
    assert_eq!(resolve(&["web"], At::Now).await, [uids(&["i-1"])]);
    assert_eq!(resolve(&["web"], at(15)).await, [uids(&["i-1", "sg"])]);
}

#[tokio::test]
async fn the_same_thing_under_two_names_is_one() {
    let open = small_vpc().await;
    open.write(seen_edge(
        "svc:////cart",
        "CALLS",
        "ext://db:5432",
        UnixNanos::now(),
    ))
    .await;
    open.write(alias_set("i-1", 10, &[("same_as", "ext://db:5432")]))
        .await;
    let resolved = open
        .store()
        .resolve(&uids(&["ext://db:5432"]), At::Now)
        .await
        .unwrap();
    assert_eq!(resolved, [uids(&["i-1"])]);
    assert_eq!(
        ends(&open, "i-1", Direction::In, &[], At::Now).await,
        ["svc:////cart CALLS i-1"]
    );
    assert_eq!(
        ends(&open, "svc:////cart", Direction::Out, &[], At::Now).await,
        ["svc:////cart CALLS i-1"]
    );
    assert_eq!(
        open.node("ext://db:5432", At::Now).await.unwrap().uid,
        "i-1"
    );
}

#[tokio::test]
async fn a_name_that_went_to_another_leads_to_the_one_that_lives() {
    let open = small_vpc().await;
    for uid in ["i-1", "i-2"] {
        open.write(alias_set(uid, 10, &[("same_as", "ext://10.0.0.5:5432")]))
            .await;
    }
    open.write(alias_set("ext://10.0.0.5:5432", 10, &[("name", "db")]))
        .await;
    open.write(fact("i-1", "lifecycle", "deleted", "trail", "i-1", 20))
        .await;
    let names = uids(&["ext://10.0.0.5:5432", "db"]);
    let found = open.store().resolve(&names, At::Now).await.unwrap();
    assert_eq!(found, [uids(&["i-2"]), uids(&["i-2"])]);
}

#[tokio::test]
async fn what_has_ended_last_is_found_by_its_name_until_another_has_it() {
    let open = small_vpc().await;
    for (uid, ended) in [("i-1", 30), ("i-2", 20)] {
        open.write(alias_set(uid, 10, &[("name", "web")])).await;
        open.write(fact(uid, "lifecycle", "deleted", "trail", uid, ended))
            .await;
    }
    let find = async || {
        open.store()
            .resolve(&uids(&["web"]), At::Now)
            .await
            .unwrap()
    };
    assert_eq!(find().await, [uids(&["i-1"])]);
    open.write(alias_set("sg", 10, &[("name", "web")])).await;
    assert_eq!(find().await, [uids(&["sg"])]);
}
