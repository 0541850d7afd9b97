use std::collections::BTreeSet;

use opentelemetry_proto::tonic::trace::v1::Span as Encoded;
use pipeline::component::UnixNanos;

use super::{CALM, FLOODED};
use crate::demo::cloud::Names;
use crate::demo::company::Service;
use crate::demo::script::Situation;
use crate::demo::spans::{self, Begun};
use crate::demo::traffic::{Request, What, request};

fn requests(seed: u64, count: u64, situation: &Situation) -> Vec<Request> {
    let numbers = 0..count;
    numbers
        .map(|number| request(seed, 7, number, situation))
        .collect()
}

#[test]
fn the_same_seed_makes_the_same_requests() {
    assert_eq!(requests(1, 50, &CALM), requests(1, 50, &CALM));
    let others = requests(2, 50, &CALM);
    assert!(
        requests(1, 50, &CALM)
            .iter()
            .zip(&others)
            .all(|(one, two)| one.spans != two.spans)
    );
}

#[test]
fn another_run_of_the_same_seed_has_other_ids_and_the_same_latencies() {
    let one = request(1, 7, 0, &CALM);
    let two = request(1, 8, 0, &CALM);
    assert_ne!(one.trace_id, two.trace_id);
    let times = |request: &Request| -> Vec<_> {
        let spans = request.spans.iter();
        spans.map(|span| (span.start, span.end)).collect()
    };
    assert_eq!(times(&one), times(&two));
}

#[test]
fn every_edge_of_the_company_shows() {
    let mut calls = BTreeSet::new();
    let mut asks_database = BTreeSet::new();
    for request in requests(1, 500, &CALM) {
        for span in &request.spans {
            match span.what {
                What::Query(_) => {
                    asks_database.insert(span.service);
                }
                What::Serve(_) | What::Consume(_) => {
                    let Some(parent) = span.parent else { continue };
                    calls.insert((request.spans[parent].service, span.service));
                }
                _ => {}
            }
        }
    }
    let expected = [
        (Service::Frontend, Service::Cart),
        (Service::Frontend, Service::Checkout),
        (Service::Frontend, Service::Catalog),
        (Service::Frontend, Service::Recommendation),
        (Service::Checkout, Service::Cart),
        (Service::Checkout, Service::Payment),
        (Service::Checkout, Service::Shipping),
        (Service::Checkout, Service::Notifications),
        (Service::Recommendation, Service::Catalog),
    ];
    assert_eq!(calls, BTreeSet::from(expected));
    let clients = [Service::Cart, Service::Checkout, Service::Catalog];
    assert_eq!(asks_database, BTreeSet::from(clients));
}

#[test]
fn children_lie_within_their_parents_and_messages_are_consumed_after_they_were_sent() {
    for request in requests(3, 1_000, &FLOODED) {
        for span in &request.spans {
            assert!(span.start <= span.end);
            let Some(parent) = span.parent.map(|parent| &request.spans[parent]) else {
                assert_eq!(span.start, 0);
                continue;
            };
            if matches!(span.what, What::Consume(_)) {
                assert!(span.start >= parent.end);
            } else {
                assert!(span.start >= parent.start && span.end <= parent.end);
            }
        }
    }
}

fn p95(requests: &[Request], wanted: impl Fn(&What, Service) -> bool) -> u64 {
    let spans = requests.iter().flat_map(|request| &request.spans);
    let mut times: Vec<u64> = spans
        .filter(|span| wanted(&span.what, span.service))
        .map(|span| span.end - span.start)
        .collect();
    times.sort_unstable();
    times[times.len() * 95 / 100]
}

#[test]
fn the_flood_slows_the_database_and_all_that_need_it() {
    let (calm, flooded) = (requests(1, 2_000, &CALM), requests(1, 2_000, &FLOODED));
    let database = |what: &What, _| matches!(what, What::Query(_));
    assert!(p95(&flooded, database) >= 3 * p95(&calm, database));
    for service in [Service::Cart, Service::Catalog, Service::Frontend] {
        let serves = |what: &What, by| by == service && matches!(what, What::Serve(_));
        assert!(
            p95(&flooded, serves) > 2 * p95(&calm, serves),
            "{service:?}"
        );
    }
    let charges = |what: &What, by| by == Service::Payment && matches!(what, What::Serve(_));
    assert!(p95(&flooded, charges) < 2 * p95(&calm, charges));
}

#[test]
fn about_one_request_of_a_hundred_fails_and_more_in_the_flood() {
    let failed = |situation| {
        let requests = requests(1, 5_000, situation);
        let failed = requests
            .iter()
            .filter(|request| request.spans[0].failure.is_some());
        failed.count() as f64 / 5_000.0
    };
    assert!((0.003..0.015).contains(&failed(&CALM)), "{}", failed(&CALM));
    assert!(
        (0.03..0.1).contains(&failed(&FLOODED)),
        "{}",
        failed(&FLOODED)
    );
}

#[test]
fn what_is_encoded_is_told_by_the_pods_of_all_services() {
    let begun: Vec<Begun> = requests(1, 500, &CALM)
        .into_iter()
        .map(|request| Begun {
            at: UnixNanos(1_000),
            request,
        })
        .collect();
    let export = spans::export(Names::new(1), &begun);
    assert_eq!(export, spans::export(Names::new(1), &begun));
    let mut services = BTreeSet::new();
    for group in &export.resource_spans {
        let attributes = &group.resource.as_ref().unwrap().attributes;
        let name = attributes.iter().find(|pair| pair.key == "service.name");
        services.insert(format!("{:?}", name.unwrap().value));
    }
    assert_eq!(services.len(), 8);
    assert_eq!(export.resource_spans.len(), 12, "one group a pod");
    let spans: Vec<&Encoded> = export
        .resource_spans
        .iter()
        .flat_map(|group| &group.scope_spans[0].spans)
        .collect();
    let ids: BTreeSet<_> = spans.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), spans.len());
    assert!(
        spans
            .iter()
            .all(|span| span.parent_span_id.is_empty() || ids.contains(&span.parent_span_id))
    );
}
