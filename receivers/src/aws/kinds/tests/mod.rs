//! Converts items, as the APIs return them, to resources of the graph.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use pipeline::attributes::{Map, map_to_json};
use pipeline::resource::Resource;
use serde_json::Value as Json;

use crate::aws::api::{AccountRegion, RateLimits, ResourceOwners};
use crate::aws::listing::ResourceKind;

mod access;
mod actions;
mod balancers;
mod compute;
mod data;
mod details;
mod dns;
mod network;
mod uids;

/// The account and region of the items.
fn account_region() -> AccountRegion {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .build();
    AccountRegion::new(
        "123456789012",
        "us-east-1",
        &sdk,
        RateLimits::default(),
        &ResourceOwners::default(),
    )
}

fn resource(kind: &dyn ResourceKind, item: &Json) -> Option<Resource> {
    let at = account_region();
    let draft = kind.draft(item, &at)?;
    Some(draft.finish(kind.name(), &at, kind.is_global()))
}

fn configuration(kind: &dyn ResourceKind, item: &Json) -> Json {
    let resource = resource(kind, item).unwrap();
    Json::Object(map_to_json(Map::new(&resource.configuration)))
}

/// Asserts that the resource of an item has this uid, these edges (`KIND to {properties} confidence`) and these aliases
/// (`kind value in scope`). `ec2:` stands for `arn:aws:ec2:us-east-1:123456789012:`; likewise for other services.
#[track_caller]
fn check(kind: &dyn ResourceKind, item: &Json, uid: &str, edges: &[&str], aliases: &[&str]) {
    let resource = resource(kind, item).unwrap();
    assert_eq!(short(&resource.uid), uid);
    let written: Vec<String> = resource
        .relations
        .iter()
        .map(|edge| {
            let properties = map_to_json(Map::new(&edge.properties));
            let properties = match properties.is_empty() {
                true => String::new(),
                false => format!(" {}", Json::Object(properties)),
            };
            let confidence = match edge.confidence {
                1.0 => String::new(),
                less => format!(" {less}"),
            };
            short(&format!(
                "{} {}{properties}{confidence}",
                edge.kind, edge.uid
            ))
        })
        .collect();
    assert_eq!(written, edges);
    let written: Vec<String> = resource
        .aliases
        .iter()
        .map(|alias| {
            let scope = alias.scope.as_ref().map(|scope| format!(" in {scope}"));
            short(&format!(
                "{} {}{}",
                alias.kind,
                alias.value,
                scope.unwrap_or_default()
            ))
        })
        .collect();
    assert_eq!(written, aliases);
}

/// Abbreviates the ARNs in a text.
fn short(text: &str) -> String {
    let services = [
        "autoscaling",
        "ec2",
        "elasticloadbalancing",
        "kms",
        "lambda",
        "rds",
    ];
    services.iter().fold(text.to_owned(), |text, service| {
        let whole = format!("arn:aws:{service}:us-east-1:123456789012:");
        text.replace(&whole, &format!("{service}:"))
    })
}
