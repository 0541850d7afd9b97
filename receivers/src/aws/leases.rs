//! Leases of scopes: of several processes that run a receiver of this name over one store, one at a
//! time scans a scope. The others leave the scope out in that round.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::graph_store::{GraphStore, Lease};
use tracing::{info, warn};

use super::base::lock;

/// For how long a lease is taken: so long a process that was killed keeps others from its scopes.
const LASTS: Duration = Duration::from_secs(60);

/// How often it is renewed while the scope is scanned.
const RENEWED: Duration = Duration::from_secs(20);

/// Without a store there are none, and every scope is this process's.
#[derive(Debug, Default)]
pub(super) struct Leases {
    store: Option<Arc<dyn GraphStore>>,
    source: String,
    /// This process.
    holder: String,
    held: Mutex<BTreeSet<Arc<str>>>,
    /// Scopes that another process had when they were last asked for, and which one.
    others: Mutex<BTreeMap<Arc<str>, String>>,
    /// Whether the store did not answer when it was last asked.
    is_failing: AtomicBool,
}

impl Leases {
    pub(super) fn new(store: Option<Arc<dyn GraphStore>>, source: &str) -> Leases {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let (process, random) = (std::process::id(), rand::random::<u32>());
        Leases {
            store,
            source: source.to_owned(),
            holder: format!("{} {process} {random:08x}", host.trim()),
            ..Leases::default()
        }
    }

    /// Does the work while this process has the lease of the scope. None where another process has it,
    /// also where it lost it on the way: then the work is not done, or not to its end.
    pub(super) async fn hold<T>(
        &self,
        scope: &Arc<str>,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        if self.store.is_none() {
            return Some(work.await);
        }
        if !self.take(scope).await {
            return None;
        }
        let done = tokio::select! {
            done = work => Some(done),
            () = self.renew(scope) => None,
        };
        self.give_back(scope).await;
        done
    }

    /// Those of these scopes whose lease this process has now.
    pub(super) async fn take_all(&self, scopes: Vec<Arc<str>>) -> Vec<Arc<str>> {
        let mut taken = Vec::with_capacity(scopes.len());
        for scope in scopes {
            if self.take(&scope).await {
                taken.push(scope);
            }
        }
        taken
    }

    /// Returns when the lease is another process's, or may be, since the store did not answer.
    async fn renew(&self, scope: &Arc<str>) {
        let mut failures = 0;
        loop {
            tokio::time::sleep(RENEWED).await;
            match self.ask(scope).await {
                Some(true) => failures = 0,
                Some(false) => return,
                None => failures += 1,
            }
            if failures * RENEWED >= LASTS {
                return;
            }
        }
    }

    async fn take(&self, scope: &Arc<str>) -> bool {
        self.ask(scope).await == Some(true)
    }

    /// Whether this process has the lease now; none where the store does not answer.
    async fn ask(&self, scope: &Arc<str>) -> Option<bool> {
        let Some(store) = &self.store else {
            return Some(true);
        };
        let (receiver, holder) = (&self.source, &self.holder);
        let held = match store.lease(receiver, scope, holder, LASTS).await {
            Ok(held) => held,
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    warn!(receiver, %error, "cannot ask for leases: nothing is scanned until the store answers");
                }
                return None;
            }
        };
        self.is_failing.store(false, Ordering::Relaxed);
        match held {
            None => {
                lock(&self.held).insert(scope.clone());
                if lock(&self.others).remove(scope).is_some() {
                    info!(receiver, %scope, "is scanned by this process again");
                }
                Some(true)
            }
            Some(Lease { holder, .. }) => {
                lock(&self.held).remove(scope);
                let before = lock(&self.others).insert(scope.clone(), holder.clone());
                if before.as_ref() != Some(&holder) {
                    info!(receiver, %scope, holder, "another process scans it: it is left out");
                }
                Some(false)
            }
        }
    }

    /// Gives the lease of a scope back. Where the store does not answer it runs out by itself.
    pub(super) async fn give_back(&self, scope: &Arc<str>) {
        let is_held = lock(&self.held).remove(scope);
        if let (Some(store), true) = (&self.store, is_held) {
            let _ = store.end_lease(&self.source, scope, &self.holder).await;
        }
    }

    /// Gives back all that scans which were cut off had.
    pub(super) async fn give_back_all(&self) {
        let held = lock(&self.held).clone();
        for scope in &held {
            self.give_back(scope).await;
        }
    }
}
