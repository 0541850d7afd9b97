//! Leases of scopes. Several processes can run a receiver with the same name over the same store. A process scans a
//! scope only while it holds the lease of the scope. The other processes then skip this scope.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::graph_store::{GraphStore, Lease};
use pipeline::sync::lock;
use tracing::{info, warn};

/// The duration of a lease. After a process is killed, no process scans the scopes whose leases it held until these
/// leases expire.
const LEASE_DURATION: Duration = Duration::from_secs(60);

/// The interval at which a lease is renewed while its scope is scanned.
const RENEW_INTERVAL: Duration = Duration::from_secs(20);

/// The leases of this process. Without a store there are none, and this process scans every scope.
#[derive(Debug, Default)]
pub(in crate::aws) struct Leases {
    store: Option<Arc<dyn GraphStore>>,
    source: String,
    /// Identifies this process.
    holder: String,
    held: Mutex<BTreeSet<Arc<str>>>,
    /// The scopes whose lease another process held at this process's last attempt, with the holder.
    held_elsewhere: Mutex<BTreeMap<Arc<str>, String>>,
    /// Whether the last request to the store failed.
    is_failing: AtomicBool,
}

impl Leases {
    pub(in crate::aws) fn new(store: Option<Arc<dyn GraphStore>>, source: &str) -> Leases {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let (process, random) = (std::process::id(), rand::random::<u32>());
        Leases {
            store,
            source: source.to_owned(),
            holder: format!("{} {process} {random:08x}", host.trim()),
            ..Leases::default()
        }
    }

    /// Acquires the lease of the scope, runs `work` under it, and returns the result of `work`. Returns `None`
    /// without running `work` if another process holds the lease or the store fails. If this process loses the lease,
    /// cancels `work` and returns `None`.
    pub(in crate::aws) async fn hold<T>(
        &self,
        scope: &Arc<str>,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        if self.store.is_none() {
            return Some(work.await);
        }
        if !self.acquire(scope).await {
            return None;
        }
        let done = tokio::select! {
            done = work => Some(done),
            () = self.renew_until_lost(scope) => None,
        };
        self.release(scope).await;
        done
    }

    /// Tries to acquire the leases of these scopes. Returns the scopes whose lease this process now holds.
    pub(in crate::aws) async fn acquire_all(&self, scopes: Vec<Arc<str>>) -> Vec<Arc<str>> {
        let mut acquired = Vec::with_capacity(scopes.len());
        for scope in scopes {
            if self.acquire(&scope).await {
                acquired.push(scope);
            }
        }
        acquired
    }

    /// Renews the lease repeatedly. Returns when another process holds it, or may hold it because the store
    /// has failed for the duration of a lease.
    async fn renew_until_lost(&self, scope: &Arc<str>) {
        let mut failures = 0;
        loop {
            tokio::time::sleep(RENEW_INTERVAL).await;
            match self.try_acquire(scope).await {
                Some(true) => failures = 0,
                Some(false) => return,
                None => failures += 1,
            }
            if failures * RENEW_INTERVAL >= LEASE_DURATION {
                return;
            }
        }
    }

    /// Acquires or renews the lease. Returns false if another process holds it or the store fails.
    async fn acquire(&self, scope: &Arc<str>) -> bool {
        self.try_acquire(scope).await == Some(true)
    }

    /// Acquires or renews the lease. Returns whether this process now holds it, or `None` if the store fails.
    async fn try_acquire(&self, scope: &Arc<str>) -> Option<bool> {
        let Some(store) = &self.store else {
            return Some(true);
        };
        let (receiver, holder) = (&self.source, &self.holder);
        let held = match store.lease(receiver, scope, holder, LEASE_DURATION).await {
            Ok(held) => held,
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    warn!(receiver, %error, "cannot acquire leases: nothing is scanned until the store responds");
                }
                return None;
            }
        };
        self.is_failing.store(false, Ordering::Relaxed);
        match held {
            None => {
                lock(&self.held).insert(scope.clone());
                if lock(&self.held_elsewhere).remove(scope).is_some() {
                    info!(receiver, %scope, "this process scans the scope again");
                }
                Some(true)
            }
            Some(Lease { holder, .. }) => {
                lock(&self.held).remove(scope);
                let before = lock(&self.held_elsewhere).insert(scope.clone(), holder.clone());
                if before.as_ref() != Some(&holder) {
                    info!(receiver, %scope, holder, "another process holds the lease: the scope is not scanned here");
                }
                Some(false)
            }
        }
    }

    /// Releases the lease of a scope. If the store fails, the lease stays until it expires.
    pub(in crate::aws) async fn release(&self, scope: &Arc<str>) {
        let is_held = lock(&self.held).remove(scope);
        if let (Some(store), true) = (&self.store, is_held) {
            let _ = store.end_lease(&self.source, scope, &self.holder).await;
        }
    }

    /// Releases all leases that this process still holds: those of cancelled scans.
    pub(in crate::aws) async fn release_all(&self) {
        let held = lock(&self.held).clone();
        for scope in &held {
            self.release(scope).await;
        }
    }
}
