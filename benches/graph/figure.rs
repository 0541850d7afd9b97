//! One figure: its values and its table cells.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A read that takes longer is cancelled.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
const FAILED: &str = "failed";

/// A measured value; for every figure less is better.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    /// `warm` or `cold`; empty if the figure is not a read.
    pub(crate) cache: String,
    unit: String,
    pub(crate) p50: f64,
    /// None for a single value.
    p99: Option<f64>,
    samples: usize,
    /// Items in the median result, or the number of items that the figure covers.
    pub(crate) items: usize,
    /// Why there are no times; otherwise empty.
    failure: String,
}

impl Figure {
    pub(crate) fn one(name: impl Into<String>, unit: &str, value: f64) -> Figure {
        Figure {
            name: name.into(),
            unit: unit.to_owned(),
            p50: rounded(value),
            samples: 1,
            ..Figure::default()
        }
    }

    pub(crate) fn of_samples(name: impl Into<String>, unit: &str, samples: &[f64]) -> Figure {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |share: f64| (sorted.len() as f64 * share).ceil() as usize;
        let at = |share| sorted.get(rank(share).saturating_sub(1)).copied();
        Figure {
            p99: at(0.99).map(rounded),
            samples: samples.len(),
            ..Figure::one(name, unit, at(0.5).unwrap_or_default())
        }
    }

    /// A read that was cancelled at the limit; `value` is the limit in the unit of the figure.
    pub(crate) fn too_slow(
        name: impl Into<String>,
        unit: &str,
        value: f64,
        limit: Duration,
    ) -> Figure {
        Figure {
            failure: format!("> {} s", limit.as_secs()),
            ..Figure::of_samples(name, unit, &[value])
        }
    }

    pub(crate) fn failed(name: impl Into<String>) -> Figure {
        Figure {
            failure: FAILED.to_owned(),
            ..Figure::one(name, "ms", 0.0)
        }
    }

    pub(crate) fn cached(self, cache: &str) -> Figure {
        let cache = cache.to_owned();
        Figure { cache, ..self }
    }

    pub(crate) fn of(self, items: usize) -> Figure {
        Figure { items, ..self }
    }

    /// The cells of a row of the table.
    pub(crate) fn row(&self) -> String {
        let (name, cache, unit) = (&self.name, &self.cache, &self.unit);
        let (samples, items, cells) = (self.samples, self.items, self.cells());
        format!("| {name} | {cache} | {unit} | {samples} | {items} | {cells} |")
    }

    pub(crate) fn cells(&self) -> String {
        match self.failure.as_str() {
            "" => format!("{} | {}", number(Some(self.p50)), number(self.p99)),
            failure => format!("{failure} | {failure}"),
        }
    }

    /// This figure divided by the other, at p50 and at p99.
    pub(crate) fn ratio(&self, other: &Figure) -> String {
        if self.failure == FAILED || other.failure == FAILED {
            return "– | –".to_owned();
        }
        let bound = match (self.failure.as_str(), other.failure.as_str()) {
            ("", "") => "",
            ("", _) => "< ",
            (_, "") => "> ",
            _ => return "– | –".to_owned(),
        };
        let ratio = |own: f64, other: f64| match other > 0.0 {
            true => format!("{bound}{:.2}", own / other),
            false => "–".to_owned(),
        };
        let at_p99 = self.p99.zip(other.p99);
        let at_p99 = at_p99.map_or_else(|| "–".to_owned(), |(own, other)| ratio(own, other));
        format!("{} | {at_p99}", ratio(self.p50, other.p50))
    }
}

/// Rounds to four decimals, the precision of all figures.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) if value >= 1.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}
