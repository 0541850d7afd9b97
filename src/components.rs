//! Every component of this binary: one line each, and the only file that names them.

use pipeline::registry::{Class, Registry};

pub(crate) fn registry() -> Registry {
    let registry = Registry::new();
    #[cfg(feature = "aws")]
    let registry = registry.receiver::<receivers::aws::Aws>();
    #[cfg(not(feature = "aws"))]
    let registry = registry.without(Class::Receiver, "aws", crate::cli::NO_AWS);
    let bounded = "leave it out, every queue is bounded in bytes";
    registry
        .without(Class::Processor, "memory_limiter", bounded)
        .receiver::<receivers::demo::Demo>()
        .receiver::<receivers::otlp::Otlp>()
        .processor::<processors::attributes::Attributes>()
        .processor::<processors::batch::Batch>()
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
    use super::Class;

    #[test]
    fn no_type_is_registered_twice() {
        let registry = super::registry();
        for class in Class::ALL {
            let mut names: Vec<&str> = registry
                .of(class)
                .flat_map(|factory| factory.aliases.iter().copied().chain([factory.kind]))
                .collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{}", class.section());
        }
    }
}
