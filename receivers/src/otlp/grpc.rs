//! OTLP/gRPC: three unary methods.
//!
//! This module reads the framing of messages itself instead of using a generated service. So it can charge a message to
//! the request budget while the message arrives, decompress it on the blocking pool, and decode it without a copy.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use pipeline::Signal;
use tokio::time::Instant;

use super::compression::ContentCoding;
use super::config::GrpcConfig;
use super::intake::{self, AcceptedExport, OtlpEncoding, RequestHandler};
use super::rejection::RequestRejection;
use super::response;

/// The length of the prefix of a message: a flag (1: compressed) and the message's length, four bytes big-endian.
/// Source: "gRPC over HTTP2", Length-Prefixed-Message.
const PREFIX: usize = 5;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const ACCEPTED_CODINGS: HeaderValue = HeaderValue::from_static("gzip,zstd,deflate,identity");

#[derive(Clone, Debug)]
struct GrpcService {
    handler: Arc<RequestHandler>,
    limit: usize,
}

/// The router of the gRPC server, which serves the export method of each signal.
pub(super) fn router(handler: Arc<RequestHandler>, config: &GrpcConfig) -> Router {
    let service = GrpcService {
        handler,
        limit: config.limit(),
    };
    Router::new().fallback(serve_call).with_state(service)
}

async fn serve_call(State(service): State<GrpcService>, request: Request) -> Response {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_grpc = content_type.is_some_and(|it| it.as_bytes().starts_with(GRPC.as_bytes()));
    if request.method() != Method::POST || !is_grpc {
        let text = "415 unsupported media type, supported: [application/grpc]";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    }
    let Some(signal) = signal_of_method(request.uri().path()) else {
        let path = request.uri().path();
        return failure(&RequestRejection::unsupported_signal(format!(
            "unknown method {path}"
        )));
    };
    match export(&service, signal, request).await {
        Ok(accepted) => success(&accepted),
        Err(rejection) => {
            service.handler.count_rejection(signal, &rejection);
            failure(&rejection)
        }
    }
}

async fn export(
    service: &GrpcService,
    signal: Signal,
    request: Request,
) -> Result<AcceptedExport, RequestRejection> {
    service.handler.check_signal(signal)?;
    let now = Instant::now();
    let deadline = timeout(request.headers())?.and_then(|wait| now.checked_add(wait));
    let coding = content_coding(request.headers())?;
    let limit = service.limit;
    let body = request.into_body();
    let (body, charge) = service.handler.read(body, limit + PREFIX, deadline).await?;
    let (message, compressed) = unframe(body, limit)?;
    let coding = match (compressed, coding) {
        (false, _) => ContentCoding::Identity,
        (true, ContentCoding::Identity) => {
            // Source: gRPC's "Compression", "Compressed-Flag bit set but lacking grpc-encoding".
            return Err(RequestRejection::corrupt(
                "the message is flagged as compressed, but grpc-encoding is missing or identity",
            ));
        }
        (true, coding) => coding,
    };
    let request = intake::Request {
        signal,
        encoding: OtlpEncoding::Protobuf,
        coding,
        message,
        limit,
        deadline,
        charge,
    };
    service.handler.deliver(request).await
}

