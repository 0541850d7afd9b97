//! Fetches tags, for services that return the tags of several resources in one call.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream::iter;
use serde_json::Value as Json;

use crate::aws::api::fields::{take_items, text};
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{CONCURRENT_CALLS, PageWriter};

/// Tags by the id or ARN of their resource.
pub(super) type TagsById = HashMap<String, Json>;

/// Puts the `Tags` into each item. Each call of `fetch` gets the ids of at most `per_call` items.
pub(super) async fn tag<F>(
    out: &mut PageWriter<'_>,
    items: &mut [(Json, bool)],
    per_call: usize,
    id: impl Fn(&Json) -> String,
    fetch: impl Fn(Vec<String>) -> F,
) where
    F: Future<Output = Result<TagsById, ScanFailure>> + Send,
{
    let ids: Vec<String> = items.iter().map(|(item, _)| id(item)).collect();
    let fetches: Vec<F> = ids
        .chunks(per_call)
        .map(|ids| fetch(ids.to_vec()))
        .collect();
    let results: Vec<_> = iter(fetches).buffered(CONCURRENT_CALLS).collect().await;
    let calls = items.chunks_mut(per_call).zip(ids.chunks(per_call));
    for ((items, ids), result) in calls.zip(results) {
        match result {
            Ok(mut tags) => {
                for ((item, _), id) in items.iter_mut().zip(ids) {
                    if let Some(tags) = tags.remove(id) {
                        item["Tags"] = tags;
                    }
                }
            }
            // A call fails for all its resources if one of them was deleted after the list call. The next scan retries.
            Err(failure) => {
                out.sink.report_failure(&failure);
                items
                    .iter_mut()
                    .for_each(|(_, is_complete)| *is_complete = false);
            }
        }
    }
}

/// The tags in a response. The field `id` of each entry of `list` identifies the resource.
pub(super) fn by_resource(mut response: Json, list: &str, id: &str) -> TagsById {
    let sets = take_items(&mut response, list).into_iter();
    let entry = |mut set: Json| Some((text(&set[id])?.to_owned(), set["Tags"].take()));
    sets.filter_map(entry).collect()
}

/// Adds the tags of load balancers, listeners or target groups, whose ARN is in the field `arn`.
pub(super) async fn tag_elb(
    at: &AccountRegion,
    out: &mut PageWriter<'_>,
    items: &mut [(Json, bool)],
    arn: &str,
) {
    let fetch = async |arns| {
        let request = at.elb.describe_tags().set_resource_arns(Some(arns));
        let response = at.call(AwsService::ELB, "DescribeTags", |capture| {
            request.customize().interceptor(capture).send()
        });
        Ok(by_resource(
            response.await?,
            "TagDescriptions",
            "ResourceArn",
        ))
    };
    let id = |item: &Json| text(&item[arn]).unwrap_or_default().to_owned();
    tag(out, items, 20, id, fetch).await;
}
