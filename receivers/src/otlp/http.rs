//! OTLP/HTTP: one path a signal, protobuf or JSON.

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
use super::intake::{self, Intake, Taken};
use super::rejection::Rejection;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[derive(Debug)]
struct Service {
    intake: Arc<Intake>,
    limit: usize,
    paths: [(String, Signal); 3],
}

pub(super) fn router(intake: Arc<Intake>, config: &Http) -> Router {
    let service = Service {
        intake,
        limit: config.limit(),
        paths: [
            (config.traces_url_path.clone(), Signal::Traces),
            (config.metrics_url_path.clone(), Signal::Metrics),
            (config.logs_url_path.clone(), Signal::Logs),
        ],
    };
    let router = Router::new()
        .fallback(answer_post)
        .with_state(Arc::new(service));
    match config.cors.as_ref().and_then(cors::layer) {
        Some(layer) => router.layer(layer),
        None => router,
    }
}

async fn answer_post(State(service): State<Arc<Service>>, request: Request) -> Response {
    let path = request.uri().path();
    let Some((_, signal)) = service.paths.iter().find(|(served, _)| served == path) else {
        return (StatusCode::NOT_FOUND, "404 page not found").into_response();
    };
    let signal = *signal;
    if request.method() != Method::POST {
        let allow = [(header::ALLOW, "POST")];
        let told = "405 method not allowed, supported: [POST]";
        return (StatusCode::METHOD_NOT_ALLOWED, allow, told).into_response();
    }
    let Some(format) = format(request.headers()) else {
        let told = format!("415 unsupported media type, supported: [{JSON}, {PROTOBUF}]");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, told).into_response();
    };
    match export(&service, signal, format, request).await {
        Ok(taken) => success(signal, format, &taken),
        Err(rejection) => {
            service.intake.count(signal, &rejection);
            failure(format, &rejection)
        }
    }
}

async fn export(
    service: &Service,
    signal: Signal,
    format: Format,
    request: Request,
) -> Result<Taken, Rejection> {
    service.intake.check_served(signal)?;
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
        gives_up: None,
        charge,
    };
    service.intake.take(request).await
}

fn format(headers: &HeaderMap) -> Option<Format> {
    let named = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = named.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(PROTOBUF) {
        Some(Format::Protobuf)
    } else if kind.eq_ignore_ascii_case(JSON) {
        Some(Format::Json)
    } else {
        None
    }
}

fn coding(headers: &HeaderMap) -> Result<Coding, Rejection> {
    let Some(named) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Coding::Identity);
    };
    let name = String::from_utf8_lossy(named.as_bytes());
    Coding::named(&name).ok_or_else(|| {
        Rejection::unknown_coding(format!(
            "Content-Encoding {name:?} is not supported; gzip, zstd, deflate and identity are"
        ))
    })
}

fn success(signal: Signal, format: Format, taken: &Taken) -> Response {
    let body = match format {
        Format::Protobuf => answer::protobuf(taken),
        Format::Json => answer::json(signal, taken),
    };
    respond(StatusCode::OK, format, body)
}

fn failure(format: Format, rejection: &Rejection) -> Response {
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
    let kind = match format {
        Format::Protobuf => PROTOBUF,
        Format::Json => JSON,
    };
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
