//! The component types of a binary, and how each is built. The list is explicit: only `src/components.rs` names all
//! types.

use std::fmt;

use schemars::JsonSchema;
use schemars::Schema;
use serde::de::DeserializeOwned;

use crate::SignalSet;
use crate::component::{BuildError, Exporter, Extension, Host, Processor, Receiver};
use crate::config::{Problem, YamlDecodeError, YamlNode};
use crate::connector::ConnectorProcessor;

/// The stability level of a component, as the Collector defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    Development,
    Alpha,
    Beta,
    Stable,
}

impl fmt::Display for Stability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Stability::Development => "development",
            Stability::Alpha => "alpha",
            Stability::Beta => "beta",
            Stability::Stable => "stable",
        })
    }
}

/// The metadata of a component type: its name, configuration and description.
pub trait ComponentMeta {
    /// The type in `type[/name]`.
    const TYPE: &'static str;
    /// Other names of the type, such as earlier ones.
    const ALIASES: &'static [&'static str] = &[];
    const STABILITY: Stability;
    /// A description in one line, for `airdig components`.
    const SUMMARY: &'static str;
    /// The configuration, with `#[serde(deny_unknown_fields, default)]`. Checks beyond types belong into `TryFrom`,
    /// so that a parsed configuration is valid.
    type Config: DeserializeOwned + JsonSchema;

    /// Checks the texts of a configuration that are in a language of their own, such as SQL. Each problem has its
    /// position inside of the YAML scalar. `node` is the configuration in the file.
    fn problems(_config: &Self::Config, _node: &YamlNode) -> Vec<Problem> {
        Vec::new()
    }

    /// Warnings about a valid configuration.
    fn notes(_config: &Self::Config) -> Vec<String> {
        Vec::new()
    }

    /// Explains what the component does with this configuration, for `airdig validate --explain`.
    fn explain(_config: &Self::Config) -> Option<String> {
        None
    }
}

/// The signals that a component accepts and produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentSignals {
    /// The signals that it processes.
    pub accepts: SignalSet,
    /// The signals that it can add.
    pub produces: SignalSet,
    /// The signals that it does not pass on.
    pub absorbs: SignalSet,
}

impl ComponentSignals {
    /// The signals that leave the component if the signals `arriving` enter it: those of `arriving` that it does not
    /// absorb, and those that it produces. It produces signals if an accepted signal arrives, or if it accepts none.
    pub fn leaving(&self, arriving: SignalSet) -> SignalSet {
        let passes = arriving.without(self.absorbs);
        if self.accepts.is_empty() || !self.accepts.intersection(arriving).is_empty() {
            return passes.union(self.produces);
        }
        passes
    }
}

/// A receiver type that can be built from its configuration.
pub trait BuildReceiver: ComponentMeta + Receiver + Sized + 'static {
    const PRODUCES: SignalSet;

    /// Builds the component. It opens no file or socket yet.
    ///
    /// # Errors
    /// When the component cannot be built from a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

/// A processor type that can be built from its configuration.
pub trait BuildProcessor: ComponentMeta + Processor + Sized + 'static {
    /// The signals that it processes. It passes on all other signals unchanged.
    const ACCEPTS: SignalSet;
    /// The signals that it can add.
    const PRODUCES: SignalSet;

    /// The signals that it accepts, produces and absorbs with this configuration. The accepted and the produced signals
    /// are subsets of the two constants.
    fn signals(_config: &Self::Config) -> ComponentSignals {
        ComponentSignals {
            accepts: Self::ACCEPTS,
            produces: Self::PRODUCES,
            absorbs: SignalSet::NONE,
        }
    }

    /// Builds the component. It opens no file or socket yet.
    ///
    /// # Errors
    /// When the component cannot be built from a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

/// A processor type that may also connect pipelines, as an exporter of some pipelines and a receiver of others.
pub trait BuildConnector: BuildProcessor {
    /// Whether it passes on its input batches. Otherwise its output is only the batches that it produces.
    const PASSES_INPUT: bool = false;
}

/// An exporter type that can be built from its configuration.
pub trait BuildExporter: ComponentMeta + Exporter + Sized + 'static {
    const ACCEPTS: SignalSet;

    /// Whether exporting a batch twice has the same effect as exporting it once. The engine retries an export
    /// that was not acknowledged, although the destination may have accepted it.
    const IDEMPOTENT: bool;

    /// Whether it contains a graph store. It then registers the store with [`Host::provide_graph_store`].
    const IS_GRAPH_STORE: bool = false;

    /// Builds the component. It opens no file or socket yet.
    ///
    /// # Errors
    /// When the component cannot be built from a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

/// An extension type that can be built from its configuration.
pub trait BuildExtension: ComponentMeta + Extension + Sized + 'static {
    /// Builds the component. It opens no file or socket yet.
    ///
    /// # Errors
    /// When the component cannot be built from a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

/// The class of a component: the section of the configuration in which it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComponentClass {
    Receiver,
    Processor,
    Exporter,
    Connector,
    Extension,
}

