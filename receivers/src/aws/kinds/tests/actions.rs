//! The IAM actions of the calls that a scan makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::aws::api::AwsService;
use crate::aws::kinds::ALL;

/// The operations whose names are strings in the source file of a kind: `"DescribeVpcs"`.
fn operations(text: &str) -> impl Iterator<Item = &str> {
    let is_operation = |word: &&str| {
        let mut rests = ["Describe", "Get", "List"]
            .iter()
            .filter_map(|verb| word.strip_prefix(verb));
        rests.any(|rest| rest.starts_with(|char: char| char.is_ascii_uppercase()))
    };
    text.split('"').skip(1).step_by(2).filter(is_operation)
}

/// The first service that a source file names: `AwsService::EC2`.
fn service_of(text: &str) -> AwsService {
    let (_, after) = text.split_once("Service::").unwrap();
    match after
        .split(|char: char| !char.is_ascii_alphanumeric())
        .next()
        .unwrap()
    {
        "AUTOSCALING" => AwsService::AUTOSCALING,
        "EC2" => AwsService::EC2,
        "ELB" => AwsService::ELB,
        "IAM" => AwsService::IAM,
        "KMS" => AwsService::KMS,
        "LAMBDA" => AwsService::LAMBDA,
        "RDS" => AwsService::RDS,
        "ROUTE53" => AwsService::ROUTE53,
        "S3" => AwsService::S3,
        other => panic!("{other} is no service"),
    }
}

#[test]
fn policy_allows_exactly_the_actions_that_a_scan_needs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws/kinds");
    let mut needed = BTreeSet::new();
    let mut kinds = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if text.contains("Service::") {
            let service = service_of(&text);
            needed.extend(operations(&text).map(|operation| service.action(operation)));
            kinds += usize::from(text.contains("impl ResourceKind for"));
        }
    }
    assert_eq!(kinds, ALL.len());
    // `regions: [all]` needs this action.
    needed.insert(AwsService::EC2.action("DescribeRegions"));
    let policy = include_str!("../../../../../configs/aws-policy.json");
    let policy: Json = serde_json::from_str(policy).unwrap();
    let listed = policy["Statement"][0]["Action"].as_array().unwrap();
    let listed: BTreeSet<String> = listed
        .iter()
        .map(|it| it.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, needed);
}
