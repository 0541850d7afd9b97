//! Builds the headers and the body of a gRPC request, and reads the body of a response
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>). A body is one message after a prefix: one byte
//! states whether the message is compressed, and four bytes are its length.
//!
//! The codec of tonic would copy the message, and compress it on the async threads. This module gets a compressed
//! message and only adds the prefix.

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

/// The length of the prefix of a message, in bytes.
const PREFIX: usize = 5;

/// The headers of every request.
pub(super) fn headers(config: &Config) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in config.headers.iter() {
        let mut value = value.clone();
        // gRPC sends headers with binary values, whose names end with `-bin`, in base64.
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

/// The body of a request. `message` is the compressed message in parts, which are not copied.
pub(super) fn frame(message: Vec<Bytes>, compression: Compression) -> Body {
    let mut prefix = BytesMut::with_capacity(PREFIX);
    prefix.put_u8(u8::from(compression != Compression::None));
    let length = message.iter().map(Bytes::len).sum::<usize>();
    prefix.put_u32(u32::try_from(length).expect("an OTLP request is below 4 GiB"));
    let parts = std::iter::once(prefix.freeze()).chain(message);
    let frames = parts.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

/// The message in the body of a response; `None` if the body is not one uncompressed message. (Without
/// `grpc-accept-encoding` in the request, a server must not compress the response.)
pub(super) fn unframe(body: &[u8]) -> Option<&[u8]> {
    let (prefix, message) = body.split_first_chunk::<PREFIX>()?;
    let [compressed, length @ ..] = *prefix;
    let has_length = u32::from_be_bytes(length) as usize == message.len();
    (compressed == 0 && has_length).then_some(message)
}
