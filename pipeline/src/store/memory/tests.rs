use super::MemoryBackend;
use crate::testing::{aging, rows};

#[tokio::test]
async fn memory_backend_keeps_the_contract_of_rows() {
    rows::all(async || MemoryBackend::default()).await;
}

#[tokio::test]
async fn store_in_memory_ages_well() {
    aging::all(async || {
        let backend = MemoryBackend::default();
        (backend.clone(), backend)
    })
    .await;
}
