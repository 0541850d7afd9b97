//! Tests of the ids of nodes, of sessions and of their errors.

use pipeline::claims::{ClaimClass, Removal};
use pipeline::component::UnixNanos;
use pipeline::store::rows::{
    Backend as _, EdgeKey, EdgeRow, NodeRow, Projection, ReadRows as _, ScanRow, ScopeKey,
    ScopeRow, WriteRows as _,
};
use pipeline::uid;

use super::{TestBackend, execute, node, rows_written, strings};

#[tokio::test]
async fn a_node_with_only_an_id_is_found_before_and_after_the_commit() {
    let test_backend = TestBackend::new().await;
    let uids = strings(["svc:////cart", "svc:////shop", "svc:////cart"]);
    let mut session = test_backend.backend.write().await.unwrap();
    let ids = session.node_ids(&uids).await.unwrap();
    assert_eq!(ids, [(1, true), (2, true), (1, false)]);
    session.put_nodes(&[node(2, "svc:////shop")]).await.unwrap();
    let cart = NodeRow {
        id: 1,
        uid: "svc:////cart".into(),
        ..NodeRow::default()
    };
    let hash = uid::hash("svc:////cart");
    for _ in 0..2 {
        let found = session.find_nodes(&uids).await.unwrap();
        assert_eq!(found, [Some(1), Some(2), Some(1)]);
        let nodes = session.nodes(&[1, 1], Projection::Full).await.unwrap();
        assert_eq!(nodes, std::slice::from_ref(&cart));
        assert_eq!(session.nodes_by_hash(&[hash]).await.unwrap(), [(hash, 1)]);
        session.commit().await.unwrap();
        session = test_backend.backend.write().await.unwrap();
    }
    let again = session
        .node_ids(&strings(["new", "svc:////cart"]))
        .await
        .unwrap();
    assert_eq!(again, [(3, true), (1, false)]);
}

#[tokio::test]
async fn ids_of_a_rolled_back_session_are_assigned_again() {
    let test_backend = TestBackend::new().await;
    let mut session = test_backend.backend.write().await.unwrap();
    session.node_ids(&strings(["a", "b"])).await.unwrap();
    drop(session);
    let mut session = test_backend.backend.write().await.unwrap();
    assert_eq!(
        session.node_ids(&strings(["c"])).await.unwrap(),
        [(1, true)]
    );
    assert_eq!(session.find_nodes(&strings(["a"])).await.unwrap(), [None]);
}

#[tokio::test]
async fn the_id_of_a_removed_node_is_not_reused() {
    let test_backend = TestBackend::new().await;
    test_backend.put_nodes(&[node(0, "a"), node(0, "b")]).await;
    execute(&test_backend.backend, "DELETE FROM nodes WHERE id = 2").await;
    let mut session = test_backend.backend.write().await.unwrap();
    assert_eq!(
        session.node_ids(&strings(["c"])).await.unwrap(),
        [(3, true)]
    );
}

#[tokio::test]
async fn a_read_session_cannot_write() {
    let test_backend = TestBackend::new().await;
    let mut session = test_backend.backend.read().await.unwrap();
    let error = session.put_nodes(&[node(1, "a")]).await.unwrap_err();
    assert_eq!(error.to_string(), "write 1 nodes");
}

#[tokio::test]
async fn an_error_that_the_rows_cause_is_not_retryable() {
    let test_backend = TestBackend::new().await;
    let mut session = test_backend.backend.write().await.unwrap();
    let key = EdgeKey {
        from: 1,
        kind: 1,
        to: 2,
        source: 1,
        scope: 1,
        is_observation: false,
    };
    let edge = EdgeRow {
        key,
        confidence: f64::NAN,
        properties: None,
        first_seen: UnixNanos(1),
        last_seen: UnixNanos(1),
    };
    let error = session.put_edges(&[edge]).await.unwrap_err();
    assert!(!error.is_retryable, "{error:?}");
    assert_eq!(error.to_string(), "write 1 edges");
    let error = session.commit().await.unwrap_err();
    assert!(!error.is_retryable, "{error:?}");
}

#[tokio::test]
async fn an_unchanged_scan_updates_one_row() {
    let test_backend = TestBackend::new().await;
    let key = ScopeKey {
        class: ClaimClass::Actual,
        source: 1,
        scope: 2,
    };
    let scan = |began| ScanRow {
        began: UnixNanos(began),
        members: u64::MAX,
        miss: Removal::Released,
    };
    let mut row = ScopeRow {
        key,
        scans: vec![scan(1)],
        dropped_before: UnixNanos(0),
        last_direct_report: UnixNanos(7),
    };
    let mut session = test_backend.backend.write().await.unwrap();
    session
        .put_scopes(std::slice::from_ref(&row))
        .await
        .unwrap();
    session
        .put_members(&row, &[(u64::MAX, vec![1; 16])])
        .await
        .unwrap();
    session.commit().await.unwrap();
    let before = rows_written(&test_backend.backend).await;

    row.scans.push(scan(2));
    let mut session = test_backend.backend.write().await.unwrap();
    session
        .put_scopes(std::slice::from_ref(&row))
        .await
        .unwrap();
    assert_eq!(session.scopes(None).await.unwrap(), [row]);
    assert_eq!(
        session.members(key, u64::MAX).await.unwrap(),
        Some(vec![1; 16])
    );
    session.commit().await.unwrap();
    assert_eq!(rows_written(&test_backend.backend).await - before, 1);
}
