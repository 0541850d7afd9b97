//! OTLP/gRPC: three methods, one message each way.
//!
//! The five bytes around a message are read here rather than by a generated service: so the message
//! stays bytes until it is decoded, is decompressed beside the threads that serve connections,
//! and is charged to the budget while it comes.

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

use super::answer;
use super::compression::Coding;
use super::config::Grpc;
use super::decode::Format;
use super::intake::{self, Intake, Taken};
use super::rejection::Rejection;

/// A flag (1: compressed) and the length of the message as four bytes, big-endian first.
/// Source: "gRPC over HTTP2", Length-Prefixed-Message.
const PREFIX: usize = 5;

const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip,zstd,deflate,identity");

#[derive(Clone, Debug)]
struct Service {
    intake: Arc<Intake>,
    limit: usize,
}

pub(super) fn router(intake: Arc<Intake>, config: &Grpc) -> Router {
    let service = Service {
        intake,
        limit: config.limit(),
    };
    Router::new().fallback(answer_call).with_state(service)
}

async fn answer_call(State(service): State<Service>, request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let is_grpc = kind.is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()));
    if request.method() != Method::POST || !is_grpc {
        let told = "415 unsupported media type, supported: [application/grpc]";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, told).into_response();
    }
    let Some(signal) = called(request.uri().path()) else {
        let path = request.uri().path();
        return failure(&Rejection::unserved(format!("unknown method {path}")));
    };
    match export(&service, signal, request).await {
        Ok(taken) => success(&taken),
        Err(rejection) => {
            service.intake.count(signal, &rejection);
            failure(&rejection)
        }
    }
}

async fn export(service: &Service, signal: Signal, request: Request) -> Result<Taken, Rejection> {
    service.intake.check_served(signal)?;
    let now = Instant::now();
    let gives_up = timeout(request.headers())?.and_then(|wait| now.checked_add(wait));
    let coding = coding(request.headers())?;
    let limit = service.limit;
    let body = request.into_body();
    let (body, charge) = service.intake.read(body, limit + PREFIX, gives_up).await?;
    let (message, compressed) = unframe(body, limit)?;
    let coding = match (compressed, coding) {
        (false, _) => Coding::Identity,
        (true, Coding::Identity) => {
            // Source: gRPC's "Compression", "Compressed-Flag bit set but lacking grpc-encoding".
            return Err(Rejection::corrupt(
                "the message is flagged as compressed but grpc-encoding does not say how",
            ));
        }
        (true, coding) => coding,
    };
    let request = intake::Request {
        signal,
        format: Format::Protobuf,
        coding,
        message,
        limit,
        gives_up,
        charge,
    };
    service.intake.take(request).await
}

fn called(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, Rejection> {
    let Some(named) = headers.get("grpc-encoding") else {
        return Ok(Coding::Identity);
    };
    let name = String::from_utf8_lossy(named.as_bytes());
    Coding::named(&name).ok_or_else(|| {
        Rejection::unknown_coding(format!(
            "grpc-encoding {name:?} is not supported; gzip, zstd, deflate and identity are"
        ))
    })
}

/// `grpc-timeout`: at most eight digits and a unit. Source: "gRPC over HTTP2", Timeout.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Rejection> {
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
    let malformed = || Rejection::malformed(format!("grpc-timeout {value:?} is no timeout"));
    if value.is_empty() {
        return Err(malformed());
    }
    parse().map(Some).ok_or_else(malformed)
}

/// The one message of a request, and whether it is compressed.
fn unframe(mut body: Bytes, limit: usize) -> Result<(Bytes, bool), Rejection> {
    let Some(&[flag, a, b, c, d]) = body.first_chunk::<PREFIX>() else {
        return Err(Rejection::malformed("the request has no whole message"));
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > limit {
        return Err(Rejection::too_large(limit));
    }
    let compressed = match flag {
        0 => false,
        1 => true,
        _ => {
            let told = format!("the message has the unknown compression flag {flag}");
            return Err(Rejection::corrupt(told));
        }
    };
    let message = body.split_off(PREFIX);
    if message.len() != length {
        let found = message.len();
        let told = format!("the message is {found} bytes long and not {length} as it says");
        return Err(Rejection::malformed(told));
    }
    Ok((message, compressed))
}

fn success(taken: &Taken) -> Response {
    let message = answer::protobuf(taken);
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("reasons are short"));
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

fn failure(rejection: &Rejection) -> Response {
    let mut response: Response = rejection.status().into_http();
    response
        .headers_mut()
        .insert("grpc-accept-encoding", ACCEPTED);
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::{timeout, unframe};
    use crate::otlp::rejection::Kind;

    #[test]
    fn timeouts_are_digits_and_a_unit() {
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
    fn a_message_has_the_length_that_it_says() {
        let unframe = |bytes: &'static [u8]| {
            unframe(Bytes::from_static(bytes), 9).map_err(|rejection| rejection.kind)
        };
        let message = Bytes::from_static(b"ab");
        assert_eq!(unframe(b"\0\0\0\0\x02ab"), Ok((message.clone(), false)));
        assert_eq!(unframe(b"\x01\0\0\0\x02ab"), Ok((message, true)));
        assert_eq!(unframe(b"\0\0\0\0\x03ab"), Err(Kind::Malformed));
        assert_eq!(unframe(b"\0\0\0\0\x01ab"), Err(Kind::Malformed));
        assert_eq!(unframe(b"\0\0\0"), Err(Kind::Malformed));
        assert_eq!(unframe(b"\x02\0\0\0\0"), Err(Kind::Corrupt));
        assert_eq!(unframe(b"\0\0\0\0\x0aabcdefghij"), Err(Kind::TooLarge));
    }
}
