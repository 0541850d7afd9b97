//! Turns the items of list calls into resources, and passes them on page by page.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::StreamExt;
use futures::stream::iter;
use pipeline::resource::Resource;
use serde_json::Value as Json;

use super::call::{Capture, Pager};
use super::failure::{FailureReason, ScanFailure};
use super::filter::TagPatterns;
use super::kind::{ResourceKind, ScanPhase};
use super::place::AccountRegion;
use super::service::AwsService;

/// Writes the items that a kind lists, of one account and region, to a sink.
pub(super) struct PageWriter<'a> {
    pub(super) kind: &'static dyn ResourceKind,
    pub(super) at: &'a AccountRegion,
    pub(super) tags: &'a TagPatterns,
    pub(super) sink: &'a mut dyn PageSink,
}

/// One resource of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ListedResource {
    pub(super) resource: Resource,
    /// Whether all calls about it succeeded. Otherwise its last report stays.
    pub(super) is_complete: bool,
    /// Whether the filter selects its tags. Uncertain while the resource is incomplete.
    pub(super) is_selected: bool,
}

/// Takes pages of resources.
#[async_trait]
pub(super) trait PageSink: Send {
    /// # Errors
    /// When the rows of the page were not acknowledged: the scan of the scope fails.
    async fn page(&mut self, items: Vec<ListedResource>) -> Result<(), ScanFailure>;
    /// Reports a failed call about single items. The scan of the scope goes on.
    fn report_failure(&mut self, failure: &ScanFailure);
    /// Reports a uid that the API lists and the filter excludes.
    fn filtered_out(&mut self, uid: &str);
}

/// The results of further calls about one item, and the keys under which they are put into the item.
pub(super) type DetailResults = Vec<(&'static str, Result<Json, ScanFailure>)>;

/// Calls about items that are in flight at once.
pub(super) const AT_ONCE: usize = 8;

impl PageWriter<'_> {
    /// Writes all pages of an operation whose responses list the items in the field `list`.
    pub(super) async fn list_all<F, O, E, R>(
        &mut self,
        service: AwsService,
        operation: &'static str,
        list: &'static str,
        mut send: impl FnMut(Option<String>, Capture) -> F + Send,
    ) -> Result<(), ScanFailure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>> + Send,
        O: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
        R: fmt::Debug + Send + 'static,
    {
        let mut pages = Pager::new(service, operation, list);
        while let Some(token) = pages.next() {
            let response = pages.call(self.at, |capture| send(token, capture));
            self.write(response.await?).await?;
        }
        Ok(())
    }

    /// Fetches details of each item and puts them into it. Returns each item with whether all its calls
    /// succeeded.
    pub(super) async fn add_details<F>(
        &mut self,
        items: Vec<Json>,
        fetch: impl FnMut(&Json) -> F + Send,
    ) -> Vec<(Json, bool)>
    where
        F: Future<Output = DetailResults> + Send,
    {
        let fetches: Vec<F> = items.iter().map(fetch).collect();
        let results: Vec<DetailResults> = iter(fetches).buffered(AT_ONCE).collect().await;
        let mut detailed = Vec::with_capacity(items.len());
        for (mut item, results) in items.into_iter().zip(results) {
            let mut is_complete = true;
            for (key, result) in results {
                is_complete &= self.add_detail(&mut item, key, result);
            }
            detailed.push((item, is_complete));
        }
        detailed
    }

    /// Writes a page of items that need no details.
    pub(super) async fn write(&mut self, items: Vec<Json>) -> Result<(), ScanFailure> {
        self.write_detailed(without_details(items)).await
    }

    /// Writes a page of items, each with whether all calls about it succeeded. The failures of these calls
    /// have been reported.
    pub(super) async fn write_detailed(
        &mut self,
        items: Vec<(Json, bool)>,
    ) -> Result<(), ScanFailure> {
        let (kind, at) = (self.kind, self.at);
        let tags = self.tags;
        let mut page = Vec::with_capacity(items.len());
        for (item, is_complete) in items {
            let Some(draft) = kind.draft(&item, at) else {
                continue;
            };
            if kind.phase() == ScanPhase::First {
                at.owners.record(&draft.uid);
            }
            // A filter of tags cannot decide while the tags may be incomplete.
            let is_selected = tags.matches(&draft.tags) && (is_complete || tags.match_all());
            // An incomplete item may be one that the filter selects, so it must not count as missing.
            if is_selected || !is_complete {
                page.push(ListedResource {
                    resource: draft.finish(kind.name(), at, kind.is_global()),
                    is_complete,
                    is_selected,
                });
            } else {
                self.sink.filtered_out(&draft.uid);
            }
        }
        self.sink.page(page).await
    }

    /// Puts the result of a further call into an item, unless it is null. Returns whether the item is
    /// complete in this respect.
    fn add_detail(
        &mut self,
        item: &mut Json,
        key: &str,
        result: Result<Json, ScanFailure>,
    ) -> bool {
        match result {
            Ok(Json::Null) => true,
            Ok(value) => {
                if let Json::Object(item) = item {
                    item.insert(key.to_owned(), value);
                }
                true
            }
            Err(failure) if failure.is_no_such_setting() => true,
            // The item was deleted after it was listed: the next scan reports that.
            Err(failure) if failure.is_not_found() => false,
            Err(failure) => self.tolerates(&failure),
        }
    }

    /// Reports a failed call, and returns whether items are complete without its result. They are where
    /// access is denied: then the details are left out for good, and the rest of the item is reported.
    pub(super) fn tolerates(&mut self, failure: &ScanFailure) -> bool {
        self.sink.report_failure(failure);
        failure.reason == FailureReason::Denied && self.tags.match_all()
    }
}

/// Marks items as complete without any further call.
pub(super) fn without_details(items: Vec<Json>) -> Vec<(Json, bool)> {
    items.into_iter().map(|item| (item, true)).collect()
}

/// Takes one field out of a response, null where it is missing: `response.map(take_field("Tags"))`.
pub(super) fn take_field(key: &'static str) -> impl Fn(Json) -> Json {
    move |mut response| response.get_mut(key).map(Json::take).unwrap_or_default()
}

/// Takes the objects of the list under this key out of a value.
pub(super) fn take_items(of: &mut Json, key: &str) -> Vec<Json> {
    of.get_mut(key).map(take_objects).unwrap_or_default()
}

/// Takes the objects out of a list.
pub(super) fn take_objects(list: &mut Json) -> Vec<Json> {
    match list.take() {
        Json::Array(mut items) => {
            items.retain(Json::is_object);
            items
        }
        _ => Vec::new(),
    }
}
