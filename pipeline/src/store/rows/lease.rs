//! Leases: which process scans a scope.

use async_trait::async_trait;

use super::backend::RowsError;
use super::row::Word;
use crate::unix_nanos::UnixNanos;

/// One process has a scope of a source to itself, until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    pub source: Word,
    pub scope: Word,
    /// Which process: any text.
    pub holder: String,
    pub until: UnixNanos,
}

/// The leases of a write session. They are part of its transaction.
#[async_trait]
pub trait LeaseRows: Send {
    /// What the clock says. A backend that is a server asks the server, so that all processes have one
    /// clock.
    async fn now(&mut self) -> Result<UnixNanos, RowsError> {
        Ok(UnixNanos::now())
    }

    /// The lease of a scope, whether it has run out or not. Until this session has ended no other one
    /// writes it: of two that read and then write it, one does so after the other.
    async fn lease(&mut self, source: Word, scope: Word) -> Result<Option<LeaseRow>, RowsError>;

    /// Adds or replaces the lease of a scope.
    async fn put_lease(&mut self, row: &LeaseRow) -> Result<(), RowsError>;

    /// Removes the lease of a scope, if there is one.
    async fn remove_lease(&mut self, source: Word, scope: Word) -> Result<(), RowsError>;
}
