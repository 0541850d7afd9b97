//! Properties of words, the interned texts.

use super::fixture::{PropertyResult, intern_words, sorted, strings};
use crate::store::rows::{Backend, NO_WORD, ReadRows, Word, WriteRows};

pub(super) async fn text_keeps_its_word<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let [aws, none, gcp, again, upper] =
        intern_words(&mut write, ["aws", "", "gcp", "aws", "AWS"]).await?;
    assert_eq!(none, NO_WORD, "the empty text has NO_WORD");
    assert_eq!(again, aws, "a repeated text has one word");
    let distinct = [aws, gcp, upper];
    assert!(!distinct.contains(&NO_WORD), "{distinct:?}");
    assert!(aws != gcp && aws != upper && gcp != upper, "{distinct:?}");
    check(&mut write, aws, gcp).await?;
    write.commit().await?;
    check(&mut backend.read().await?, aws, gcp).await?;

    let mut write = backend.write().await?;
    let [again, other] = intern_words(&mut write, ["gcp", "azure"]).await?;
    assert_eq!(again, gcp, "a text keeps its word in later sessions");
    assert!(![NO_WORD, aws, gcp, upper].contains(&other), "{other}");
    Ok(())
}

async fn check(rows: &mut impl ReadRows, aws: Word, gcp: Word) -> PropertyResult {
    let found = rows
        .find_words(&strings(&["gcp", "never", "", "aws", "gcp", "Aws"]))
        .await?;
    assert_eq!(found, [gcp, NO_WORD, NO_WORD, aws, gcp, NO_WORD]);
    let unknown = 1 << 40;
    let texts = rows.texts(&[gcp, NO_WORD, aws, unknown, gcp]).await?;
    assert_eq!(texts, ["gcp", "", "aws", "", "gcp"]);
    Ok(())
}

pub(super) async fn words_keep_their_texts_byte_for_byte<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let long = "long ".repeat(20_000);
    let texts = [
        "1",
        "01",
        "1.0",
        "1e0",
        " a",
        "a",
        "a ",
        "Ä",
        "ä",
        "A\u{308}",
        "it's",
        "\"q\"",
        "a%",
        "a_",
        "\u{10FFFF}",
        "\n",
        "NULL",
        "null",
        &long,
    ];
    let mut write = backend.write().await?;
    let interned = write.words(&strings(&texts)).await?;
    let mut distinct = interned.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), texts.len(), "each text has its own word");
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.texts(&interned).await?, texts);
    assert_eq!(read.find_words(&strings(&texts)).await?, interned);
    Ok(())
}

pub(super) async fn words_are_found_by_prefix<B: Backend>(backend: &B) -> PropertyResult {
    let texts = [
        "vpc",
        "vpc/a",
        "vpc/b",
        "VPC/c",
        "vp_",
        "vpcé",
        "v%",
        "subnet",
        "\u{10FFFF}a",
        "vpc\u{10FFFF}\u{10FFFF}",
    ];
    let mut write = backend.write().await?;
    write.words(&strings(&texts)).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    for prefix in ["vpc/", "vpc", "vp_", "v%", "V", "", "vpc/a/", "\u{10FFFF}"] {
        let found = read.words_with_prefix(prefix).await?;
        let found = sorted(read.texts(&found).await?);
        let expected = texts.iter().filter(|text| text.starts_with(prefix));
        let expected = sorted(expected.map(|&text| text.to_owned()).collect());
        assert_eq!(found, expected, "words that begin with {prefix:?}");
    }
    Ok(())
}
