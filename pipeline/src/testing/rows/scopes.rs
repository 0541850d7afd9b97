//! Properties of scopes, their members and contested nodes.

use super::fixture::{NO_IDS, PropertyResult, create_nodes, intern_words, sorted, sorted_by};
use crate::claims::{ClaimClass, Removal};
use crate::component::UnixNanos;
use crate::store::rows::{
    Backend, NO_WORD, ReadRows, RowsError, ScanRow, ScopeKey, ScopeRow, Word, WriteRows,
};

fn scan(began: u64, members: u64) -> ScanRow {
    ScanRow {
        began: UnixNanos(began),
        members,
        miss: Removal::Deleted,
    }
}

fn scope(key: ScopeKey, scans: Vec<ScanRow>) -> ScopeRow {
    ScopeRow {
        key,
        scans,
        dropped_before: UnixNanos(0),
        last_direct_report: UnixNanos(0),
    }
}

async fn key(write: &mut impl WriteRows) -> Result<ScopeKey, RowsError> {
    let [source, scope] = intern_words(write, ["aws", "aws/1/vm"]).await?;
    Ok(ScopeKey {
        class: ClaimClass::Actual,
        source,
        scope,
    })
}

fn in_order(rows: Vec<ScopeRow>) -> Vec<ScopeRow> {
    sorted_by(rows, |row| row.key)
}

pub(super) async fn scopes_are_read_as_written<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let key = key(&mut write).await?;
    let scans = (0..ScopeRow::WINDOW as u64).map(|number| ScanRow {
        miss: if number % 2 == 0 {
            Removal::Released
        } else {
            Removal::Deleted
        },
        ..scan(1_700_000_000_000_000_001 + number, u64::MAX - number)
    });
    let full = ScopeRow {
        dropped_before: UnixNanos(1_700_000_000_000_000_000),
        last_direct_report: UnixNanos(7),
        ..scope(key, scans.collect())
    };
    let desired = scope(
        ScopeKey {
            class: ClaimClass::Desired,
            ..key
        },
        Vec::new(),
    );
    let other = scope(
        ScopeKey {
            source: key.scope,
            ..key
        },
        vec![scan(1, 0), scan(1, 2)],
    );
    let rows = [
        scope(key, Vec::new()),
        full.clone(),
        desired.clone(),
        other.clone(),
    ];
    write.put_scopes(&rows).await?;
    let expected = in_order(vec![full, desired.clone(), other.clone()]);
    assert_eq!(in_order(write.scopes(None).await?), expected);
    write.commit().await?;
    assert_eq!(
        in_order(backend.read().await?.scopes(None).await?),
        expected
    );

    let mut write = backend.write().await?;
    let shorter = scope(key, vec![scan(5, 1)]);
    write.put_scopes(std::slice::from_ref(&shorter)).await?;
    write.commit().await?;
    let found = backend.read().await?.scopes(None).await?;
    assert_eq!(in_order(found), in_order(vec![shorter, desired, other]));
    Ok(())
}

pub(super) async fn scopes_are_found_by_name<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let key = key(&mut write).await?;
    let [below, never] = intern_words(&mut write, ["aws/1/vm/eu", "aws/2"]).await?;
    let rows = [
        scope(key, Vec::new()),
        scope(
            ScopeKey {
                class: ClaimClass::Desired,
                ..key
            },
            Vec::new(),
        ),
        scope(
            ScopeKey {
                source: key.scope,
                ..key
            },
            Vec::new(),
        ),
        scope(
            ScopeKey {
                scope: below,
                ..key
            },
            vec![scan(1, 1)],
        ),
        scope(
            ScopeKey {
                scope: NO_WORD,
                ..key
            },
            vec![scan(2, 2)],
        ),
    ];
    write.put_scopes(&rows).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    let cases: [(&[Word], &[ScopeRow]); 5] = [
        (&[], &[]),
        (&[never], &[]),
        (&[key.scope], &rows[..3]),
        (&[below, key.scope, below, never], &rows[..4]),
        (&[NO_WORD], &rows[4..]),
    ];
    for (names, expected) in cases {
        let found = in_order(read.scopes(Some(names)).await?);
        assert_eq!(
            found,
            in_order(expected.to_vec()),
            "scopes with the names {names:?}"
        );
    }
    Ok(())
}

