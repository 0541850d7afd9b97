//! Reads `earlier_completions`. A row stands for consecutive scans with the same members.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use pipeline::claims::{ClaimClass, Removal};
use pipeline::component::UnixNanos;
use pipeline::reports::ScanCompletion;
use pipeline::scan_members::Members;
use sqlx::{Row as _, SqliteConnection};

use super::unsigned;

const READ: &str =
    "SELECT scope, source, grp, first_began, last_began, members, scans FROM earlier_completions";

const MEMBERS: &str = "SELECT pairs FROM earlier_members WHERE hash = ?1";

/// A completed scan.
#[derive(Clone, Debug)]
pub(super) struct EarlierScan {
    pub(super) class: ClaimClass,
    pub(super) source: Arc<str>,
    pub(super) scope: Arc<str>,
    pub(super) began: UnixNanos,
    /// The hash of the members.
    members: u64,
}

impl EarlierScan {
    /// The report of the scan.
    pub(super) fn completion(&self, members: &Arc<Members>) -> ScanCompletion<'_> {
        ScanCompletion {
            class: self.class,
            source: &self.source,
            scope: &self.scope,
            began: self.began,
            members: Arc::clone(members),
            miss: Removal::Deleted,
        }
    }
}

/// Reads the scans whose times are stored, in the order of these times. A row has the times of its first scan, of its
/// last scan and of its newest scans.
pub(super) async fn read(
    connection: &mut SqliteConnection,
) -> Result<Vec<EarlierScan>, sqlx::Error> {
    let mut scans = Vec::new();
    for row in sqlx::query(READ).fetch_all(connection).await? {
        let (scope, source): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let group: String = row.try_get(2)?;
        let (first, last): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        let mut times: Vec<u64> = serde_json::from_str(&row.try_get::<String, _>(6)?)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        times.extend([first, last].map(i64::cast_unsigned));
        times.sort_unstable();
        times.dedup();
        let scan = EarlierScan {
            class: match group.as_str() {
                "desired" => ClaimClass::Desired,
                _ => ClaimClass::Actual,
            },
            source: source.into(),
            scope: scope.into(),
            began: UnixNanos(0),
            members: unsigned(row.try_get(5)?),
        };
        scans.extend(times.into_iter().map(|began| EarlierScan {
            began: UnixNanos(began),
            ..scan.clone()
        }));
    }
    scans.sort_by_key(|scan| scan.began);
    Ok(scans)
}

/// Reads the members of each scan, in order. Scans with equal members share them.
pub(super) async fn members(
    connection: &mut SqliteConnection,
    scans: &[EarlierScan],
) -> Result<Vec<Arc<Members>>, sqlx::Error> {
    let mut by_hash: HashMap<u64, Arc<Members>> = HashMap::new();
    let mut all = Vec::with_capacity(scans.len());
    for scan in scans {
        let members = match by_hash.entry(scan.members) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let pairs = sqlx::query_scalar(MEMBERS).bind(scan.members.cast_signed());
                let pairs: Option<Vec<u8>> = pairs.fetch_optional(&mut *connection).await?;
                let members = Members::from_bytes(pairs.unwrap_or_default());
                let members = members.map_err(|error| sqlx::Error::Decode(error.into()))?;
                entry.insert(Arc::new(members)).clone()
            }
        };
        all.push(members);
    }
    Ok(all)
}
