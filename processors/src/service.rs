//! A service as its telemetry describes it. All processors that emit it use this uid and this fact.

use pipeline::attributes::{Map, MapBuilder};
use pipeline::uid;

/// The `kind` of a service's node.
pub(crate) const KIND: &str = "service";

/// The attributes of a service; missing ones are empty.
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
    /// The service with this resource; namespace and name come from their columns.
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

    /// The value of its fact `telemetry`: the attributes that are not empty. It must not have attributes that
    /// differ between the instances of a service, since the fact would change with each instance.
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

    /// Whether version or language are known, which only the telemetry of the service itself has.
    pub(crate) fn has_details(&self) -> bool {
        !self.version.is_empty() || !self.language.is_empty()
    }
}
