//! Finds the rows that match `include` or `exclude`.

use arrow_array::StringViewArray;
use arrow_array::types::Int32Type;
use pipeline::attributes::{Map, Value, to_text, value};
use pipeline::batch::cells::{bytes, text};
use pipeline::schema::otlp_context::{
    RESOURCE_ATTRIBUTES, SCOPE_NAME, SCOPE_VERSION, SERVICE_NAME,
};
use pipeline::schema::{logs, metrics, traces};
use pipeline::{Batch, Signal};

mod config;

pub(super) use config::RowCondition;

use config::{AttributeMatcher, ScopeMatcher, SeverityRange, TextMatcher, ValueMatcher};

/// The names of span kinds. The index is the number of the kind in OTLP.
const SPAN_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

impl RowCondition {
    /// Whether each row of a batch of telemetry matches.
    pub(super) fn matches(&self, batch: &Batch) -> Vec<bool> {
        let mut rows = MatchingRows {
            batch,
            matching: vec![true; batch.num_rows()],
        };
        if let Some(services) = &self.services {
            rows.keep_text(batch.text(SERVICE_NAME), services);
        }
        if let Some(names) = &self.span_names {
            rows.keep_if_signal(Signal::Traces, |rows| {
                rows.keep_text(batch.text(traces::NAME), names);
            });
        }
        if let Some(kinds) = &self.span_kinds {
            rows.keep_if_signal(Signal::Traces, |rows| rows.keep_kinds(kinds));
        }
        if let Some(bodies) = &self.log_bodies {
            rows.keep_if_signal(Signal::Logs, |rows| rows.keep_bodies(bodies));
        }
        if let Some(texts) = &self.log_severity_texts {
            rows.keep_if_signal(Signal::Logs, |rows| {
                rows.keep_text(batch.text(logs::SEVERITY_TEXT), texts);
            });
        }
        if let Some(severity) = &self.log_severity_number {
            rows.keep_if_signal(Signal::Logs, |rows| rows.keep_severities(severity));
        }
        if let Some(names) = &self.metric_names {
            rows.keep_if_signal(Signal::Metrics, |rows| {
                rows.keep_text(batch.text(metrics::NAME), names);
            });
        }
        let column = match batch.signal() {
            Signal::Traces => traces::ATTRIBUTES,
            Signal::Metrics => metrics::ATTRIBUTES,
            _ => logs::ATTRIBUTES,
        };
        rows.keep_attributes(column, &self.attributes);
        rows.keep_attributes(RESOURCE_ATTRIBUTES, &self.resources);
        rows.keep_libraries(&self.libraries);
        rows.matching
    }
}

/// The rows that match all properties checked up to now.
struct MatchingRows<'a> {
    batch: &'a Batch,
    matching: Vec<bool>,
}

impl MatchingRows<'_> {
    /// Keeps the matching rows for which `matches` returns true.
    fn keep(&mut self, mut matches: impl FnMut(usize) -> bool) {
        for (row, matching) in self.matching.iter_mut().enumerate() {
            *matching = *matching && matches(row);
        }
    }

    /// Applies `keep` if the batch has this signal. Otherwise no row matches.
    fn keep_if_signal(&mut self, signal: Signal, keep: impl FnOnce(&mut Self)) {
        if self.batch.signal() == signal {
            keep(self);
        } else {
            self.matching.fill(false);
        }
    }

    fn keep_text(&mut self, column: &StringViewArray, texts: &TextMatcher) {
        self.keep(|row| texts.matches(text(column, row).unwrap_or_default()));
    }

    fn keep_kinds(&mut self, kinds: &TextMatcher) {
        let column = self.batch.numbers::<Int32Type>(traces::KIND);
        let matching = SPAN_KINDS.map(|kind| kinds.matches(kind));
        self.keep(|row| {
            let kind = usize::try_from(column.value(row));
            kind.is_ok_and(|kind| matching.get(kind) == Some(&true))
        });
    }

    /// Keeps log records whose body is a matching text.
    fn keep_bodies(&mut self, bodies: &TextMatcher) {
        let column = self.batch.bytes(logs::BODY);
        self.keep(|row| match value(bytes(column, row).unwrap_or_default()) {
            Value::Text(text) => bodies.matches(text),
            _ => false,
        });
    }

    fn keep_severities(&mut self, severity: &SeverityRange) {
        let column = self.batch.numbers::<Int32Type>(logs::SEVERITY_NUMBER);
        self.keep(|row| match column.value(row) {
            0 => severity.match_undefined,
            number => number >= severity.min,
        });
    }

    fn keep_attributes(&mut self, column: &str, attributes: &[AttributeMatcher]) {
        if attributes.is_empty() {
            return;
        }
        let column = self.batch.bytes(column);
        self.keep(|row| {
            let map = Map::new(bytes(column, row).unwrap_or_default());
            attributes.iter().all(|attribute| attribute.matches(map))
        });
    }

    fn keep_libraries(&mut self, libraries: &[ScopeMatcher]) {
        if libraries.is_empty() {
            return;
        }
        let names = self.batch.text(SCOPE_NAME);
        let versions = self.batch.text(SCOPE_VERSION);
        self.keep(|row| {
            let name = text(names, row).unwrap_or_default();
            let version = text(versions, row).unwrap_or_default();
            libraries.iter().any(|library| {
                let versions = library.version.as_ref();
                library.name.matches(name)
                    && versions.is_none_or(|versions| versions.matches(version))
            })
        });
    }
}

impl AttributeMatcher {
    /// Whether the attributes have the key with a matching value.
    fn matches(&self, map: Map<'_>) -> bool {
        let Some(actual) = map.get(&self.key) else {
            return false;
        };
        match &self.value {
            None => true,
            Some(ValueMatcher::Equal(expected)) => actual == value(expected),
            Some(ValueMatcher::Pattern(pattern)) => pattern.is_match(&to_text(actual)),
        }
    }
}
