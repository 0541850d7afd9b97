//! Spans as OTLP JSON, with fixed ids and times.

use serde_json::{Map, Value as Json, json};

/// 2024-01-01 in nanoseconds since 1970.
const START: u64 = 1_704_067_200_000_000_000;

/// One span of trace number `trace`.
#[derive(Clone)]
pub(super) struct ScriptSpan {
    trace: u64,
    id: u64,
    parent: Option<u64>,
    kind: u32,
    micros: u64,
    failed: bool,
    attributes: Map<String, Json>,
}

pub(super) fn internal(trace: u64, id: u64) -> ScriptSpan {
    ScriptSpan {
        trace,
        id,
        parent: None,
        kind: 1,
        micros: 1000,
        failed: false,
        attributes: Map::new(),
    }
}

pub(super) fn server(trace: u64, id: u64) -> ScriptSpan {
    ScriptSpan {
        kind: 2,
        ..internal(trace, id)
    }
}

pub(super) fn client(trace: u64, id: u64) -> ScriptSpan {
    ScriptSpan {
        kind: 3,
        ..internal(trace, id)
    }
}

pub(super) fn producer(trace: u64, id: u64) -> ScriptSpan {
    ScriptSpan {
        kind: 4,
        ..internal(trace, id)
    }
}

pub(super) fn consumer(trace: u64, id: u64) -> ScriptSpan {
    ScriptSpan {
        kind: 5,
        ..internal(trace, id)
    }
}

impl ScriptSpan {
    pub(super) fn under(self, parent: u64) -> ScriptSpan {
        ScriptSpan {
            parent: Some(parent),
            ..self
        }
    }

    pub(super) fn took(self, micros: u64) -> ScriptSpan {
        ScriptSpan { micros, ..self }
    }

    pub(super) fn failed(self) -> ScriptSpan {
        ScriptSpan {
            failed: true,
            ..self
        }
    }

    /// Adds an attribute; the JSON type selects the OTLP type.
    pub(super) fn with(mut self, key: &str, value: Json) -> ScriptSpan {
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

/// An export request with the spans of each service.
pub(super) fn request(services: &[(&str, &[ScriptSpan])]) -> Json {
    let of_service = |(service, spans): &(&str, &[ScriptSpan])| {
        let mut resource = Map::new();
        resource.insert("service.name".to_owned(), json!(service));
        resource.insert("deployment.environment.name".to_owned(), json!("staging"));
        let spans: Vec<Json> = spans.iter().map(ScriptSpan::to_json).collect();
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
