//! Leases.

use async_trait::async_trait;

use super::backend::{Session, Writer};
use crate::store::rows::{LeaseRow, LeaseRows, RowsError, Word};

#[async_trait]
impl LeaseRows for Session<Writer> {
    async fn lease(&mut self, source: Word, scope: Word) -> Result<Option<LeaseRow>, RowsError> {
        Ok(self.tables.leases.get(&(source, scope)).cloned())
    }

    async fn put_lease(&mut self, row: &LeaseRow) -> Result<(), RowsError> {
        let key = (row.source, row.scope);
        self.tables_mut().leases.insert(key, row.clone());
        Ok(())
    }

    async fn remove_lease(&mut self, source: Word, scope: Word) -> Result<(), RowsError> {
        self.tables_mut().leases.remove(&(source, scope));
        Ok(())
    }
}
