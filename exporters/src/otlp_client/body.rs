//! Encodes a batch as the body of an OTLP request.

use std::sync::Arc;
use std::thread::available_parallelism;

use bytes::Bytes;
use pipeline::batch::OriginalRequest;
use pipeline::component::{Cause, ExportError};
use pipeline::{Batch, Delivery, otlp};
use tokio::sync::Semaphore;

use super::Compression;

/// Bodies up to this size, in bytes, are compressed on the calling task, since gzip takes at most about 200 µs.
const SMALL: usize = 8 << 10;

/// The encoding of an OTLP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

/// Encodes and compresses the batches of one exporter.
#[derive(Debug)]
pub(crate) struct BodyEncoder {
    encoding: Encoding,
    compression: Compression,
    /// Limits the jobs of the exporter to one per core. A job only computes, so more jobs would not be faster. But each
    /// job holds a request and a compressor, and runs on its own thread, whose heap keeps some of the memory.
    permits: Arc<Semaphore>,
}

impl BodyEncoder {
    pub(crate) fn new(encoding: Encoding, compression: Compression) -> BodyEncoder {
        let cores = available_parallelism().map_or(1, usize::from);
        BodyEncoder {
            encoding,
            compression,
            permits: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The compressed request for a batch. An unchanged batch is sent as the bytes of its original request, which are
    /// copied only to compress them.
    ///
    /// # Errors
    /// Permanent, if the batch cannot be encoded as OTLP.
    pub(crate) async fn body(&self, batch: &Batch) -> Result<Bytes, ExportError> {
        let (encoding, compression) = (self.encoding, self.compression);
        if encoding == Encoding::Protobuf
            && let Some(original) = batch.original()
            && (is_ready(original, compression) || original.len() <= SMALL)
        {
            return encoded_or_error(batch, compression.compress(original.to_bytes()));
        }
        // The job may outlive the attempt. It must not hold the delivery, since that would delay the acknowledgement.
        let rows = batch.clone().with_delivery(Delivery::untracked());
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let job = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            encode(&rows, encoding, compression)
        });
        let encoded = job.await.map_err(Cause::from).and_then(|encoded| encoded);
        encoded_or_error(batch, encoded)
    }

    /// As [`BodyEncoder::body`], but in parts: without compression, an unchanged batch is sent as the parts of its
    /// original requests, which are not copied.
    ///
    /// # Errors
    /// Permanent, if the batch cannot be encoded as OTLP.
    pub(crate) async fn body_parts(&self, batch: &Batch) -> Result<Vec<Bytes>, ExportError> {
        match batch.original() {
            Some(original)
                if self.encoding == Encoding::Protobuf && self.compression == Compression::None =>
            {
                Ok(original.parts().to_vec())
            }
            _ => Ok(vec![self.body(batch).await?]),
        }
    }
}

/// Whether the original bytes can be sent without copying or compressing them.
fn is_ready(original: &OriginalRequest, compression: Compression) -> bool {
    compression == Compression::None && original.parts().len() == 1
}

fn encode(batch: &Batch, encoding: Encoding, compression: Compression) -> Result<Bytes, Cause> {
    let request = match encoding {
        Encoding::Protobuf => otlp::encode(batch)?,
        Encoding::Json => otlp::json::encode(batch)?.into(),
    };
    Ok(compression.compress(request)?)
}

fn encoded_or_error<E: Into<Cause>>(
    batch: &Batch,
    body: Result<Bytes, E>,
) -> Result<Bytes, ExportError> {
    body.map_err(|error| {
        ExportError::permanent(format!("cannot encode {} as OTLP", batch.signal()), error)
    })
}

#[cfg(test)]
mod tests {
    use pipeline::{Delivery, Signal, otlp};

    use super::{BodyEncoder, Compression, Encoding};
    use crate::otlp_client::testing::request;

    #[tokio::test]
    async fn an_unchanged_batch_is_not_copied() {
        let request = request(Signal::Traces, 3);
        let batch = otlp::decode_traces(request.clone(), "otlp", Delivery::untracked()).unwrap();
        let encoder = BodyEncoder::new(Encoding::Protobuf, Compression::None);
        let body = encoder.body(&batch).await;
        assert_eq!(body.unwrap().as_ptr(), request.as_ptr());
    }

    #[tokio::test]
    async fn an_abandoned_encoding_job_does_not_delay_acknowledgements() {
        let request = request(Signal::Logs, 2000);
        let (delivery, mut receipt) = Delivery::new(None);
        let batch = otlp::decode_logs(request, "otlp", delivery).unwrap();
        let encoder = BodyEncoder::new(Encoding::Json, Compression::Gzip);
        let mut encoding = Box::pin(encoder.body(&batch));
        assert!(futures::poll!(&mut encoding).is_pending());
        drop(encoding);
        drop(batch);
        assert!(receipt.try_outcome().is_some());
    }
}
