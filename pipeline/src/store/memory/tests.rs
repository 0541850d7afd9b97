use super::MemoryBackend;
use crate::testing::rows;

#[tokio::test]
async fn memory_backend_keeps_the_contract_of_rows() {
    rows::all(async || MemoryBackend::default()).await;
}
