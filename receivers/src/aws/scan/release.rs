//! Releases the scopes that the configuration no longer includes. Their resources are not deleted: whether they
//! still exist is unknown.
//!
//! | scope | released |
//! |---|---|
//! | of a kind or region that is scanned in no account | before the scopes are scanned |
//! | of a removed account | after the scans of its kind and region in all accounts |
//! | of shared resources, if the accounts that can see them or the filter changed | likewise |
//! | of an account's own resources, if the filter changed | with the completion of the scope that replaces it |

use std::sync::Arc;

use pipeline::Signal;
use pipeline::component::UnixNanos;
use pipeline::resource::ScanContext;
use pipeline::rows::Rows;
use pipeline::schema::nodes::group;
use tracing::{debug, info};

use super::leases::Leases;
use crate::aws::emit::{Inventory, RowSink, parse_scope, write_release};

/// The maximum number of scopes that one batch releases.
const SCOPES_PER_BATCH: usize = 500;

impl Inventory {
    /// Releases these scopes, except those whose lease another process holds.
    ///
    /// # Errors
    /// The reason why a batch was not acknowledged. The next scan releases the remaining scopes.
    pub(in crate::aws) async fn release(
        &self,
        scopes: Vec<Arc<str>>,
        source: &str,
        began: UnixNanos,
        sink: &dyn RowSink,
        leases: &Leases,
    ) -> Result<(), String> {
        let scopes = leases.acquire_all(scopes).await;
        let released = self.release_held(&scopes, source, began, sink).await;
        for scope in &scopes {
            leases.release(scope).await;
        }
        if released.is_ok() && !scopes.is_empty() {
            let scopes = scopes.len();
            info!(
                receiver = source,
                scopes, "released scopes that are no longer scanned"
            );
        }
        released
    }

    /// Releases scopes whose leases this process holds.
    async fn release_held(
        &self,
        scopes: &[Arc<str>],
        source: &str,
        began: UnixNanos,
        sink: &dyn RowSink,
    ) -> Result<(), String> {
        for chunk in scopes.chunks(SCOPES_PER_BATCH) {
            let id = format!("{:x}", began.0);
            let mut rows = Rows::new(Signal::Resources);
            for scope in chunk {
                let scan = ScanContext {
                    source,
                    group: group::ACTUAL,
                    scope,
                    id: Some(&id),
                    began,
                };
                write_release(scope, &scan, &mut rows);
            }
            sink.deliver(rows).await?;
            for scope in chunk {
                debug!(receiver = source, %scope, "released");
                self.scopes.remove(scope);
                if let Some((account, region_kind, _)) = parse_scope(scope) {
                    let known = self.resources(&format!("{account}/{region_kind}"));
                    known.release_scopes(|reported| reported == scope.as_ref(), began);
                }
            }
        }
        Ok(())
    }
}
