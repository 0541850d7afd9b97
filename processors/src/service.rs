//! Reads the attributes of a service, and the port of an endpoint, for several processors. All processors that report a
//! service use this uid and this fact, so their reports agree.

use pipeline::attributes::{Map, MapBuilder, Value};
use pipeline::uid;

/// The `kind` of the node of a service.
pub(crate) const KIND: &str = "service";

/// The attributes of a service; a missing attribute is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Service<'a> {
    pub(crate) environment: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// `telemetry.sdk.language`.
    pub(crate) language: &'a str,
}

impl<'a> Service<'a> {
    /// Reads the service that a resource describes. `namespace` and `name` are the values of their columns.
    pub(crate) fn of(resource: Map<'a>, namespace: &'a str, name: &'a str) -> Service<'a> {
        let text = |key| resource.text(key).filter(|text| !text.is_empty());
        Service {
            environment: text("deployment.environment.name")
                .or_else(|| text("deployment.environment"))
                .unwrap_or_default(),
            namespace,
            name,
            version: text("service.version").unwrap_or_default(),
            language: text("telemetry.sdk.language").unwrap_or_default(),
        }
    }

    /// The uid of the service's node: `svc://environment/namespace/name`.
    pub(crate) fn uid(&self) -> String {
        uid::service(self.environment, self.namespace, self.name)
    }

    /// The encoded value of the service's fact `telemetry`: the attributes that are not empty. The value has no
    /// attribute that differs between the instances of a service, so that their reports do not change the fact.
    pub(crate) fn value(&self) -> Vec<u8> {
        let all = [
            ("service.name", self.name),
            ("service.namespace", self.namespace),
            ("deployment.environment.name", self.environment),
            ("service.version", self.version),
            ("telemetry.sdk.language", self.language),
        ];
        let mut value = MapBuilder::new();
        for (key, text) in all.iter().filter(|(_, text)| !text.is_empty()) {
            value.text(key, text);
        }
        value.finish()
    }

    /// Whether the version or the language is known. Only the telemetry of the service itself has them.
    pub(crate) fn has_details(&self) -> bool {
        !self.version.is_empty() || !self.language.is_empty()
    }
}

/// Parses the value of `server.port` or `net.peer.port`, which some SDKs send as text.
pub(crate) fn parse_port(value: Value<'_>) -> Option<u16> {
    match value {
        Value::Int(int) => u16::try_from(int).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}
