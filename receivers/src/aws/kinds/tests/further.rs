//! Calls about the items of a page.

use async_trait::async_trait;
use serde_json::{Value as Json, json};

use super::place;
use crate::aws::failure::{Call, Failure, Why};
use crate::aws::filter;
use crate::aws::found::{Found, Item, Pages, whole};
use crate::aws::kinds::ec2_vpc::Vpc;
use crate::aws::kinds::tags::{Tags, by_resource, tag};
use crate::aws::service::Service;

#[derive(Default)]
struct Told(Vec<Why>);

#[async_trait]
impl Pages for Told {
    async fn page(&mut self, _: Vec<Item>) -> Result<(), Failure> {
        Ok(())
    }

    fn failed(&mut self, failure: &Failure) {
        self.0.push(failure.why);
    }

    fn passed_over(&mut self, _: &str) {}
}

fn failure(why: Why) -> Failure {
    let call = Call {
        service: Service::S3,
        operation: "GetBucketPolicy",
        region: "us-east-1".into(),
        account: "123456789012".into(),
    };
    Failure {
        why,
        ..Failure::malformed(call, "told to")
    }
}

#[tokio::test]
async fn what_is_not_set_or_denied_is_left_out_and_what_is_gone_or_fails_leaves_the_item_unknown() {
    let (at, tags, mut told) = (place(), filter::Tags::default(), Told::default());
    let mut found = Found {
        kind: &Vpc,
        at: &at,
        tags: &tags,
        pages: &mut told,
    };
    let names = ["some", "none", "not set", "gone", "denied", "slow"];
    let items = names.map(|name| json!({"Name": name}));
    let items = found.more(items.to_vec(), |item| {
        let answer = match item["Name"].as_str() {
            Some("some") => Ok(json!({"Version": 1})),
            Some("none") => Ok(Json::Null),
            Some("not set") => Err(Failure {
                code: "NoSuchBucketPolicy".to_owned(),
                ..failure(Why::NotFound)
            }),
            Some("gone") => Err(failure(Why::NotFound)),
            Some("denied") => Err(failure(Why::Denied)),
            _ => Err(failure(Why::TimedOut)),
        };
        async { vec![("Policy", answer)] }
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
    assert_eq!(told.0, [Why::Denied, Why::TimedOut]);
}

#[tokio::test]
async fn tags_are_asked_for_many_at_once_and_a_call_that_fails_is_of_its_own_items_alone() {
    let (at, tags, mut told) = (place(), filter::Tags::default(), Told::default());
    let mut found = Found {
        kind: &Vpc,
        at: &at,
        tags: &tags,
        pages: &mut told,
    };
    let mut items = whole(
        ["a", "b", "c", "d", "e"]
            .map(|id| json!({"Id": id}))
            .to_vec(),
    );
    let ask = async |ids: Vec<String>| -> Result<Tags, Failure> {
        if ids == ["c", "d"] {
            return Err(failure(Why::NotFound));
        }
        let set = |id: &String| json!({"ResourceId": id, "Tags": [{"Key": "id", "Value": id}]});
        // One that has none is not listed by everybody.
        let sets: Vec<Json> = ids.iter().filter(|id| *id != "b").map(set).collect();
        let answer = json!({"ResourceTagSets": sets});
        Ok(by_resource(answer, "ResourceTagSets", "ResourceId"))
    };
    let id = |item: &Json| item["Id"].as_str().unwrap().to_owned();
    tag(&mut found, &mut items, 2, id, ask).await;
    let seen: Vec<_> = items
        .iter()
        .map(|(item, is_whole)| (!item["Tags"].is_null(), *is_whole))
        .collect();
    assert_eq!(
        seen,
        [
            (true, true),
            (false, true),
            (false, false),
            (false, false),
            (true, true)
        ]
    );
    assert_eq!(told.0, [Why::NotFound]);
}