impl ComponentClass {
    /// All classes.
    pub const ALL: [ComponentClass; 5] = [
        ComponentClass::Receiver,
        ComponentClass::Processor,
        ComponentClass::Exporter,
        ComponentClass::Connector,
        ComponentClass::Extension,
    ];

    /// The key of the section in the configuration: `receivers`.
    pub fn section(self) -> &'static str {
        match self {
            ComponentClass::Receiver => "receivers",
            ComponentClass::Processor => "processors",
            ComponentClass::Exporter => "exporters",
            ComponentClass::Connector => "connectors",
            ComponentClass::Extension => "extensions",
        }
    }

    /// The name in messages: `receiver`.
    pub fn singular(self) -> &'static str {
        self.section().trim_end_matches('s')
    }
}

/// One component type, without its Rust type.
#[derive(Debug)]
pub struct Factory {
    pub class: ComponentClass,
    pub kind: &'static str,
    pub aliases: &'static [&'static str],
    pub stability: Stability,
    pub summary: &'static str,
    /// The signals that it accepts and produces with any configuration.
    pub signals: ComponentSignals,
    /// [`BuildExporter::IS_GRAPH_STORE`]; false for other classes.
    pub(crate) is_graph_store: bool,
    /// [`BuildExporter::IDEMPOTENT`]; `None` for other classes.
    pub idempotent: Option<bool>,
    /// JSON Schema of its configuration, without the settings that all exporters share.
    pub schema: Schema,
    pub(crate) builder: Builder,
    pub(crate) check: fn(&YamlNode) -> Result<ConfigCheck, YamlDecodeError>,
    explain: fn(&YamlNode) -> Option<String>,
}

/// The result of checking a configuration that has the types of its schema.
pub(crate) struct ConfigCheck {
    /// The signals with this configuration; `None` if they do not depend on it.
    pub(crate) signals: Option<ComponentSignals>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<String>,
}

impl Factory {
    /// Builds a receiver.
    ///
    /// # Errors
    /// When the configuration is not valid, the component cannot be built from it, or the type is not a receiver.
    pub fn build_receiver(
        &self,
        config: &YamlNode,
        host: &Host,
    ) -> Result<Box<dyn Receiver>, FactoryError> {
        match &self.builder {
            Builder::Receiver(build) => build(config, host),
            _ => Err(self.wrong_class(ComponentClass::Receiver)),
        }
    }

    /// Builds a processor or a connector.
    ///
    /// # Errors
    /// When the configuration is not valid, the component cannot be built from it, or the type is not a processor.
    pub fn build_processor(
        &self,
        config: &YamlNode,
        host: &Host,
    ) -> Result<Box<dyn Processor>, FactoryError> {
        match &self.builder {
            Builder::Processor(build) => build(config, host),
            _ => Err(self.wrong_class(ComponentClass::Processor)),
        }
    }

    /// Builds an exporter.
    ///
    /// # Errors
    /// When the configuration is not valid, the component cannot be built from it, or the type is not an exporter.
    pub fn build_exporter(
        &self,
        config: &YamlNode,
        host: &Host,
    ) -> Result<Box<dyn Exporter>, FactoryError> {
        match &self.builder {
            Builder::Exporter(build) => build(config, host),
            _ => Err(self.wrong_class(ComponentClass::Exporter)),
        }
    }

    /// Builds an extension.
    ///
    /// # Errors
    /// When the configuration is not valid, the component cannot be built from it, or the type is not an extension.
    pub fn build_extension(
        &self,
        config: &YamlNode,
        host: &Host,
    ) -> Result<Box<dyn Extension>, FactoryError> {
        match &self.builder {
            Builder::Extension(build) => build(config, host),
            _ => Err(self.wrong_class(ComponentClass::Extension)),
        }
    }

    /// Explains what a component with this configuration does; `None` if the type has no explanation.
    pub fn explain(&self, config: &YamlNode) -> Option<String> {
        (self.explain)(config)
    }

    fn wrong_class(&self, expected: ComponentClass) -> FactoryError {
        let reason = format!(
            "{} {} is not {} {}",
            self.class.singular(),
            self.kind,
            if matches!(
                expected,
                ComponentClass::Exporter | ComponentClass::Extension
            ) {
                "an"
            } else {
                "a"
            },
            expected.singular()
        );
        BuildError::new(reason).into()
    }
}

type BuildFn<C> = fn(&YamlNode, &Host) -> Result<C, FactoryError>;

/// Builds a component of one class.
#[derive(Debug)]
pub(crate) enum Builder {
    Receiver(BuildFn<Box<dyn Receiver>>),
    /// A processor or a connector.
    Processor(BuildFn<Box<dyn Processor>>),
    Exporter(BuildFn<Box<dyn Exporter>>),
    Extension(BuildFn<Box<dyn Extension>>),
}

