use pipeline::store::rows::{
    Backend as _, ReadRows as _, TextField, TextMatch, TextRow, WriteRows as _,
};

use super::{Open, node, rows_written};

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
    let open = Open::new().await;
    open.put_nodes(&[node(0, "a")]).await;
    let long = "ä".repeat(150) + &"b".repeat(100);
    let mut session = open.backend.write().await.unwrap();
    session.put_texts(&[], &[name(&long)]).await.unwrap();
    session.commit().await.unwrap();

    let kept = name(&("ä".repeat(150) + &"b".repeat(50)));
    let mut session = open.backend.read().await.unwrap();
    for (text, how) in [
        (long.as_str(), TextMatch::Exact),
        (&long, TextMatch::Prefix),
        (&long, TextMatch::Part),
        ("äbb", TextMatch::Part),
    ] {
        let found = session.find_text(text, how, true, 9).await.unwrap();
        assert_eq!(found.rows, std::slice::from_ref(&kept), "{how:?}");
    }
}

#[tokio::test]
async fn characters_that_part_texts_are_found_in_texts() {
    let open = Open::new().await;
    open.put_nodes(&[node(0, "a")]).await;
    let mut session = open.backend.write().await.unwrap();
    let texts = [name("one\u{2}\u{2}two"), name("nul\0l")];
    session.put_texts(&[], &texts).await.unwrap();
    session.commit().await.unwrap();

    let mut session = open.backend.read().await.unwrap();
    for (text, how, count) in [
        ("one\u{2}\u{2}two", TextMatch::Exact, 1),
        ("nul\0", TextMatch::Prefix, 1),
        ("l\0l", TextMatch::Part, 1),
        ("one", TextMatch::Exact, 0),
        ("two", TextMatch::Prefix, 0),
    ] {
        let found = session.find_text(text, how, true, 9).await.unwrap();
        assert_eq!(found.rows.len(), count, "{text:?} {how:?}");
    }
}

#[tokio::test]
async fn texts_that_stay_write_nothing() {
    let open = Open::new().await;
    open.put_nodes(&[node(0, "a")]).await;
    let mut changes = Vec::new();
    for text in ["web", "web", "cart"] {
        let mut session = open.backend.write().await.unwrap();
        let fields = [(1, TextField::Name)];
        session.put_texts(&fields, &[name(text)]).await.unwrap();
        session.commit().await.unwrap();
        changes.push(rows_written(&open.backend).await);
    }
    assert_eq!(changes[0], changes[1]);
    assert!(changes[1] < changes[2]);
}

#[tokio::test]
async fn candidates_that_do_not_fit_are_passed_over() {
    let open = Open::new().await;
    let nodes: Vec<_> = (0..300).map(|id| node(0, &format!("uid-{id}"))).collect();
    open.put_nodes(&nodes).await;
    // All have the trigrams of `abcxyz`, the last one has the text.
    let text = |id| if id == 300 { "abcxyz" } else { "xyzabc" };
    let texts: Vec<TextRow> = (1..=300)
        .map(|id| TextRow {
            node: id,
            ..name(text(id))
        })
        .collect();
    let mut session = open.backend.write().await.unwrap();
    session.put_texts(&[], &texts).await.unwrap();
    let found = session
        .find_text("abcxyz", TextMatch::Part, true, 2)
        .await
        .unwrap();
    assert_eq!(found.rows, &texts[299..]);
}
