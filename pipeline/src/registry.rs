//! The component types of a binary, and how each is built. The list is explicit: `components.rs` of the root
//! package names every type once.

use std::fmt;

use schemars::JsonSchema;
use schemars::Schema;
use serde::de::DeserializeOwned;

use crate::SignalSet;
use crate::component::{BuildError, Exporter, Extension, Host, Processor, Receiver};
use crate::config::{DecodeError, Node, Problem};
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

/// The metadata of a component type.
pub trait Described {
    /// The type in `type[/name]`.
    const TYPE: &'static str;
    /// Older spellings of the type.
    const ALIASES: &'static [&'static str] = &[];
    const STABILITY: Stability;
    /// One line for `airdig components`.
    const SUMMARY: &'static str;
    /// The configuration: `#[serde(deny_unknown_fields, default)]`. Checks beyond types belong into
    /// `TryFrom`, so that a parsed configuration is valid.
    type Config: DeserializeOwned + JsonSchema;

    /// Further problems of a configuration, with places inside of its scalars: for a language within the
    /// YAML, such as SQL. `node` is the configuration in the file.
    fn problems(_config: &Self::Config, _node: &Node) -> Vec<Problem> {
        Vec::new()
    }

    /// Hints about a configuration that are not errors.
    fn notes(_config: &Self::Config) -> Vec<String> {
        Vec::new()
    }

    /// How the component will work, for `airdig validate --explain`.
    fn explain(_config: &Self::Config) -> Option<String> {
        None
    }
}

/// The signals that a component accepts and produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// The signals that it uses.
    pub accepts: SignalSet,
    /// The signals that it can add.
    pub produces: SignalSet,
    /// The signals that it does not pass on.
    pub absorbs: SignalSet,
}

impl Signals {
    /// The signals that leave the component if these arrive: those that it does not absorb, and what it
    /// produces if an accepted signal arrives.
    pub fn after(&self, arrives: SignalSet) -> SignalSet {
        let passes = arrives.without(self.absorbs);
        if self.accepts.is_empty() || !self.accepts.intersection(arrives).is_empty() {
            return passes.union(self.produces);
        }
        passes
    }
}

pub trait BuildReceiver: Described + Receiver + Sized + 'static {
    const PRODUCES: SignalSet;
    /// # Errors
    /// When the component cannot be made of a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

pub trait BuildProcessor: Described + Processor + Sized + 'static {
    /// The signals that it uses; it passes on all others.
    const ACCEPTS: SignalSet;
    /// The signals that it can add.
    const PRODUCES: SignalSet;

    /// The signals with this configuration: subsets of the two constants.
    fn signals(_config: &Self::Config) -> Signals {
        Signals {
            accepts: Self::ACCEPTS,
            produces: Self::PRODUCES,
            absorbs: SignalSet::NONE,
        }
    }

    /// # Errors
    /// When the component cannot be made of a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

/// A processor that may also connect pipelines: as exporter of one and receiver of others.
pub trait BuildConnector: BuildProcessor {
    /// Whether it passes on the batches that it gets, and not only those that it makes.
    const PASSES: bool = false;
}

pub trait BuildExporter: Described + Exporter + Sized + 'static {
    const ACCEPTS: SignalSet;

    /// Whether exporting a batch twice has the same effect as exporting it once. The engine retries an export
    /// that was not acknowledged, although the destination may have taken it.
    const IDEMPOTENT: bool;

    /// Whether it is a graph store, which it registers with [`Host::provide_graph_store`].
    const KEEPS_GRAPH: bool = false;

    /// # Errors
    /// When the component cannot be made of a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

pub trait BuildExtension: Described + Extension + Sized + 'static {
    /// # Errors
    /// When the component cannot be made of a valid configuration.
    fn build(config: Self::Config, host: &Host) -> Result<Self, BuildError>;
}

/// The class of a component: the section of the configuration in which it is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Receiver,
    Processor,
    Exporter,
    Connector,
    Extension,
}

impl Class {
    pub const ALL: [Class; 5] = [
        Class::Receiver,
        Class::Processor,
        Class::Exporter,
        Class::Connector,
        Class::Extension,
    ];

