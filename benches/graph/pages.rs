//! Pages of nodes by filter, of now and of the past.

use pipeline::component::UnixNanos;

use crate::kinds::{INTERFACE, KEY, KINDS, POD};
use crate::layout::{Id, Layout};
use crate::measure::Case;
use crate::names::APPS;
use crate::store::{Filter, Query};

/// Queries of a case; of the past half as many.
const SAMPLES: u64 = 100;

/// Pages of 100 at any depth: one in four is the first, all others begin after a node of the filter's
/// kind and account.
pub(crate) fn pages(layout: &Layout, past: Option<UnixNanos>) -> Vec<Case> {
    let mut cases = Vec::new();
    let account = |id| Some(layout.account(layout.place(id)));
    let region = |id| Some(layout.region(layout.place(id)));
    let mut page = |name: &str, kind: Option<usize>, filter: &dyn Fn(Id) -> Filter| {
        let (name, samples) = match past {
            Some(_) => (format!("page as of T: {name}"), SAMPLES / 2),
            None => (format!("page: {name}"), SAMPLES),
        };
        cases.push(Case::new(name, samples, |seed| {
            let id = match kind {
                Some(kind) => layout.any_of(kind, seed),
                None => layout.any(seed),
            };
            let kind = kind.map(|kind| KINDS[kind].name);
            Query::Page {
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
    let team = |id: Id| tag("team", &format!("team-{:02}", id.number % 40));
    let text = |id: Id| Some(APPS[id.number % APPS.len()].to_owned());
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
