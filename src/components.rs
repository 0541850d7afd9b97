//! Registers every component of this binary, one line each. No other file lists all components.

use pipeline::registry::{ComponentClass, Registry};

/// Why the receiver `aws` and the command `scan` are missing.
#[cfg(not(feature = "aws"))]
pub(crate) const NO_AWS: &str = "this airdig was built without the AWS SDK (as `make run` does); \
    build it with `cargo build --profile quick --locked`";

/// The hint for a configuration of the Collector that has a `memory_limiter`.
const NO_MEMORY_LIMITER: &str = "remove it: every queue is already bounded in bytes";

/// The registry of all components.
pub(crate) fn registry() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "aws")]
    let registry = registry.receiver::<receivers::aws::Aws>();
    #[cfg(not(feature = "aws"))]
    let registry = registry.without(ComponentClass::Receiver, "aws", NO_AWS);
    registry
        .without(
            ComponentClass::Processor,
            "memory_limiter",
            NO_MEMORY_LIMITER,
        )
        .receiver::<receivers::demo::Demo>()
        .receiver::<receivers::otlp::Otlp>()
        .processor::<processors::attributes::Attributes>()
        .processor::<processors::batch::BatchProcessor>()
        .processor::<processors::graph::Graph>()
        .processor::<processors::identity::Identity>()
        .processor::<processors::impact::Impact>()
        .processor::<processors::resource::Resource>()
        .processor::<processors::service_graph::ServiceGraph>()
        .processor::<processors::sql::Sql>()
        .connector::<processors::forward::Forward>()
        .connector::<processors::service_graph::ServiceGraph>()
        .exporter::<exporters::debug::Debug>()
        .exporter::<exporters::file::File>()
        .exporter::<exporters::otlp::Otlp>()
        .exporter::<exporters::otlp_http::OtlpHttp>()
        .exporter::<exporters::sqlite::Sqlite>()
        .exporter::<exporters::graphql::Graphql>()
}

#[cfg(test)]
mod tests {
    use super::ComponentClass;

    #[test]
    fn no_type_is_registered_twice() {
        let registry = super::registry();
        for class in ComponentClass::ALL {
            let mut names: Vec<&str> = registry
                .of_class(class)
                .flat_map(|factory| factory.aliases.iter().copied().chain([factory.kind]))
                .collect();
            let registered = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), registered, "{}", class.section());
        }
    }
}
