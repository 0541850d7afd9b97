//! Properties of leases.

use super::fixture::{PropertyResult, intern_words};
use crate::component::UnixNanos;
use crate::store::rows::{Backend, LeaseRow, LeaseRows, RowsError, WriteRows};

/// A lease of the source `aws`, unwritten.
async fn lease(
    write: &mut impl WriteRows,
    scope: &str,
    holder: &str,
    until: u64,
) -> Result<LeaseRow, RowsError> {
    let [source, scope] = intern_words(write, ["aws", scope]).await?;
    Ok(LeaseRow {
        source,
        scope,
        holder: holder.to_owned(),
        until: UnixNanos(until),
    })
}

pub(super) async fn leases_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let first = lease(&mut write, "1/eu", "", 1_700_000_000_000_000_001).await?;
    let other = lease(&mut write, "1/us", "host-ü/7", 0).await?;
    assert_eq!(write.lease(first.source, first.scope).await?, None);
    for row in [&first, &other] {
        write.put_lease(row).await?;
        let found = write.lease(row.source, row.scope).await?;
        assert_eq!(found.as_ref(), Some(row));
    }
    write.commit().await?;

    let mut write = backend.write().await?;
    let found = write.lease(first.source, first.scope).await?;
    assert_eq!(found.as_ref(), Some(&first));
    let later = lease(&mut write, "1/eu", "host/8", 9).await?;
    write.put_lease(&later).await?;
    write.commit().await?;

    let mut write = backend.write().await?;
    let found = write.lease(first.source, first.scope).await?;
    assert_eq!(found, Some(later), "a scope has one lease");
    let found = write.lease(other.source, other.scope).await?;
    assert_eq!(found, Some(other));
    Ok(())
}

pub(super) async fn remove_lease_keeps_all_other_leases<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let first = lease(&mut write, "1/eu", "a", 1).await?;
    let other = lease(&mut write, "1/us", "a", 1).await?;
    write.put_lease(&first).await?;
    write.put_lease(&other).await?;
    write.commit().await?;

    let mut write = backend.write().await?;
    write.remove_lease(first.source, first.scope).await?;
    write.remove_lease(first.source, first.source).await?;
    write.commit().await?;

    let mut write = backend.write().await?;
    assert_eq!(write.lease(first.source, first.scope).await?, None);
    let found = write.lease(other.source, other.scope).await?;
    assert_eq!(found.as_ref(), Some(&other));
    write.remove_lease(other.source, other.scope).await?;
    drop(write);
    let mut write = backend.write().await?;
    let found = write.lease(other.source, other.scope).await?;
    assert_eq!(
        found,
        Some(other),
        "the session that removed it did not commit"
    );
    Ok(())
}

/// Two concurrent sessions take the same lease: each reads the lease, and writes its own if there is none.
pub(super) async fn one_of_two_concurrent_writers_takes_a_lease<B: Backend>(
    backend: &B,
) -> PropertyResult {
    let take = async |holder: &str| {
        let mut write = backend.write().await?;
        let own = lease(&mut write, "1/eu", holder, 1).await?;
        if let Some(held) = write.lease(own.source, own.scope).await? {
            return Ok(held.holder);
        }
        write.put_lease(&own).await?;
        write.commit().await?;
        Ok::<_, RowsError>(own.holder)
    };
    let (first, second) = futures::join!(take("a"), take("b"));
    assert_eq!(first?, second?);
    Ok(())
}

pub(super) async fn session_clock_does_not_go_back<B: Backend>(backend: &B) -> PropertyResult {
    let first = backend.write().await?.now().await?;
    assert!(first > UnixNanos(1_700_000_000_000_000_000), "{first:?}");
    assert!(backend.write().await?.now().await? >= first);
    Ok(())
}
