//! Tests of the index of search texts.

use pipeline::store::rows::{
    Backend as _, ReadRows as _, TextField, TextMatch, TextRow, WriteRows as _,
};

use super::{TestBackend, node, rows_written};

fn name(text: &str) -> TextRow {
    TextRow {
        node: 1,
        field: TextField::Name,
        is_current: true,
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn a_long_text_is_found_by_its_first_200_characters() {
    let test_backend = TestBackend::new().await;
    test_backend.put_nodes(&[node(0, "a")]).await;
    let long = "ä".repeat(150) + &"b".repeat(100);
    let mut session = test_backend.backend.write().await.unwrap();
    session.put_texts(&[], &[name(&long)]).await.unwrap();
    session.commit().await.unwrap();

    let kept = name(&("ä".repeat(150) + &"b".repeat(50)));
    let mut session = test_backend.backend.read().await.unwrap();
    for (text, mode) in [
        (long.as_str(), TextMatch::Exact),
        (&long, TextMatch::Prefix),
        (&long, TextMatch::Substring),
        ("äbb", TextMatch::Substring),
    ] {
        let found = session.find_text(text, mode, true, 9).await.unwrap();
        assert_eq!(found.rows, std::slice::from_ref(&kept), "{mode:?}");
    }
}

#[tokio::test]
async fn texts_that_contain_the_separator_are_found() {
    let test_backend = TestBackend::new().await;
    test_backend.put_nodes(&[node(0, "a")]).await;
    let mut session = test_backend.backend.write().await.unwrap();
    let texts = [name("one\u{2}\u{2}two"), name("nul\0l")];
    session.put_texts(&[], &texts).await.unwrap();
    session.commit().await.unwrap();

    let mut session = test_backend.backend.read().await.unwrap();
    for (text, mode, count) in [
        ("one\u{2}\u{2}two", TextMatch::Exact, 1),
        ("nul\0", TextMatch::Prefix, 1),
        ("l\0l", TextMatch::Substring, 1),
        ("one", TextMatch::Exact, 0),
        ("two", TextMatch::Prefix, 0),
    ] {
        let found = session.find_text(text, mode, true, 9).await.unwrap();
        assert_eq!(found.rows.len(), count, "{text:?} {mode:?}");
    }
}

#[tokio::test]
async fn unchanged_texts_write_nothing() {
    let test_backend = TestBackend::new().await;
    test_backend.put_nodes(&[node(0, "a")]).await;
    let mut changes = Vec::new();
    for text in ["web", "web", "cart"] {
        let mut session = test_backend.backend.write().await.unwrap();
        let fields = [(1, TextField::Name)];
        session.put_texts(&fields, &[name(text)]).await.unwrap();
        session.commit().await.unwrap();
        changes.push(rows_written(&test_backend.backend).await);
    }
    assert_eq!(changes[0], changes[1]);
    assert!(changes[1] < changes[2]);
}

#[tokio::test]
async fn candidates_that_do_not_match_are_skipped() {
    let test_backend = TestBackend::new().await;
    let nodes: Vec<_> = (0..300).map(|id| node(0, &format!("uid-{id}"))).collect();
    test_backend.put_nodes(&nodes).await;
    // All texts have the trigrams that the search looks up, but only the last text matches.
    let text = |id| if id == 300 { "abcxyz" } else { "xyzabc" };
    let texts: Vec<TextRow> = (1..=300)
        .map(|id| TextRow {
            node: id,
            ..name(text(id))
        })
        .collect();
    let mut session = test_backend.backend.write().await.unwrap();
    session.put_texts(&[], &texts).await.unwrap();
    let found = session
        .find_text("abcxyz", TextMatch::Substring, true, 2)
        .await
        .unwrap();
    assert_eq!(found.rows, &texts[299..]);
}
