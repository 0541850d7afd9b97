//! OTLP/HTTP: one path for each signal, protobuf or JSON.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pipeline::Signal;

use super::answer;
use super::compression::Coding;
use super::config::Http;
use super::cors;
use super::decode::Format;
use super::intake::{self, AcceptedExport, Intake};
use super::rejection::RequestRejection;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[derive(Debug)]
struct HttpService {
    intake: Arc<Intake>,
    limit: usize,
    paths: [(String, Signal); 3],
}

pub(super) fn router(intake: Arc<Intake>, config: &Http) -> Router {
    let service = HttpService {
        intake,
        limit: config.limit(),
        paths: [
            (config.traces_url_path.clone(), Signal::Traces),
            (config.metrics_url_path.clone(), Signal::Metrics),
            (config.logs_url_path.clone(), Signal::Logs),
        ],
    };
    let router = Router::new()
        .fallback(handle_post)
        .with_state(Arc::new(service));
    match config.cors.as_ref().and_then(cors::layer) {
        Some(layer) => router.layer(layer),
        None => router,
    }
}

async fn handle_post(State(service): State<Arc<HttpService>>, request: Request) -> Response {
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
    let Some(format) = format(request.headers()) else {
        let text = format!("415 unsupported media type, supported: [{JSON}, {PROTOBUF}]");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into_response();
    };
    match export(&service, signal, format, request).await {
        Ok(accepted) => success(signal, format, &accepted),
        Err(rejection) => {
            service.intake.count_rejection(signal, &rejection);
            failure(format, &rejection)
        }
    }
}

async fn export(
    service: &HttpService,
    signal: Signal,
    format: Format,
    request: Request,
) -> Result<AcceptedExport, RequestRejection> {
    service.intake.check_signal(signal)?;
    let coding = coding(request.headers())?;
    let limit = service.limit;
    let body = request.into_body();
    let (message, charge) = service.intake.read(body, limit, None).await?;
    let request = intake::Request {
        signal,
        format,
        coding,
        message,
        limit,
        deadline: None,
        charge,
    };
    service.intake.accept(request).await
}

fn format(headers: &HeaderMap) -> Option<Format> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = value.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case(PROTOBUF) {
        Some(Format::Protobuf)
    } else if media_type.eq_ignore_ascii_case(JSON) {
        Some(Format::Json)
    } else {
        None
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, RequestRejection> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Coding::Identity);
    };
    let name = String::from_utf8_lossy(value.as_bytes());
    Coding::from_name(&name).ok_or_else(|| {
        RequestRejection::unknown_coding(format!(
            "unsupported Content-Encoding {name:?}, supported: gzip, zstd, deflate, identity"
        ))
    })
}

fn success(signal: Signal, format: Format, accepted: &AcceptedExport) -> Response {
    let body = match format {
        Format::Protobuf => answer::protobuf(accepted),
        Format::Json => answer::json(signal, accepted),
    };
    respond(StatusCode::OK, format, body)
}

fn failure(format: Format, rejection: &RequestRejection) -> Response {
    let body = match format {
        Format::Protobuf => answer::status_protobuf(rejection),
        Format::Json => answer::status_json(rejection),
    };
    let mut response = respond(rejection.http_status(), format, body);
    if let Some(seconds) = rejection.retry_after_seconds() {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

fn respond(status: StatusCode, format: Format, body: Bytes) -> Response {
    let media_type = match format {
        Format::Protobuf => PROTOBUF,
        Format::Json => JSON,
    };
    (status, [(header::CONTENT_TYPE, media_type)], body).into_response()
}