fn signal_of_method(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

fn content_coding(headers: &HeaderMap) -> Result<ContentCoding, RequestRejection> {
    let Some(value) = headers.get("grpc-encoding") else {
        return Ok(ContentCoding::Identity);
    };
    let name = String::from_utf8_lossy(value.as_bytes());
    ContentCoding::from_name(&name).ok_or_else(|| {
        RequestRejection::unknown_coding(format!(
            "unsupported grpc-encoding {name:?}, supported: gzip, zstd, deflate, identity"
        ))
    })
}

/// Parses `grpc-timeout`: at most eight digits and a unit. Source: "gRPC over HTTP2", Timeout.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, RequestRejection> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let parse = || {
        let (digits, unit) = value.to_str().ok()?.split_at_checked(value.len() - 1)?;
        if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let count: u64 = digits.parse().ok()?;
        match unit {
            "H" => Some(Duration::from_secs(count * 3600)),
            "M" => Some(Duration::from_secs(count * 60)),
            "S" => Some(Duration::from_secs(count)),
            "m" => Some(Duration::from_millis(count)),
            "u" => Some(Duration::from_micros(count)),
            "n" => Some(Duration::from_nanos(count)),
            _ => None,
        }
    };
    let malformed = || RequestRejection::malformed(format!("invalid grpc-timeout {value:?}"));
    if value.is_empty() {
        return Err(malformed());
    }
    parse().map(Some).ok_or_else(malformed)
}

/// Removes the prefix of the only message of a request. Returns the message, and whether it is compressed.
fn unframe(mut body: Bytes, limit: usize) -> Result<(Bytes, bool), RequestRejection> {
    let Some(&[flag, a, b, c, d]) = body.first_chunk::<PREFIX>() else {
        return Err(RequestRejection::malformed(
            "the request is shorter than a gRPC message prefix",
        ));
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > limit {
        return Err(RequestRejection::too_large(limit));
    }
    let compressed = match flag {
        0 => false,
        1 => true,
        _ => {
            let text = format!("unknown compression flag {flag} in the gRPC message prefix");
            return Err(RequestRejection::corrupt(text));
        }
    };
    let message = body.split_off(PREFIX);
    if message.len() != length {
        let actual = message.len();
        let text = format!("the gRPC message has {actual} bytes but its prefix says {length}");
        return Err(RequestRejection::malformed(text));
    }
    Ok((message, compressed))
}

fn success(accepted: &AcceptedExport) -> Response {
    let message = response::protobuf(accepted);
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("a response is shorter than 4 GiB"));
    framed.put_slice(&message);
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let body = Full::new(framed.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, GRPC);
    response
}

fn failure(rejection: &RequestRejection) -> Response {
    let mut response: Response = rejection.status().into_http();
    response
        .headers_mut()
        .insert("grpc-accept-encoding", ACCEPTED_CODINGS);
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::{timeout, unframe};
    use crate::otlp::rejection::RejectionKind;

    #[test]
    fn timeout_is_digits_and_a_unit() {
        let parse = |text: &str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-timeout"),
                text.parse().unwrap(),
            )]);
            timeout(&headers).ok().flatten()
        };
        assert_eq!(parse("2S"), Some(Duration::from_secs(2)));
        assert_eq!(parse("1500m"), Some(Duration::from_millis(1500)));
        assert_eq!(
            parse("99999999H"),
            Some(Duration::from_secs(359_999_996_400))
        );
        for wrong in ["", "S", "2", "2s", "-1S", "+1S", "123456789S", "1 S"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn message_length_must_match_its_prefix() {
        let unframe = |bytes: &'static [u8]| {
            unframe(Bytes::from_static(bytes), 9).map_err(|rejection| rejection.kind)
        };
        let message = Bytes::from_static(b"ab");
        assert_eq!(unframe(b"\0\0\0\0\x02ab"), Ok((message.clone(), false)));
        assert_eq!(unframe(b"\x01\0\0\0\x02ab"), Ok((message, true)));
        assert_eq!(unframe(b"\0\0\0\0\x03ab"), Err(RejectionKind::Malformed));
        assert_eq!(unframe(b"\0\0\0\0\x01ab"), Err(RejectionKind::Malformed));
        assert_eq!(unframe(b"\0\0\0"), Err(RejectionKind::Malformed));
        assert_eq!(unframe(b"\x02\0\0\0\0"), Err(RejectionKind::Corrupt));
        assert_eq!(
            unframe(b"\0\0\0\0\x0aabcdefghij"),
            Err(RejectionKind::TooLarge)
        );
    }
}
