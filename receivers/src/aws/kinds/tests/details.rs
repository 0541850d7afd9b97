//! Calls for the details and tags of the items of a page.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::account_region;
use crate::aws::api::{AwsCall, AwsService, FailureReason, ScanFailure};
use crate::aws::filter;
use crate::aws::kinds::ec2_vpc::Vpc;
use crate::aws::kinds::tags::{TagsById, by_resource, tag};
use crate::aws::listing::{ListedResource, PageSink, PageWriter, ResourceKind, without_details};

#[derive(Default)]
struct FailureRecorder(Vec<FailureReason>);

#[async_trait]
impl PageSink for FailureRecorder {
    async fn write_page(&mut self, _: Vec<ListedResource>) -> Result<(), ScanFailure> {
        Ok(())
    }

    fn report_failure(&mut self, failure: &ScanFailure) {
        self.0.push(failure.reason);
    }

    fn record_filtered_out(&mut self, _: &str) {}
}

fn failure(reason: FailureReason) -> ScanFailure {
    let call = AwsCall {
        service: AwsService::S3,
        operation: "GetBucketPolicy",
        region: "us-east-1".into(),
        account: "123456789012".into(),
    };
    ScanFailure {
        reason,
        ..ScanFailure::malformed(call, "scripted")
    }
}

#[tokio::test]
async fn unset_or_denied_details_are_omitted_and_other_failures_make_the_item_incomplete() {
    let (at, tags, mut recorder) = (
        account_region(),
        filter::TagPatterns::default(),
        FailureRecorder::default(),
    );
    let mut out = PageWriter {
        kind: Vpc.info(),
        draft: &|item, at| Vpc.draft(item, at),
        at: &at,
        tags: &tags,
        sink: &mut recorder,
    };
    let names = ["some", "none", "not set", "gone", "denied", "slow"];
    let items = names.map(|name| json!({"Name": name}));
    let items = out.add_details(items.to_vec(), |item| {
        let response = match item["Name"].as_str() {
            Some("some") => Ok(json!({"Version": 1})),
            Some("none") => Ok(Json::Null),
            Some("not set") => Err(ScanFailure {
                code: "NoSuchBucketPolicy".to_owned(),
                ..failure(FailureReason::NotFound)
            }),
            Some("gone") => Err(failure(FailureReason::NotFound)),
            Some("denied") => Err(failure(FailureReason::Denied)),
            _ => Err(failure(FailureReason::TimedOut)),
        };
        async { vec![("Policy", response)] }
    });
    let expected = [
        (json!({"Name": "some", "Policy": {"Version": 1}}), true),
        (json!({"Name": "none"}), true),
        (json!({"Name": "not set"}), true),
        (json!({"Name": "gone"}), false),
        (json!({"Name": "denied"}), true),
        (json!({"Name": "slow"}), false),
    ];
    assert_eq!(items.await, expected);
    assert_eq!(recorder.0, [FailureReason::Denied, FailureReason::TimedOut]);
}

#[tokio::test]
async fn tags_are_fetched_for_several_items_at_a_time_and_a_failed_call_affects_only_its_items() {
    let (at, tags, mut recorder) = (
        account_region(),
        filter::TagPatterns::default(),
        FailureRecorder::default(),
    );
    let mut out = PageWriter {
        kind: Vpc.info(),
        draft: &|item, at| Vpc.draft(item, at),
        at: &at,
        tags: &tags,
        sink: &mut recorder,
    };
    let mut items = without_details(
        ["a", "b", "c", "d", "e"]
            .map(|id| json!({"Id": id}))
            .to_vec(),
    );
    let fetch = async |ids: Vec<String>| -> Result<TagsById, ScanFailure> {
        if ids == ["c", "d"] {
            return Err(failure(FailureReason::NotFound));
        }
        let set = |id: &String| json!({"ResourceId": id, "Tags": [{"Key": "id", "Value": id}]});
        // Some services omit resources without tags.
        let sets: Vec<Json> = ids.iter().filter(|id| *id != "b").map(set).collect();
        let response = json!({"ResourceTagSets": sets});
        Ok(by_resource(response, "ResourceTagSets", "ResourceId"))
    };
    let id = |item: &Json| item["Id"].as_str().unwrap().to_owned();
    tag(&mut out, &mut items, 2, id, fetch).await;
    let tagged: Vec<_> = items
        .iter()
        .map(|(item, is_complete)| (!item["Tags"].is_null(), *is_complete))
        .collect();
    assert_eq!(
        tagged,
        [
            (true, true),
            (false, true),
            (false, false),
            (false, false),
            (true, true)
        ]
    );
    assert_eq!(recorder.0, [FailureReason::NotFound]);
}
