//! Reads of pages of nodes by filter, now and as of a past time.

use pipeline::component::UnixNanos;

use crate::kinds::{INTERFACE, KEY, KINDS, POD};
use crate::layout::{Layout, ResourceId};
use crate::measure::ReadCase;
use crate::names::APPS;
use crate::store::{Filter, StoreQuery};

/// Queries per case; half as many for a past time.
const SAMPLES: u64 = 100;

/// Pages of 100 nodes: one in four is the first page, all others start after a node that matches the filter.
pub(crate) fn pages(layout: &Layout, past: Option<UnixNanos>) -> Vec<ReadCase> {
    let mut cases = Vec::new();
    let account = |id| Some(layout.account(layout.account_region(id)));
    let region = |id| Some(layout.region(layout.account_region(id)));
    let mut page = |name: &str, kind: Option<usize>, filter: &dyn Fn(ResourceId) -> Filter| {
        let (name, samples) = match past {
            Some(_) => (format!("page as of T: {name}"), SAMPLES / 2),
            None => (format!("page: {name}"), SAMPLES),
        };
        cases.push(ReadCase::new(name, samples, |seed| {
            let id = match kind {
                Some(kind) => layout.any_of(kind, seed),
                None => layout.any(seed),
            };
            let kind = kind.map(|kind| KINDS[kind].name);
            StoreQuery::Page {
                filter: Filter { kind, ..filter(id) },
                after: match seed % 4 {
                    0 => String::new(),
                    _ => layout.uid(id),
                },
                past,
            }
        }));
    };
    let tag = |key, value: &str| Some((key, Some(value.to_owned())));
    let team = |id: ResourceId| tag("team", &format!("team-{:02}", id.number % 40));
    let text = |id: ResourceId| Some(APPS[id.number % APPS.len()].to_owned());
    let common = Some(INTERFACE);
    page("no filter", None, &|_| Filter::default());
    page("kind", common, &|_| Filter::default());
    page("account", None, &|id| Filter {
        account: account(id),
        ..Filter::default()
    });
    page("tag", None, &|id| Filter {
        tag: team(id),
        ..Filter::default()
    });
    page("text", None, &|id| Filter {
        text: text(id),
        ..Filter::default()
    });
    page("kind, region and tag", common, &|id| Filter {
        region: region(id),
        tag: tag("env", "prod"),
        ..Filter::default()
    });
    if past.is_some() {
        return cases;
    }
    page("rare kind", Some(KEY), &|_| Filter::default());
    page("region", None, &|id| Filter {
        region: region(id),
        ..Filter::default()
    });
    page("provider", Some(POD), &|_| Filter {
        provider: Some("kubernetes"),
        ..Filter::default()
    });
    page("rare tag", None, &|_| Filter {
        tag: Some(("ticket", None)),
        ..Filter::default()
    });
    page("account and kind", common, &|id| Filter {
        account: account(id),
        ..Filter::default()
    });
    page("kind, region and rare tag", common, &|id| Filter {
        region: region(id),
        tag: Some(("ticket", None)),
        ..Filter::default()
    });
    cases
}
