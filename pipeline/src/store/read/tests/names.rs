//! Tests of the resolution of names, and of pages of aliases as a processor reads them at its start.

use crate::component::UnixNanos;
use crate::graph_store::{AsOf, Directions, GraphStore};

use super::batches::{alias_snapshot, fact, observed_edge};
use super::queries::{ends, small_vpc, uids};
use super::{StoreFixture, at};

/// Returns `uid kind=value since` of all aliases, page by page.
async fn names(fixture: &StoreFixture, kinds: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = fixture.store().aliases(kinds, after.as_deref(), 1).await;
        let page = page.unwrap();
        let reported = page.aliases.into_iter().map(|it| {
            let observed = if it.is_in_snapshot { "" } else { " observed" };
            let (uid, kind, value, since) = (it.uid, it.kind, it.value, it.since.0);
            format!("{uid} {kind}={value} {since}{observed}")
        });
        found.extend(reported);
        after = page.last;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn aliases_are_paged_with_the_begin_of_their_validity() {
    let fixture = StoreFixture::new().await;
    let ip = ("ip", "10.0.0.7");
    fixture
        .write(alias_snapshot("a", 10, &[ip, ("dns", "a.example")]))
        .await;
    fixture
        .write(alias_snapshot("a", 20, &[ip, ("dns", "new.example")]))
        .await;
    fixture.write(alias_snapshot("b", 10, &[ip])).await;
    fixture
        .write(alias_snapshot("b", 20, &[("name", "other")]))
        .await;
    fixture
        .write(alias_snapshot("b", 30, &[ip, ("id", "i-b")]))
        .await;
    fixture.write(alias_snapshot("c", 10, &[ip])).await;
    fixture
        .write(alias_snapshot("c", 20, &[("name", "other")]))
        .await;
    fixture.write(alias_snapshot("c", 30, &[ip])).await;
    fixture.write(alias_snapshot("d", 10, &[ip])).await;
    fixture
        .write(fact("d", "lifecycle", "observed", "aws", "d", 10))
        .await;
    fixture
        .write(fact("d", "lifecycle", "deleted", "aws", "d", 20))
        .await;
    fixture
        .write(alias_snapshot("e", 10, &[("name", "e")]))
        .await;
    assert_eq!(
        names(&fixture, &["ip", "dns"]).await,
        [
            "a dns=new.example 20",
            "a ip=10.0.0.7 10",
            "b ip=10.0.0.7 30",
            "c ip=10.0.0.7 30",
        ]
    );
    assert_eq!(names(&fixture, &["name"]).await, ["e name=e 10"]);
}

#[tokio::test]
async fn name_is_resolved_to_its_uids() {
    let fixture = small_vpc().await;
    fixture
        .write(alias_snapshot(
            "sg",
            10,
            &[("id", "sg-0815"), ("name", "web")],
        ))
        .await;
    fixture
        .write(alias_snapshot("i-1", 10, &[("name", "web")]))
        .await;
    let resolve =
        async |names: &[&str], at| fixture.store().resolve(&uids(names), at).await.unwrap();
    assert_eq!(
        resolve(&["sg-0815", "web", "i-2", "nothing"], AsOf::Now).await,
        [
            uids(&["sg"]),
            uids(&["i-1", "sg"]),
            uids(&["i-2"]),
            uids(&[])
        ]
    );
    fixture
        .write(alias_snapshot("sg", 20, &[("id", "sg-0815")]))
        .await;
    assert_eq!(resolve(&["web"], AsOf::Now).await, [uids(&["i-1"])]);
    assert_eq!(resolve(&["web"], at(15)).await, [uids(&["i-1", "sg"])]);
}

#[tokio::test]
async fn nodes_with_a_same_as_alias_are_merged() {
    let fixture = small_vpc().await;
    fixture
        .write(observed_edge(
            "svc:////cart",
            "CALLS",
            "ext://db:5432",
            UnixNanos::now(),
        ))
        .await;
    fixture
        .write(alias_snapshot("i-1", 10, &[("same_as", "ext://db:5432")]))
        .await;
    let resolved = fixture
        .store()
        .resolve(&uids(&["ext://db:5432"]), AsOf::Now)
        .await
        .unwrap();
    assert_eq!(resolved, [uids(&["i-1"])]);
    assert_eq!(
        ends(&fixture, "i-1", Directions::In, &[], AsOf::Now).await,
        ["svc:////cart CALLS i-1"]
    );
    assert_eq!(
        ends(&fixture, "svc:////cart", Directions::Out, &[], AsOf::Now).await,
        ["svc:////cart CALLS i-1"]
    );
    assert_eq!(
        fixture.node("ext://db:5432", AsOf::Now).await.unwrap().uid,
        "i-1"
    );
}

#[tokio::test]
async fn name_of_two_nodes_leads_to_the_one_that_has_not_ended() {
    let fixture = small_vpc().await;
    for uid in ["i-1", "i-2"] {
        fixture
            .write(alias_snapshot(
                uid,
                10,
                &[("same_as", "ext://10.0.0.5:5432")],
            ))
            .await;
    }
    fixture
        .write(alias_snapshot("ext://10.0.0.5:5432", 10, &[("name", "db")]))
        .await;
    fixture
        .write(fact("i-1", "lifecycle", "deleted", "trail", "i-1", 20))
        .await;
    let names = uids(&["ext://10.0.0.5:5432", "db"]);
    let found = fixture.store().resolve(&names, AsOf::Now).await.unwrap();
    assert_eq!(found, [uids(&["i-2"]), uids(&["i-2"])]);
}

#[tokio::test]
async fn node_that_ended_last_keeps_its_name_until_another_node_has_it() {
    let fixture = small_vpc().await;
    for (uid, ended) in [("i-1", 30), ("i-2", 20)] {
        fixture
            .write(alias_snapshot(uid, 10, &[("name", "web")]))
            .await;
        fixture
            .write(fact(uid, "lifecycle", "deleted", "trail", uid, ended))
            .await;
    }
    let find = async || {
        fixture
            .store()
            .resolve(&uids(&["web"]), AsOf::Now)
            .await
            .unwrap()
    };
    assert_eq!(find().await, [uids(&["i-1"])]);
    fixture
        .write(alias_snapshot("sg", 10, &[("name", "web")]))
        .await;
    assert_eq!(find().await, [uids(&["sg"])]);
}
