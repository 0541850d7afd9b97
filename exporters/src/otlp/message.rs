//! One message and its headers as gRPC sends them
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>): a byte that says whether the
//! message is compressed, its length in 4 bytes, the message.
//!
//! tonic's own codec would copy the message, and compress it on the threads that also answer; ours
//! is compressed already, and only gets a prefix.

use std::convert::Infallible;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body::Frame;
use http_body_util::StreamBody;
use tonic::body::Body;

use super::Config;
use crate::otlp_client::Compression;

/// What stands before a message.
const PREFIX: usize = 5;

/// The headers of every request.
pub(super) fn headers(config: &Config) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in config.headers.iter() {
        let mut value = value.clone();
        // What gRPC calls binary is sent in base64.
        if name.as_str().ends_with("-bin") {
            let encoded = STANDARD_NO_PAD.encode(value.as_bytes());
            value = HeaderValue::try_from(encoded).expect("base64 is text");
            value.set_sensitive(true);
        }
        headers.append(name, value);
    }
    let content_type = HeaderValue::from_static("application/grpc");
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(encoding) = config.compression.header() {
        headers.insert("grpc-encoding", HeaderValue::from_static(encoding));
    }
    headers
}

/// A request's body; the pieces of the message are compressed already, and not copied.
pub(super) fn frame(message: Vec<Bytes>, compression: Compression) -> Body {
    let mut prefix = BytesMut::with_capacity(PREFIX);
    prefix.put_u8(u8::from(compression != Compression::None));
    let length = message.iter().map(Bytes::len).sum::<usize>();
    prefix.put_u32(u32::try_from(length).expect("an OTLP request is below 4 GiB"));
    let pieces = std::iter::once(prefix.freeze()).chain(message);
    let frames = pieces.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

/// The message of an answer's body; nothing where the body is no single uncompressed message. (We
/// ask for no compression.)
pub(super) fn unframe(body: &[u8]) -> Option<&[u8]> {
    let (prefix, message) = body.split_first_chunk::<PREFIX>()?;
    let [compressed, length @ ..] = *prefix;
    let fits = u32::from_be_bytes(length) as usize == message.len();
    (compressed == 0 && fits).then_some(message)
}
