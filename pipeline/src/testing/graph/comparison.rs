//! Compares the answers about one uid with those of the replay.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Replay;
use crate::claims::{ClaimClass, Existence};
use crate::store::NodeInspection;
use crate::unix_nanos::{AsOf, UnixNanos};

/// The source, scope and state of a claim.
pub type SourceState = (String, String, u64);

/// What an implementation of the claim rules returns for one uid.
pub trait UidReads {
    /// Whether the uid exists.
    fn existence(&self, at: AsOf) -> Existence;

    /// The claim whose value wins in this class.
    fn value(&self, class: ClaimClass, at: AsOf) -> Option<SourceState>;

    /// The claims whose snapshots are current.
    fn snapshots(&self, at: AsOf) -> BTreeSet<SourceState>;
}

impl UidReads for NodeInspection {
    fn existence(&self, at: AsOf) -> Existence {
        NodeInspection::existence(self, at)
    }

    fn value(&self, class: ClaimClass, at: AsOf) -> Option<SourceState> {
        NodeInspection::value(self, class, at).map(to_owned)
    }

    fn snapshots(&self, at: AsOf) -> BTreeSet<SourceState> {
        NodeInspection::snapshots(self, at).map(to_owned).collect()
    }
}

fn to_owned((source, scope, state): (&str, &str, u64)) -> SourceState {
    (source.to_owned(), scope.to_owned(), state)
}

/// Returns now, each of these times, and the nanosecond before and after each time.
pub fn moments_around(times: &[UnixNanos]) -> Vec<AsOf> {
    let around = times.iter().flat_map(|time| {
        [time.0.saturating_sub(1), time.0, time.0 + 1].map(|time| AsOf::Time(UnixNanos(time)))
    });
    [AsOf::Now].into_iter().chain(around).collect()
}

/// Compares the existence, the values and the snapshots of a uid with those of the replay, at each of these moments.
/// Returns a line for each difference.
pub fn compare_reads(
    replay: &Replay,
    uid: &str,
    reads: &impl UidReads,
    moments: &[AsOf],
) -> String {
    let mut differences = String::new();
    for at in moments {
        let (expected, found) = (replay.existence(uid, *at), reads.existence(*at));
        if expected != found {
            let _ = writeln!(
                differences,
                "{uid} at {at:?}: expected {expected:?}, found {found:?}"
            );
        }
        for class in ClaimClass::ALL {
            let (expected, found) = (replay.value(uid, class, *at), reads.value(class, *at));
            if expected != found {
                let _ = writeln!(
                    differences,
                    "{class:?} of {uid} at {at:?}: expected {expected:?}, found {found:?}"
                );
            }
        }
        let (expected, found) = (replay.snapshots(uid, *at), reads.snapshots(*at));
        if expected != found {
            let _ = writeln!(
                differences,
                "snapshots of {uid} at {at:?}: expected {expected:?}, found {found:?}"
            );
        }
    }
    differences
}
