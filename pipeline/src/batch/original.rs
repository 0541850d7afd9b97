//! The OTLP request from which the rows of a batch were decoded.

use std::sync::Arc;

use bytes::Bytes;

/// An OTLP request (protobuf, uncompressed) in one or more parts. Each part is a request.
///
/// A request consists of one repeated field, so concatenated requests are one request
/// (<https://protobuf.dev/programming-guides/encoding/#last-one-wins>). Cheap to clone.
#[derive(Clone, Debug)]
pub struct OriginalRequest(RequestParts);

#[derive(Clone, Debug)]
enum RequestParts {
    One(Bytes),
    Several(Arc<[Bytes]>),
}

impl OriginalRequest {
    /// Concatenates requests, in order, without copying.
    pub(super) fn concat<'a>(
        originals: impl IntoIterator<Item = &'a OriginalRequest>,
    ) -> OriginalRequest {
        let parts = originals
            .into_iter()
            .flat_map(OriginalRequest::parts)
            .cloned();
        OriginalRequest(RequestParts::Several(parts.collect()))
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Bytes] {
        match &self.0 {
            RequestParts::One(request) => std::slice::from_ref(request),
            RequestParts::Several(parts) => parts,
        }
    }

    /// The length of the whole request, in bytes.
    pub fn len(&self) -> usize {
        self.parts().iter().map(Bytes::len).sum()
    }

    /// Whether the request has no bytes.
    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(Bytes::is_empty)
    }

    /// The whole request. A single part is shared; several parts are copied into one buffer.
    pub fn to_bytes(&self) -> Bytes {
        match self.parts() {
            [request] => request.clone(),
            parts => parts.concat().into(),
        }
    }
}

impl From<Bytes> for OriginalRequest {
    fn from(request: Bytes) -> OriginalRequest {
        OriginalRequest(RequestParts::One(request))
    }
}
