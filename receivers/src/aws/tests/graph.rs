//! The graph that a store makes of the rows of a receiver.

use std::collections::BTreeSet;
use std::sync::Arc;

use pipeline::Batch;
use pipeline::claims::{ClaimClass, Existence, Removal, ReportedBy};
use pipeline::graph_store::AsOf;
use pipeline::reports::{RemovalReport, ReportBatch, ScanCompletion, Sighting};
use pipeline::resource::ResourceRow;
use pipeline::scan_members::Members;
use pipeline::store::Store;
use pipeline::store::memory::MemoryBackend;
use pipeline::testing::memory_store;

/// A graph store in memory, and the uids that were written to it.
#[derive(Debug)]
pub(super) struct TestGraph {
    pub(super) store: Arc<Store<MemoryBackend>>,
    uids: std::sync::Mutex<BTreeSet<String>>,
}

impl Default for TestGraph {
    fn default() -> TestGraph {
        TestGraph {
            store: Arc::new(memory_store()),
            uids: std::sync::Mutex::default(),
        }
    }
}

impl TestGraph {
    pub(super) async fn write(&self, batch: &Batch) {
        let uids = ResourceRow::all(batch).filter_map(|row| row.uid.map(str::to_owned));
        self.uids.lock().unwrap().extend(uids);
        self.store.write(&reports(batch)).await.unwrap();
    }

    /// The last parts of the uids whose existence `accepts` accepts.
    pub(super) async fn uids_where(&self, accepts: impl Fn(Existence) -> bool) -> Vec<String> {
        let uids = self.uids.lock().unwrap().clone();
        let mut selected = BTreeSet::new();
        for uid in uids {
            let inspected = self.store.inspect(&uid).await.unwrap().unwrap();
            if accepts(inspected.existence(AsOf::Now)) {
                selected.insert(uid.rsplit(['/', ':']).next().unwrap().to_owned());
            }
        }
        selected.into_iter().collect()
    }

    pub(super) async fn existing(&self) -> Vec<String> {
        self.uids_where(|it| it == Existence::Exists).await
    }

    pub(super) async fn unobserved(&self) -> Vec<String> {
        self.uids_where(|it| matches!(it, Existence::Unobserved(_)))
            .await
    }

    pub(super) async fn ended(&self) -> Vec<String> {
        self.uids_where(|it| matches!(it, Existence::Ended(_)))
            .await
    }
}

/// Converts a batch of `resources` to reports, as the processor `graph` and the store do. The reports lack the contents
/// of the resources.
fn reports(batch: &Batch) -> ReportBatch<'_> {
    let mut reports = ReportBatch::default();
    for row in ResourceRow::all(batch) {
        let (source, scope) = (row.source, row.scope.unwrap_or_default());
        let (class, time) = (ClaimClass::Actual, row.time.unwrap());
        match (row.op, row.uid) {
            ("observed", Some(uid)) => reports.sightings.push(Sighting {
                uid,
                class,
                source,
                scope,
                time,
                state: row.state.unwrap_or_default(),
                by: row.scan_id.map_or(ReportedBy::Row, |_| ReportedBy::Scan),
                content: None,
            }),
            ("deleted" | "released", Some(uid)) => reports.removals.push(RemovalReport {
                uid,
                class,
                source,
                scope,
                time,
                how: removal(row.op),
            }),
            ("scope_complete", None) => {
                let members = row.members.unwrap().iter().copied();
                let states = row.member_states.unwrap().iter().copied();
                reports.completions.push(ScanCompletion {
                    class,
                    source,
                    scope,
                    began: time,
                    members: Arc::new(Members::new(members.zip(states).collect())),
                    miss: removal(row.miss.unwrap()),
                });
            }
            other => panic!("not a row of a scan: {other:?}"),
        }
    }
    reports
}

fn removal(word: &str) -> Removal {
    match word {
        "released" => Removal::Released,
        _ => Removal::Deleted,
    }
}
