//! Tests of words and their numbers, in one process and in two.

use pipeline::store::rows::{Backend as _, NO_WORD, ReadRows as _, WriteRows as _};

use super::{TestBackend, execute, strings};

#[tokio::test]
async fn a_word_keeps_its_number_and_its_text() {
    let test_backend = TestBackend::new().await;
    let texts = strings(["aws", "", "gcp", "aws"]);
    let mut session = test_backend.backend.write().await.unwrap();
    let made = session.words(&texts).await.unwrap();
    assert_eq!(made[1], NO_WORD);
    assert_eq!(made[0], made[3]);
    assert_ne!(made[0], made[2]);
    assert_eq!(session.texts(&made).await.unwrap(), texts);
    session.commit().await.unwrap();

    let mut session = test_backend.backend.read().await.unwrap();
    assert_eq!(session.find_words(&texts).await.unwrap(), made);
    assert_eq!(session.texts(&made).await.unwrap(), texts);
    let unknown = session.find_words(&strings(["azure"])).await.unwrap();
    assert_eq!(unknown, [NO_WORD]);
}

#[tokio::test]
async fn the_number_of_a_rolled_back_word_is_not_cached() {
    let test_backend = TestBackend::new().await;
    let mut session = test_backend.backend.write().await.unwrap();
    let lost = session.words(&strings(["lost"])).await.unwrap();
    drop(session);

    let mut session = test_backend.backend.write().await.unwrap();
    assert_eq!(
        session.find_words(&strings(["lost"])).await.unwrap(),
        [NO_WORD]
    );
    let made = session.words(&strings(["other"])).await.unwrap();
    assert_eq!(made, lost, "SQLite assigns the number again");
    session.commit().await.unwrap();

    let mut session = test_backend.backend.read().await.unwrap();
    assert_eq!(session.texts(&lost).await.unwrap(), ["other"]);
    assert_eq!(
        session.find_words(&strings(["lost"])).await.unwrap(),
        [NO_WORD]
    );
}

#[tokio::test]
async fn words_that_a_session_has_read_are_cached() {
    let test_backend = TestBackend::new().await;
    let mut session = test_backend.backend.write().await.unwrap();
    let made = session.words(&strings(["aws", "gcp"])).await.unwrap();
    session.commit().await.unwrap();

    let other = test_backend.reopen().await;
    let mut session = other.read().await.unwrap();
    assert_eq!(
        session.find_words(&strings(["aws"])).await.unwrap(),
        made[..1]
    );
    assert_eq!(session.texts(&made[1..]).await.unwrap(), ["gcp"]);
    drop(session);

    execute(&other, "DELETE FROM words").await;
    let mut session = other.read().await.unwrap();
    assert_eq!(session.texts(&made).await.unwrap(), ["aws", "gcp"]);
    assert_eq!(
        session.find_words(&strings(["gcp"])).await.unwrap(),
        made[1..]
    );
}

#[tokio::test]
async fn two_processes_agree_on_words() {
    let test_backend = TestBackend::new().await;
    let other = test_backend.reopen().await;
    let mut session = test_backend.backend.write().await.unwrap();
    let first = session.words(&strings(["aws"])).await.unwrap();
    session.commit().await.unwrap();

    let mut session = other.write().await.unwrap();
    let second = session.words(&strings(["gcp", "aws"])).await.unwrap();
    session.commit().await.unwrap();
    assert_eq!(second[1], first[0]);

    let mut session = test_backend.backend.read().await.unwrap();
    assert_eq!(session.texts(&second).await.unwrap(), ["gcp", "aws"]);
}

#[tokio::test]
async fn a_second_process_that_begins_a_write_session_gets_a_retryable_error() {
    let test_backend = TestBackend::new().await;
    let other = test_backend.reopen().await;
    let writes = test_backend.backend.write().await.unwrap();
    let error = other.write().await.unwrap_err();
    assert!(error.is_retryable, "{error:?}");
    drop(writes);
    other.write().await.unwrap();
}
