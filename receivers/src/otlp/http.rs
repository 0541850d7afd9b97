//! OTLP/HTTP: one path for each signal, protobuf or JSON.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pipeline::Signal;

use super::compression::ContentCoding;
use super::config::HttpConfig;
use super::cors;
use super::intake::{self, AcceptedExport, OtlpEncoding, RequestHandler};
use super::rejection::RequestRejection;
use super::response;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[derive(Debug)]
struct HttpService {
    handler: Arc<RequestHandler>,
    limit: usize,
    paths: [(String, Signal); 3],
}

/// The router of the HTTP server, which serves the path of each signal.
pub(super) fn router(handler: Arc<RequestHandler>, config: &HttpConfig) -> Router {
    let service = HttpService {
        handler,
        limit: config.limit(),
        paths: [
            (config.traces_url_path.clone(), Signal::Traces),
            (config.metrics_url_path.clone(), Signal::Metrics),
            (config.logs_url_path.clone(), Signal::Logs),
        ],
    };
    let router = Router::new()
        .fallback(serve_request)
        .with_state(Arc::new(service));
    match config.cors.as_ref().and_then(cors::layer) {
        Some(layer) => router.layer(layer),
        None => router,
    }
}

/// Serves a request to any path.
async fn serve_request(State(service): State<Arc<HttpService>>, request: Request) -> Response {
    let path = request.uri().path();
    let Some((_, signal)) = service.paths.iter().find(|(served, _)| served == path) else {
        return (StatusCode::NOT_FOUND, "404 page not found").into_response();
    };
    let signal = *signal;
    if request.method() != Method::POST {
        let allow = [(header::ALLOW, "POST")];
        let text = "405 method not allowed, supported: [POST]";
        return (StatusCode::METHOD_NOT_ALLOWED, allow, text).into_response();
    }
    let Some(encoding) = encoding(request.headers()) else {
        let text = format!("415 unsupported media type, supported: [{JSON}, {PROTOBUF}]");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    };
    match export(&service, signal, encoding, request).await {
        Ok(accepted) => success(signal, encoding, &accepted),
        Err(rejection) => {
            service.handler.count_rejection(signal, &rejection);
            failure(encoding, &rejection)
        }
    }
}

async fn export(
    service: &HttpService,
    signal: Signal,
    encoding: OtlpEncoding,
    request: Request,
) -> Result<AcceptedExport, RequestRejection> {
    service.handler.check_signal(signal)?;
    let coding = content_coding(request.headers())?;
    let limit = service.limit;
    let body = request.into_body();
    let (message, charge) = service.handler.read(body, limit, None).await?;
    let request = intake::Request {
        signal,
        encoding,
        coding,
        message,
        limit,
        deadline: None,
        charge,
    };
    service.handler.deliver(request).await
}

/// The encoding that `Content-Type` states for the body. `None` if the header is missing or states another media type.
fn encoding(headers: &HeaderMap) -> Option<OtlpEncoding> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(PROTOBUF) {
        Some(OtlpEncoding::Protobuf)
    } else if media_type.eq_ignore_ascii_case(JSON) {
        Some(OtlpEncoding::Json)
    } else {
        None
    }
}

fn content_coding(headers: &HeaderMap) -> Result<ContentCoding, RequestRejection> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(ContentCoding::Identity);
    };
    let name = String::from_utf8_lossy(value.as_bytes());
    ContentCoding::from_name(&name).ok_or_else(|| {
        RequestRejection::unknown_coding(format!(
            "unsupported Content-Encoding {name:?}, supported: gzip, zstd, deflate, identity"
        ))
    })
}

fn success(signal: Signal, encoding: OtlpEncoding, accepted: &AcceptedExport) -> Response {
    let body = match encoding {
        OtlpEncoding::Protobuf => response::protobuf(accepted),
        OtlpEncoding::Json => response::json(signal, accepted),
    };
    respond(StatusCode::OK, encoding, body)
}

fn failure(encoding: OtlpEncoding, rejection: &RequestRejection) -> Response {
    let body = match encoding {
        OtlpEncoding::Protobuf => response::status_protobuf(rejection),
        OtlpEncoding::Json => response::status_json(rejection),
    };
    let mut response = respond(rejection.http_status(), encoding, body);
    if let Some(seconds) = rejection.retry_after_seconds() {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn respond(status: StatusCode, encoding: OtlpEncoding, body: Bytes) -> Response {
    let media_type = match encoding {
        OtlpEncoding::Protobuf => PROTOBUF,
        OtlpEncoding::Json => JSON,
    };
    (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
}
