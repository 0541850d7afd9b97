//! Which calls are made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::aws::kinds::ALL;
use crate::aws::service::Service;

/// The words of a file of kinds that are operations: `"DescribeVpcs"`.
fn operations(text: &str) -> impl Iterator<Item = &str> {
    let is_operation = |word: &&str| {
        let mut rests = ["Describe", "Get", "List"]
            .iter()
            .filter_map(|verb| word.strip_prefix(verb));
        rests.any(|rest| rest.starts_with(|char: char| char.is_ascii_uppercase()))
    };
    text.split('"').skip(1).step_by(2).filter(is_operation)
}

/// The service by the name of its constant: `Service::EC2`, which a file of kinds names first of all.
fn service_of(text: &str) -> Service {
    let (_, after) = text.split_once("Service::").unwrap();
    match after
        .split(|char: char| !char.is_ascii_alphanumeric())
        .next()
        .unwrap()
    {
        "AUTOSCALING" => Service::AUTOSCALING,
        "EC2" => Service::EC2,
        "ELB" => Service::ELB,
        "IAM" => Service::IAM,
        "KMS" => Service::KMS,
        "LAMBDA" => Service::LAMBDA,
        "RDS" => Service::RDS,
        "ROUTE53" => Service::ROUTE53,
        "S3" => Service::S3,
        other => panic!("{other} is no service"),
    }
}

#[test]
fn every_action_that_a_scan_needs_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws/kinds");
    let mut needed = BTreeSet::new();
    let mut kinds = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if text.contains("Service::") {
            let service = service_of(&text);
            needed.extend(operations(&text).map(|operation| service.action(operation)));
            kinds += usize::from(text.contains("impl Kind for"));
        }
    }
    assert_eq!(kinds, ALL.len());
    let listed = include_str!("../mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! "));
    let words = listed.flat_map(str::split_ascii_whitespace);
    let is_action = |word: &&str| word.contains(':') && !word.ends_with(':');
    let listed: BTreeSet<String> = words.filter(is_action).map(str::to_owned).collect();
    assert_eq!(listed, needed);
}
