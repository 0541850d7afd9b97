//! Encodes a batch as the body of an OTLP request.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use bytes::Bytes;
use pipeline::batch::OriginalRequest;
use pipeline::component::{Cause, ExportError};
use pipeline::{Batch, Delivery, otlp};

use tokio::sync::Semaphore;

use super::Compression;

/// Bodies up to this size, in bytes, are compressed on the calling task, since gzip takes at most about 200 µs.
const SMALL: usize = 8 << 10;

/// Limits encoding jobs to one per core. A job only computes, so more jobs would not be faster. But each job holds a
/// request and a compressor, and runs on its own thread, whose heap keeps some of the memory after the job.
static ENCODER_PERMITS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// The encoding of an OTLP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

/// The compressed request for a batch. An unchanged batch is sent as the bytes of its original request, which are
/// copied only to compress them.
///
/// # Errors
/// Permanent, if the batch cannot be encoded as OTLP.
pub(crate) async fn body(
    batch: &Batch,
    encoding: Encoding,
    compression: Compression,
) -> Result<Bytes, ExportError> {
    if encoding == Encoding::Protobuf
        && let Some(original) = batch.original()
        && (is_ready(original, compression) || original.len() <= SMALL)
    {
        return encoded_or_error(batch, compression.compress(original.to_bytes()));
    }
    // The job may outlive the attempt. It must not hold the delivery, since that would delay the acknowledgement.
    let rows = batch.clone().with_delivery(Delivery::untracked());
    let permit = ENCODER_PERMITS.acquire().await;
    let permit = permit.expect("the semaphore is never closed");
    let job = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        encode(&rows, encoding, compression)
    });
    let encoded = job.await.map_err(Cause::from).and_then(|encoded| encoded);
    encoded_or_error(batch, encoded)
}

/// The compressed protobuf request for a batch, in parts. Without compression, an unchanged batch is sent as the parts
/// of its original requests, which are not copied.
///
/// # Errors
/// Permanent, if the batch cannot be encoded as OTLP.
pub(crate) async fn body_parts(
    batch: &Batch,
    compression: Compression,
) -> Result<Vec<Bytes>, ExportError> {
    match batch.original() {
        Some(original) if compression == Compression::None => Ok(original.parts().to_vec()),
        _ => Ok(vec![body(batch, Encoding::Protobuf, compression).await?]),
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

    use super::{Compression, Encoding, body};
    use crate::otlp_client::testing::request;

    #[tokio::test]
    async fn an_unchanged_batch_is_not_copied() {
        let request = request(Signal::Traces, 3);
        let batch = otlp::decode_traces(request.clone(), "otlp", Delivery::untracked()).unwrap();
        let body = body(&batch, Encoding::Protobuf, Compression::None).await;
        assert_eq!(body.unwrap().as_ptr(), request.as_ptr());
    }

    #[tokio::test]
    async fn an_abandoned_encoding_job_does_not_delay_acknowledgements() {
        let request = request(Signal::Logs, 2000);
        let (delivery, mut receipt) = Delivery::new(None);
        let batch = otlp::decode_logs(request, "otlp", delivery).unwrap();
        let mut encoding = Box::pin(body(&batch, Encoding::Json, Compression::Gzip));
        assert!(futures::poll!(&mut encoding).is_pending());
        drop(encoding);
        drop(batch);
        assert!(receipt.try_outcome().is_some());
    }
}