/// A component could not be built.
#[derive(Debug, thiserror::Error)]
pub enum FactoryError {
    #[error(transparent)]
    Config(#[from] YamlDecodeError),
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// All component types of a binary.
#[derive(Debug, Default)]
pub struct Registry {
    factories: Vec<Factory>,
    /// Types that this binary does not have: class, name and the advice for users.
    missing: Vec<(ComponentClass, &'static str, &'static str)>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Declares that this binary lacks a type that users may expect, such as one of the Collector. `advice` says
    /// what they can do instead.
    #[must_use]
    pub fn without(
        mut self,
        class: ComponentClass,
        kind: &'static str,
        advice: &'static str,
    ) -> Registry {
        self.missing.push((class, kind, advice));
        self
    }

    /// The advice for users of a type that this binary lacks, if [`Registry::without`] declared it.
    pub fn advice_for_missing(&self, class: ComponentClass, kind: &str) -> Option<&'static str> {
        let mut missing = self.missing.iter();
        let is_same = |entry: &&(ComponentClass, &str, &str)| (entry.0, entry.1) == (class, kind);
        let entry = missing.find(is_same);
        entry.map(|(.., advice)| *advice)
    }

    /// Adds a receiver type.
    #[must_use]
    pub fn receiver<C: BuildReceiver>(self) -> Registry {
        let builder = Builder::Receiver(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        self.add::<C>(
            ComponentClass::Receiver,
            SignalSet::NONE,
            C::PRODUCES,
            builder,
        )
    }

    /// Adds a processor type.
    #[must_use]
    pub fn processor<C: BuildProcessor>(self) -> Registry {
        let builder =
            Builder::Processor(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        let mut registry =
            self.add::<C>(ComponentClass::Processor, C::ACCEPTS, C::PRODUCES, builder);
        if let Some(factory) = registry.factories.last_mut() {
            factory.check = |node| {
                let config = node.decode::<C::Config>()?;
                Ok(ConfigCheck {
                    signals: Some(C::signals(&config)),
                    problems: C::problems(&config, node),
                    notes: C::notes(&config),
                })
            };
        }
        registry
    }

    /// Adds a connector type: a processor that may connect pipelines.
    #[must_use]
    pub fn connector<C: BuildConnector>(self) -> Registry {
        let builder = Builder::Processor(|node, host| {
            let processor = C::build(node.decode()?, host)?;
            if C::PASSES_INPUT {
                return Ok(Box::new(processor));
            }
            Ok(Box::new(ConnectorProcessor::new(processor, C::PRODUCES)))
        });
        let mut registry =
            self.add::<C>(ComponentClass::Connector, C::ACCEPTS, C::PRODUCES, builder);
        if let Some(factory) = registry.factories.last_mut()
            && !C::PASSES_INPUT
        {
            factory.signals.absorbs = SignalSet::ALL;
        }
        registry
    }

    /// Adds an exporter type.
    #[must_use]
    pub fn exporter<C: BuildExporter>(self) -> Registry {
        let builder = Builder::Exporter(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        let mut registry = self.add::<C>(
            ComponentClass::Exporter,
            C::ACCEPTS,
            SignalSet::NONE,
            builder,
        );
        if let Some(factory) = registry.factories.last_mut() {
            factory.is_graph_store = C::IS_GRAPH_STORE;
            factory.idempotent = Some(C::IDEMPOTENT);
        }
        registry
    }

    /// Adds an extension type.
    #[must_use]
    pub fn extension<C: BuildExtension>(self) -> Registry {
        let builder =
            Builder::Extension(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        self.add::<C>(
            ComponentClass::Extension,
            SignalSet::NONE,
            SignalSet::NONE,
            builder,
        )
    }

    fn add<C: ComponentMeta>(
        mut self,
        class: ComponentClass,
        accepts: SignalSet,
        produces: SignalSet,
        builder: Builder,
    ) -> Registry {
        self.factories.push(Factory {
            class,
            kind: C::TYPE,
            aliases: C::ALIASES,
            stability: C::STABILITY,
            summary: C::SUMMARY,
            signals: ComponentSignals {
                accepts,
                produces,
                absorbs: SignalSet::NONE,
            },
            schema: schemars::schema_for!(C::Config),
            is_graph_store: false,
            idempotent: None,
            builder,
            check: |node| {
                let config = node.decode::<C::Config>()?;
                Ok(ConfigCheck {
                    signals: None,
                    problems: C::problems(&config, node),
                    notes: C::notes(&config),
                })
            },
            explain: |node| C::explain(&node.decode::<C::Config>().ok()?),
        });
        self
    }

    /// The type with this name or alias.
    pub fn find(&self, class: ComponentClass, kind: &str) -> Option<&Factory> {
        self.of_class(class)
            .find(|factory| factory.kind == kind || factory.aliases.contains(&kind))
    }

    /// All types of a class, in the order in which they were added.
    pub fn of_class(&self, class: ComponentClass) -> impl Iterator<Item = &Factory> {
        self.factories
            .iter()
            .filter(move |factory| factory.class == class)
    }
}