pub(super) async fn members_without_a_scan_are_removed<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let key = key(&mut write).await?;
    let other = ScopeKey {
        class: ClaimClass::Desired,
        ..key
    };
    let row = scope(key, vec![scan(1, 1), scan(2, u64::MAX)]);
    let bytes = |byte| vec![byte; 16];
    let members = [(1, bytes(1)), (u64::MAX, Vec::new()), (5, bytes(5))];
    write.put_members(&row, &members).await?;
    write
        .put_members(&scope(other, vec![scan(1, 1)]), &[(1, bytes(9))])
        .await?;
    assert_eq!(write.members(key, 1).await?, Some(bytes(1)));
    assert_eq!(
        write.scopes(None).await?,
        [],
        "put_members does not write the row of the scope"
    );
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.members(key, u64::MAX).await?, Some(Vec::new()));
    assert_eq!(
        read.members(key, 5).await?,
        None,
        "no scan of the row names these members"
    );
    assert_eq!(read.members(other, 1).await?, Some(bytes(9)));
    assert_eq!(
        read.members(
            ScopeKey {
                source: key.scope,
                ..key
            },
            1
        )
        .await?,
        None
    );
    drop(read);

    let mut write = backend.write().await?;
    let row = scope(key, vec![scan(2, u64::MAX), scan(3, 3), scan(4, 3)]);
    write.put_members(&row, &[(3, bytes(3))]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(
        read.members(key, 1).await?,
        None,
        "no scan of the new row names these members"
    );
    assert_eq!(read.members(key, u64::MAX).await?, Some(Vec::new()));
    assert_eq!(read.members(key, 3).await?, Some(bytes(3)));
    assert_eq!(
        read.members(other, 1).await?,
        Some(bytes(9)),
        "members of another scope stay"
    );
    drop(read);

    let mut write = backend.write().await?;
    write.put_members(&scope(key, Vec::new()), &[]).await?;
    write.commit().await?;
    assert_eq!(backend.read().await?.members(key, 3).await?, None);
    Ok(())
}

pub(super) async fn remove_scopes_removes_their_members<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let key = key(&mut write).await?;
    let other = ScopeKey {
        class: ClaimClass::Desired,
        ..key
    };
    for key in [key, other] {
        let row = scope(key, vec![scan(1, 1)]);
        write.put_scopes(std::slice::from_ref(&row)).await?;
        write.put_members(&row, &[(1, vec![7; 16])]).await?;
    }
    write.commit().await?;

    let mut write = backend.write().await?;
    write.remove_scopes(&[key, key]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(
        read.scopes(None).await?,
        [scope(other, vec![scan(1, 1)])],
        "a scope of the same name and another class stays"
    );
    assert_eq!(read.members(key, 1).await?, None);
    assert_eq!(read.members(other, 1).await?, Some(vec![7; 16]));
    Ok(())
}

pub(super) async fn contested_nodes_are_stored_by_scope<B: Backend>(backend: &B) -> PropertyResult {
    let mut write = backend.write().await?;
    let key = key(&mut write).await?;
    let other = ScopeKey {
        class: ClaimClass::Desired,
        ..key
    };
    let [a, b, c] = create_nodes(&mut write, ["a", "b", "c"]).await?;
    let rows = [(key, b), (key, a), (other, a), (key, b), (other, c)];
    write.put_contested(&rows).await?;
    write.put_contested(&rows[..1]).await?;
    assert_eq!(sorted(write.contested(key).await?), [a, b]);
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(sorted(read.contested(key).await?), [a, b]);
    assert_eq!(sorted(read.contested(other).await?), [a, c]);
    let never = ScopeKey {
        scope: NO_WORD,
        ..key
    };
    assert_eq!(read.contested(never).await?, NO_IDS);
    drop(read);

    let mut write = backend.write().await?;
    write.remove_contested(&[a, a]).await?;
    write.commit().await?;
    let mut read = backend.read().await?;
    assert_eq!(read.contested(key).await?, [b]);
    assert_eq!(read.contested(other).await?, [c]);
    Ok(())
}
