//! The traits that components implement, the services that the engine provides to them, and their errors.
//!
//! ```text
//!  Receiver::run ──Output──▶ channel ──▶ Processor::process … ──▶ queue ──▶ Exporter::export
//!  owns its loop             bytes       one chain, one thread    bytes     Ok means durable
//! ```

mod errors;
mod host;
mod id;
mod tasks;
mod traits;

pub use errors::{BuildError, ExportError, ProcessError, RunError, StartError};
pub use host::{Host, SharedServices};
pub use id::{ComponentId, InvalidId, StoreRef};
pub use tasks::Tasks;
pub use traits::{Exporter, Extension, ListenAddress, Processor, Receiver, RowCounts};

pub use crate::error_cause::{Cause, ErrorChain};
pub use crate::unix_nanos::UnixNanos;
