//! Leases.

use super::fixture::{Checked, words};
use crate::component::UnixNanos;
use crate::store::rows::{Backend, LeaseRow, LeaseRows, RowsError, WriteRows};

async fn lease(
    write: &mut impl WriteRows,
    scope: &str,
    holder: &str,
    until: u64,
) -> Result<LeaseRow, RowsError> {
    let [source, scope] = words(write, ["aws", scope]).await?;
    Ok(LeaseRow {
        source,
        scope,
        holder: holder.to_owned(),
        until: UnixNanos(until),
    })
}

pub(super) async fn leases_come_back_as_put<B: Backend>(backend: &B) -> Checked {
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
    assert_eq!(found, Some(later), "one a scope");
    let found = write.lease(other.source, other.scope).await?;
    assert_eq!(found, Some(other));
    Ok(())
}

pub(super) async fn removed_lease_leaves_the_others<B: Backend>(backend: &B) -> Checked {
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
    assert_eq!(found, Some(other), "the session did not commit");
    Ok(())
}

/// Two sessions that read a lease and write it where there is none.
pub(super) async fn lease_is_taken_by_one_of_two_writers<B: Backend>(backend: &B) -> Checked {
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

pub(super) async fn clock_of_a_session_goes<B: Backend>(backend: &B) -> Checked {
    let first = backend.write().await?.now().await?;
    assert!(first > UnixNanos(1_700_000_000_000_000_000), "{first:?}");
    assert!(backend.write().await?.now().await? >= first);
    Ok(())
}
