//! Tests of the generated requests and their spans.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::trace::v1::Span as Encoded;
use pipeline::component::UnixNanos;

use super::{CALM, FLOODED};
use crate::demo::cloud::DemoNames;
use crate::demo::script::Situation;
use crate::demo::shop::ShopService;
use crate::demo::spans::{self, StartedRequest};
use crate::demo::traffic::{SimulatedRequest, SpanAction, request};

fn requests(seed: u64, count: u64, situation: &Situation) -> Vec<SimulatedRequest> {
    let numbers = 0..count;
    numbers
        .map(|number| request(seed, 7, number, situation))
        .collect()
}

#[test]
fn same_seed_yields_the_same_requests() {
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
fn second_run_of_a_seed_has_other_ids_and_the_same_latencies() {
    let one = request(1, 7, 0, &CALM);
    let two = request(1, 8, 0, &CALM);
    assert_ne!(one.trace_id, two.trace_id);
    let times = |request: &SimulatedRequest| -> Vec<_> {
        let spans = request.spans.iter();
        spans.map(|span| (span.start, span.end)).collect()
    };
    assert_eq!(times(&one), times(&two));
}

#[test]
fn every_call_of_the_shop_occurs() {
    let mut calls = BTreeSet::new();
    let mut database_clients = BTreeSet::new();
    for request in requests(1, 500, &CALM) {
        for span in &request.spans {
            match span.action {
                SpanAction::Query(_) => {
                    database_clients.insert(span.service);
                }
                SpanAction::Serve(_) | SpanAction::Consume(_) => {
                    let Some(parent) = span.parent else { continue };
                    calls.insert((request.spans[parent].service, span.service));
                }
                _ => {}
            }
        }
    }
    let expected = [
        (ShopService::Frontend, ShopService::Cart),
        (ShopService::Frontend, ShopService::Checkout),
        (ShopService::Frontend, ShopService::Catalog),
        (ShopService::Frontend, ShopService::Recommendation),
        (ShopService::Checkout, ShopService::Cart),
        (ShopService::Checkout, ShopService::Payment),
        (ShopService::Checkout, ShopService::Shipping),
        (ShopService::Checkout, ShopService::Notifications),
        (ShopService::Recommendation, ShopService::Catalog),
    ];
    assert_eq!(calls, BTreeSet::from(expected));
    let clients = [
        ShopService::Cart,
        ShopService::Checkout,
        ShopService::Catalog,
    ];
    assert_eq!(database_clients, BTreeSet::from(clients));
}

#[test]
fn children_are_within_their_parents_and_consumers_start_after_producers() {
    for request in requests(3, 1_000, &FLOODED) {
        for span in &request.spans {
            assert!(span.start <= span.end);
            let Some(parent) = span.parent.map(|parent| &request.spans[parent]) else {
                assert_eq!(span.start, 0);
                continue;
            };
            if matches!(span.action, SpanAction::Consume(_)) {
                assert!(span.start >= parent.end);
            } else {
                assert!(span.start >= parent.start && span.end <= parent.end);
            }
        }
    }
}

fn p95(requests: &[SimulatedRequest], selects: impl Fn(&SpanAction, ShopService) -> bool) -> u64 {
    let spans = requests.iter().flat_map(|request| &request.spans);
    let mut times: Vec<u64> = spans
        .filter(|span| selects(&span.action, span.service))
        .map(|span| span.end - span.start)
        .collect();
    times.sort_unstable();
    times[times.len() * 95 / 100]
}

#[test]
fn flood_slows_the_database_and_its_clients() {
    let (calm, flooded) = (requests(1, 2_000, &CALM), requests(1, 2_000, &FLOODED));
    let database = |action: &SpanAction, _| matches!(action, SpanAction::Query(_));
    assert!(p95(&flooded, database) >= 3 * p95(&calm, database));
    for service in [
        ShopService::Cart,
        ShopService::Catalog,
        ShopService::Frontend,
    ] {
        let serves =
            |action: &SpanAction, by| by == service && matches!(action, SpanAction::Serve(_));
        assert!(
            p95(&flooded, serves) > 2 * p95(&calm, serves),
            "{service:?}"
        );
    }
    let charges = |action: &SpanAction, by| {
        by == ShopService::Payment && matches!(action, SpanAction::Serve(_))
    };
    assert!(p95(&flooded, charges) < 2 * p95(&calm, charges));
}

#[test]
fn one_percent_of_requests_fails_and_more_in_the_flood() {
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
fn spans_are_grouped_by_the_pods_of_all_services() {
    let started: Vec<StartedRequest> = requests(1, 500, &CALM)
        .into_iter()
        .map(|request| StartedRequest {
            at: UnixNanos(1_000),
            request,
        })
        .collect();
    let export = spans::export(DemoNames::new(1), &started);
    assert_eq!(export, spans::export(DemoNames::new(1), &started));
    let mut services = BTreeSet::new();
    for group in &export.resource_spans {
        let attributes = &group.resource.as_ref().unwrap().attributes;
        let name = attributes.iter().find(|pair| pair.key == "service.name");
        services.insert(format!("{:?}", name.unwrap().value));
    }
    assert_eq!(services.len(), 8);
    assert_eq!(export.resource_spans.len(), 12, "one group for each pod");
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
