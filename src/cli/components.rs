//! `airdig components`: a table of all components.

use pipeline::SignalSet;
use pipeline::registry::{ComponentClass, Factory, Registry};

use super::plain_table;

/// Renders the table: one line per component.
pub(super) fn table(registry: &Registry) -> String {
    let factories = ComponentClass::ALL
        .into_iter()
        .flat_map(|class| registry.of_class(class));
    let header = [
        "class",
        "type",
        "stability",
        "accepts",
        "produces",
        "idempotent",
        "summary",
    ];
    plain_table(Some(header), factories.map(row))
}

fn row(factory: &Factory) -> [String; 7] {
    let mut kind = factory.kind.to_owned();
    for alias in factory.aliases {
        kind += &format!(" ({alias})");
    }
    [
        factory.class.singular().to_owned(),
        kind,
        factory.stability.to_string(),
        signals(factory.signals.accepts),
        signals(factory.signals.produces),
        match factory.idempotent {
            None => "-",
            Some(true) => "yes",
            Some(false) => "no",
        }
        .to_owned(),
        factory.summary.to_owned(),
    ]
}

fn signals(set: SignalSet) -> String {
    if set.is_empty() {
        return "-".to_owned();
    }
    if set == SignalSet::ALL {
        return "all".to_owned();
    }
    set.to_string()
}
