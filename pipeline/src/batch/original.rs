//! The OTLP request from which rows were decoded.

use std::sync::Arc;

use bytes::Bytes;

/// An OTLP request (protobuf, uncompressed), in one or more parts, each a request.
///
/// A request consists of one repeated field, so that concatenated requests are one request
/// (<https://protobuf.dev/programming-guides/encoding/#last-one-wins>). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Original(Parts);

#[derive(Clone, Debug)]
enum Parts {
    One(Bytes),
    Several(Arc<[Bytes]>),
}

impl Original {
    /// The parts of several originals, in order; nothing is copied.
    pub(super) fn concat<'a>(originals: impl IntoIterator<Item = &'a Original>) -> Original {
        let parts = originals.into_iter().flat_map(Original::parts).cloned();
        Original(Parts::Several(parts.collect()))
    }

    pub fn parts(&self) -> &[Bytes] {
        match &self.0 {
            Parts::One(request) => std::slice::from_ref(request),
            Parts::Several(parts) => parts,
        }
    }

    /// Bytes of the whole request.
    pub fn len(&self) -> usize {
        self.parts().iter().map(Bytes::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(Bytes::is_empty)
    }

    /// The whole request: shared if it has one part, else the parts are copied into one buffer.
    pub fn to_bytes(&self) -> Bytes {
        match self.parts() {
            [request] => request.clone(),
            parts => parts.concat().into(),
        }
    }
}

impl From<Bytes> for Original {
    fn from(request: Bytes) -> Original {
        Original(Parts::One(request))
    }
}