    /// The section's key.
    pub fn section(self) -> &'static str {
        match self {
            Class::Receiver => "receivers",
            Class::Processor => "processors",
            Class::Exporter => "exporters",
            Class::Connector => "connectors",
            Class::Extension => "extensions",
        }
    }

    pub fn singular(self) -> &'static str {
        self.section().trim_end_matches('s')
    }
}

/// One component type, its Rust type erased.
#[derive(Debug)]
pub struct Factory {
    pub class: Class,
    pub kind: &'static str,
    pub aliases: &'static [&'static str],
    pub stability: Stability,
    pub summary: &'static str,
    /// The signals of all configurations together.
    pub signals: Signals,
    /// Of exporters: [`BuildExporter::KEEPS_GRAPH`].
    pub(crate) keeps_graph: bool,
    /// Of exporters: [`BuildExporter::IDEMPOTENT`].
    pub idempotent: Option<bool>,
    /// JSON Schema of its configuration, without the settings that every exporter has.
    pub schema: Schema,
    pub(crate) build: Build,
    pub(crate) check: fn(&Node) -> Result<Checked, DecodeError>,
    explain: fn(&Node) -> Option<String>,
}

/// The result of checking a configuration whose types are right.
pub(crate) struct Checked {
    /// None where they do not depend on the configuration.
    pub(crate) signals: Option<Signals>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<String>,
}

impl Factory {
    /// # Errors
    /// When the configuration is not valid, the component cannot be made of it, or this is no
    /// receiver.
    pub fn build_receiver(
        &self,
        config: &Node,
        host: &Host,
    ) -> Result<Box<dyn Receiver>, FactoryError> {
        match &self.build {
            Build::Receiver(build) => build(config, host),
            _ => Err(self.wrong_class(Class::Receiver)),
        }
    }

    /// Builds a processor or a connector.
    ///
    /// # Errors
    /// When the configuration is not valid, the component cannot be made of it, or this is no
    /// processor.
    pub fn build_processor(
        &self,
        config: &Node,
        host: &Host,
    ) -> Result<Box<dyn Processor>, FactoryError> {
        match &self.build {
            Build::Processor(build) => build(config, host),
            _ => Err(self.wrong_class(Class::Processor)),
        }
    }

    /// # Errors
    /// When the configuration is not valid, the component cannot be made of it, or this is no
    /// exporter.
    pub fn build_exporter(
        &self,
        config: &Node,
        host: &Host,
    ) -> Result<Box<dyn Exporter>, FactoryError> {
        match &self.build {
            Build::Exporter(build) => build(config, host),
            _ => Err(self.wrong_class(Class::Exporter)),
        }
    }

    /// # Errors
    /// When the configuration is not valid, the component cannot be made of it, or this is no
    /// extension.
    pub fn build_extension(
        &self,
        config: &Node,
        host: &Host,
    ) -> Result<Box<dyn Extension>, FactoryError> {
        match &self.build {
            Build::Extension(build) => build(config, host),
            _ => Err(self.wrong_class(Class::Extension)),
        }
    }

    /// How a component with this configuration will work, if the type explains it.
    pub fn explain(&self, config: &Node) -> Option<String> {
        (self.explain)(config)
    }

    fn wrong_class(&self, wanted: Class) -> FactoryError {
        let reason = format!(
            "{} {} is no {}",
            self.class.singular(),
            self.kind,
            wanted.singular()
        );
        BuildError::new(reason).into()
    }
}

type BuildFn<C> = fn(&Node, &Host) -> Result<C, FactoryError>;

#[derive(Debug)]
pub(crate) enum Build {
    Receiver(BuildFn<Box<dyn Receiver>>),
    /// A processor or a connector.
    Processor(BuildFn<Box<dyn Processor>>),
    Exporter(BuildFn<Box<dyn Exporter>>),
    Extension(BuildFn<Box<dyn Extension>>),
}

