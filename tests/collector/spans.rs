//! Spans as OTLP JSON, with fixed ids and times.

use serde_json::{Map, Value as Json, json};

/// 2024-01-01 in nanoseconds since 1970.
const START: u64 = 1_704_067_200_000_000_000;

/// One span of trace number `trace`.
#[derive(Clone)]
pub(super) struct Span {
    trace: u64,
    id: u64,
    parent: Option<u64>,
    kind: u32,
    micros: u64,
    failed: bool,
    attributes: Map<String, Json>,
}

pub(super) fn internal(trace: u64, id: u64) -> Span {
    Span {
        trace,
        id,
        parent: None,
        kind: 1,
        micros: 1000,
        failed: false,
        attributes: Map::new(),
    }
}

pub(super) fn server(trace: u64, id: u64) -> Span {
    Span {
        kind: 2,
        ..internal(trace, id)
    }
}

pub(super) fn client(trace: u64, id: u64) -> Span {
    Span {
        kind: 3,
        ..internal(trace, id)
    }
}

pub(super) fn producer(trace: u64, id: u64) -> Span {
    Span {
        kind: 4,
        ..internal(trace, id)
    }
}

pub(super) fn consumer(trace: u64, id: u64) -> Span {
    Span {
        kind: 5,
        ..internal(trace, id)
    }
}

impl Span {
    pub(super) fn under(self, parent: u64) -> Span {
        Span {
            parent: Some(parent),
            ..self
        }
    }

    pub(super) fn took(self, micros: u64) -> Span {
        Span { micros, ..self }
    }

    pub(super) fn failed(self) -> Span {
        Span {
            failed: true,
            ..self
        }
    }

    /// With an attribute; the JSON type says which.
    pub(super) fn with(mut self, key: &str, value: Json) -> Span {
        self.attributes.insert(key.to_owned(), value);
        self
    }

    fn to_json(&self) -> Json {
        let mut span = json!({
            "traceId": format!("{:032x}", self.trace),
            "spanId": format!("{:016x}", self.id),
            "name": format!("{}", self.id),
            "kind": self.kind,
            "startTimeUnixNano": START.to_string(),
            "endTimeUnixNano": (START + self.micros * 1000).to_string(),
            "attributes": attributes(&self.attributes),
            "status": if self.failed { json!({"code": 2}) } else { json!({}) },
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = format!("{parent:016x}").into();
        }
        span
    }
}

/// A request of spans by service.
pub(super) fn request(services: &[(&str, &[Span])]) -> Json {
    let of_service = |(service, spans): &(&str, &[Span])| {
        let mut resource = Map::new();
        resource.insert("service.name".to_owned(), json!(service));
        resource.insert("deployment.environment.name".to_owned(), json!("staging"));
        let spans: Vec<Json> = spans.iter().map(Span::to_json).collect();
        json!({
            "resource": {"attributes": attributes(&resource)},
            "scopeSpans": [{"scope": {"name": "script"}, "spans": spans}],
        })
    };
    json!({"resourceSpans": services.iter().map(of_service).collect::<Vec<_>>()})
}

fn attributes(map: &Map<String, Json>) -> Json {
    let pair = |(key, value): (&String, &Json)| json!({"key": key, "value": any(value)});
    map.iter().map(pair).collect()
}

fn any(value: &Json) -> Json {
    match value {
        Json::Bool(bool) => json!({"boolValue": bool}),
        Json::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Json::Number(number) => json!({"intValue": number.to_string()}),
        Json::String(text) => json!({"stringValue": text}),
        Json::Array(values) => {
            json!({"arrayValue": {"values": values.iter().map(any).collect::<Vec<_>>()}})
        }
        Json::Object(map) => json!({"kvlistValue": {"values": attributes(map)}}),
        Json::Null => json!({}),
    }
}
