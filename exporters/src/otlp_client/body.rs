//! A batch as the body of a request.

use bytes::Bytes;
use pipeline::batch::Original;
use pipeline::component::{Cause, ExportError};
use pipeline::{Batch, Delivery, otlp};

use super::Compression;

/// Up to so many bytes are compressed where we stand: gzip takes about 200 µs for them.
const SMALL: usize = 8 << 10;

/// The form of OTLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

/// The request for a batch, compressed. What nobody has changed is the bytes it came as, not copied
/// unless it is compressed.
///
/// # Errors
/// When OTLP cannot say the batch: for good.
pub(crate) async fn body(
    batch: &Batch,
    encoding: Encoding,
    compression: Compression,
) -> Result<Bytes, ExportError> {
    if encoding == Encoding::Protobuf
        && let Some(original) = batch.original()
        && (is_ready(original, compression) || original.len() <= SMALL)
    {
        return made(batch, compression.compress(original.to_bytes()));
    }
    // Those who wait for the batch do not wait for this job, which may outlive the attempt.
    let rows = batch.clone().with_delivery(Delivery::nobody());
    let job = tokio::task::spawn_blocking(move || encode(&rows, encoding, compression));
    let encoded = job.await.map_err(Cause::from).and_then(|encoded| encoded);
    made(batch, encoded)
}

/// Likewise in protobuf, in as many pieces as it came in: for who can send pieces.
///
/// # Errors
/// When OTLP cannot say the batch: for good.
pub(crate) async fn pieces(
    batch: &Batch,
    compression: Compression,
) -> Result<Vec<Bytes>, ExportError> {
    match batch.original() {
        Some(original) if compression == Compression::None => Ok(original.parts().to_vec()),
        _ => Ok(vec![body(batch, Encoding::Protobuf, compression).await?]),
    }
}

/// Whether there is nothing to do for the bytes but to share them.
fn is_ready(original: &Original, compression: Compression) -> bool {
    compression == Compression::None && original.parts().len() == 1
}

fn encode(batch: &Batch, encoding: Encoding, compression: Compression) -> Result<Bytes, Cause> {
    let request = match encoding {
        Encoding::Protobuf => otlp::encode(batch)?,
        Encoding::Json => otlp::json::encode(batch)?.into(),
    };
    Ok(compression.compress(request)?)
}

fn made<E: Into<Cause>>(batch: &Batch, body: Result<Bytes, E>) -> Result<Bytes, ExportError> {
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
    async fn what_nobody_changed_is_not_copied() {
        let request = request(Signal::Traces, 3);
        let batch = otlp::decode_traces(request.clone(), "otlp", Delivery::nobody()).unwrap();
        let body = body(&batch, Encoding::Protobuf, Compression::None).await;
        assert_eq!(body.unwrap().as_ptr(), request.as_ptr());
    }

    #[tokio::test]
    async fn the_job_that_encodes_holds_up_no_answer() {
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
