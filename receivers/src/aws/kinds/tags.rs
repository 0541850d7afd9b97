//! Tags, where one call tells those of several resources.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream::iter;
use serde_json::Value as Json;

use crate::aws::failure::Failure;
use crate::aws::fields::text;
use crate::aws::found::{AT_ONCE, Found, items};
use crate::aws::place::Place;
use crate::aws::service::Service;

/// Tags by the id of their resource.
pub(super) type Tags = HashMap<String, Json>;

/// Puts into each item its `Tags`. A call is asked for those of so many resources, by their ids.
pub(super) async fn tag<F>(
    found: &mut Found<'_>,
    items: &mut [(Json, bool)],
    a_call: usize,
    id: impl Fn(&Json) -> String,
    ask: impl Fn(Vec<String>) -> F,
) where
    F: Future<Output = Result<Tags, Failure>> + Send,
{
    let ids: Vec<String> = items.iter().map(|(item, _)| id(item)).collect();
    let asks: Vec<F> = ids.chunks(a_call).map(|ids| ask(ids.to_vec())).collect();
    let answers: Vec<_> = iter(asks).buffered(AT_ONCE).collect().await;
    let calls = items.chunks_mut(a_call).zip(ids.chunks(a_call));
    for ((items, ids), answer) in calls.zip(answers) {
        match answer {
            Ok(mut tags) => {
                for ((item, _), id) in items.iter_mut().zip(ids) {
                    if let Some(tags) = tags.remove(id) {
                        item["Tags"] = tags;
                    }
                }
            }
            // One that is gone meanwhile fails them all: the next scan tells.
            Err(failure) => {
                found.pages.failed(&failure);
                items.iter_mut().for_each(|(_, is_whole)| *is_whole = false);
            }
        }
    }
}

/// The tags that an answer lists, by the field that says whose they are.
pub(super) fn by_resource(mut answer: Json, list: &str, id: &str) -> Tags {
    let sets = items(&mut answer, list).into_iter();
    let entry = |mut set: Json| Some((text(&set[id])?.to_owned(), set["Tags"].take()));
    sets.filter_map(entry).collect()
}

/// Those of load balancers, listeners and target groups, by the field that is their ARN.
pub(super) async fn tag_elb(
    at: &Place,
    found: &mut Found<'_>,
    items: &mut [(Json, bool)],
    arn: &str,
) {
    let ask = async |arns| {
        let request = at.elb.describe_tags().set_resource_arns(Some(arns));
        let answer = at.call(Service::ELB, "DescribeTags", |capture| {
            request.customize().interceptor(capture).send()
        });
        Ok(by_resource(answer.await?, "TagDescriptions", "ResourceArn"))
    };
    let id = |item: &Json| text(&item[arn]).unwrap_or_default().to_owned();
    tag(found, items, 20, id, ask).await;
}