#[derive(Debug, thiserror::Error)]
pub enum FactoryError {
    #[error(transparent)]
    Config(#[from] DecodeError),
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// All component types of a binary.
#[derive(Debug, Default)]
pub struct Registry {
    factories: Vec<Factory>,
    /// Types of the Collector that this binary does not have, and what to do instead.
    missing: Vec<(Class, &'static str, &'static str)>,
}

impl Registry {
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Declares that a type which people may look for is not in this binary; `why` says what they can do.
    #[must_use]
    pub fn without(mut self, class: Class, kind: &'static str, why: &'static str) -> Registry {
        self.missing.push((class, kind, why));
        self
    }

    /// Why a type is not in this binary, where that is known.
    pub fn why_not(&self, class: Class, kind: &str) -> Option<&'static str> {
        let mut missing = self.missing.iter();
        let entry = missing.find(|(of, name, _)| (*of, *name) == (class, kind));
        entry.map(|(.., why)| *why)
    }

    #[must_use]
    pub fn receiver<C: BuildReceiver>(self) -> Registry {
        let build = Build::Receiver(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        self.with::<C>(Class::Receiver, SignalSet::NONE, C::PRODUCES, build)
    }

    #[must_use]
    pub fn processor<C: BuildProcessor>(self) -> Registry {
        let build = Build::Processor(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        let mut registry = self.with::<C>(Class::Processor, C::ACCEPTS, C::PRODUCES, build);
        if let Some(factory) = registry.factories.last_mut() {
            factory.check = |node| {
                let config = node.decode::<C::Config>()?;
                Ok(Checked {
                    signals: Some(C::signals(&config)),
                    problems: C::problems(&config, node),
                    notes: C::notes(&config),
                })
            };
        }
        registry
    }

    /// A processor that may connect pipelines.
    #[must_use]
    pub fn connector<C: BuildConnector>(self) -> Registry {
        let build = Build::Processor(|node, host| {
            let processor = C::build(node.decode()?, host)?;
            if C::PASSES {
                return Ok(Box::new(processor));
            }
            Ok(Box::new(ConnectorProcessor::new(processor, C::PRODUCES)))
        });
        let mut registry = self.with::<C>(Class::Connector, C::ACCEPTS, C::PRODUCES, build);
        if let Some(factory) = registry.factories.last_mut()
            && !C::PASSES
        {
            factory.signals.absorbs = SignalSet::ALL;
        }
        registry
    }

    #[must_use]
    pub fn exporter<C: BuildExporter>(self) -> Registry {
        let build = Build::Exporter(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        let mut registry = self.with::<C>(Class::Exporter, C::ACCEPTS, SignalSet::NONE, build);
        if let Some(factory) = registry.factories.last_mut() {
            factory.keeps_graph = C::KEEPS_GRAPH;
            factory.idempotent = Some(C::IDEMPOTENT);
        }
        registry
    }

    #[must_use]
    pub fn extension<C: BuildExtension>(self) -> Registry {
        let build = Build::Extension(|node, host| Ok(Box::new(C::build(node.decode()?, host)?)));
        self.with::<C>(Class::Extension, SignalSet::NONE, SignalSet::NONE, build)
    }

    fn with<C: Described>(
        mut self,
        class: Class,
        accepts: SignalSet,
        produces: SignalSet,
        build: Build,
    ) -> Registry {
        self.factories.push(Factory {
            class,
            kind: C::TYPE,
            aliases: C::ALIASES,
            stability: C::STABILITY,
            summary: C::SUMMARY,
            signals: Signals {
                accepts,
                produces,
                absorbs: SignalSet::NONE,
            },
            schema: schemars::schema_for!(C::Config),
            keeps_graph: false,
            idempotent: None,
            build,
            check: |node| {
                let config = node.decode::<C::Config>()?;
                Ok(Checked {
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
    pub fn find(&self, class: Class, kind: &str) -> Option<&Factory> {
        self.of(class)
            .find(|factory| factory.kind == kind || factory.aliases.contains(&kind))
    }

    /// All types of a class, in the order of the list.
    pub fn of(&self, class: Class) -> impl Iterator<Item = &Factory> {
        self.factories
            .iter()
            .filter(move |factory| factory.class == class)
    }
}
