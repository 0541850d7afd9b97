//! A service, as its own telemetry names it: one uid and one fact, whoever tells of it.

use pipeline::attributes::{Map, MapBuilder};
use pipeline::uid;

/// The `kind` of a service's node.
pub(crate) const KIND: &str = "service";

/// What is said of a service; a missing part is empty.
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
    /// The service whose resource this is; its names are columns of their own.
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

    pub(crate) fn uid(&self) -> String {
        uid::service(self.environment, self.namespace, self.name)
    }

    /// The value of its fact `telemetry`: what is not empty. Nothing that differs between the
    /// instances of a service belongs here, since each value is a fact of its own.
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

    /// Whether more than its name is known, which only its own telemetry tells.
    pub(crate) fn has_details(&self) -> bool {
        !self.version.is_empty() || !self.language.is_empty()
    }
}
