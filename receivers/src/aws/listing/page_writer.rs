//! Converts the items of list calls to resources, and writes them to a sink page by page.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::StreamExt;
use futures::stream::iter;
use pipeline::resource::Resource;
use serde_json::Value as Json;

use super::draft::ResourceDraft;
use super::kind_info::{KindInfo, ScanPhase};
use crate::aws::api::{AccountRegion, AwsService, Capture, FailureReason, Pager, ScanFailure};
use crate::aws::filter::TagPatterns;

/// Drafts the resource of a listed item. Returns `None` for an item to ignore.
pub(in crate::aws) type DraftItem<'a> =
    &'a (dyn Fn(&Json, &AccountRegion) -> Option<ResourceDraft> + Send + Sync);

/// Drafts the items that a kind lists in one account and region, and writes them to a sink.
pub(in crate::aws) struct PageWriter<'a> {
    pub(in crate::aws) kind: KindInfo,
    pub(in crate::aws) draft: DraftItem<'a>,
    pub(in crate::aws) at: &'a AccountRegion,
    pub(in crate::aws) tags: &'a TagPatterns,
    pub(in crate::aws) sink: &'a mut dyn PageSink,
}

/// One resource of a page.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::aws) struct ListedResource {
    pub(in crate::aws) resource: Resource,
    /// Whether its details are complete. If not, its last report stays. A detail to which access is denied does not
    /// count as missing, unless a filter needs the tags.
    pub(in crate::aws) is_complete: bool,
    /// Whether the filter selects it. False if there is a filter and the tags may be incomplete.
    pub(in crate::aws) is_selected: bool,
}

/// Receives pages of resources.
#[async_trait]
pub(in crate::aws) trait PageSink: Send {
    /// Writes a page.
    ///
    /// # Errors
    /// If the rows of the page were not acknowledged. The scan of the scope then fails.
    async fn write_page(&mut self, items: Vec<ListedResource>) -> Result<(), ScanFailure>;
    /// Reports a failed call about single items. The scan of the scope continues.
    fn report_failure(&mut self, failure: &ScanFailure);
    /// Records a uid that the API lists and the filter excludes.
    fn record_filtered_out(&mut self, uid: &str);
}

/// The details of one item: for each, the key under which the item gets it, and the result of its call.
pub(in crate::aws) type DetailResults = Vec<(&'static str, Result<Json, ScanFailure>)>;

/// The maximum number of concurrent calls about the items of one page.
pub(in crate::aws) const CONCURRENT_CALLS: usize = 8;

impl PageWriter<'_> {
    /// Writes all pages of an operation. The field `list` of each response contains the items.
    pub(in crate::aws) async fn list_all<F, O, E, R>(
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

    /// Fetches details of each item and puts them into the item. Returns each item, and whether it is complete.
    pub(in crate::aws) async fn add_details<F>(
        &mut self,
        items: Vec<Json>,
        fetch: impl FnMut(&Json) -> F + Send,
    ) -> Vec<(Json, bool)>
    where
        F: Future<Output = DetailResults> + Send,
    {
        let fetches: Vec<F> = items.iter().map(fetch).collect();
        let results: Vec<DetailResults> = iter(fetches).buffered(CONCURRENT_CALLS).collect().await;
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
    pub(in crate::aws) async fn write(&mut self, items: Vec<Json>) -> Result<(), ScanFailure> {
        self.write_detailed(without_details(items)).await
    }

    /// Writes a page of items, each with whether it is complete. The caller has reported the failures of the detail
    /// calls.
    pub(in crate::aws) async fn write_detailed(
        &mut self,
        items: Vec<(Json, bool)>,
    ) -> Result<(), ScanFailure> {
        let (kind, at) = (self.kind, self.at);
        let tags = self.tags;
        let mut page = Vec::with_capacity(items.len());
        for (item, is_complete) in items {
            let Some(draft) = (self.draft)(&item, at) else {
                continue;
            };
            if kind.phase == ScanPhase::First {
                at.owners.record(&draft.uid);
            }
            // The filter cannot select by tags that may be incomplete.
            let is_selected = tags.matches(&draft.tags) && (is_complete || tags.match_all());
            // The filter may select an incomplete item, so the item must not count as missing.
            if is_selected || !is_complete {
                page.push(ListedResource {
                    resource: draft.finish(kind.name, at, kind.is_global),
                    is_complete,
                    is_selected,
                });
            } else {
                self.sink.record_filtered_out(&draft.uid);
            }
        }
        self.sink.write_page(page).await
    }

    /// Puts the result of a detail call into an item, unless it is null. Returns false if the item is incomplete
    /// because of this call.
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
            // The item was deleted after it was listed: the next scan reports the deletion.
            Err(failure) if failure.is_not_found() => false,
            Err(failure) => self.tolerates(&failure),
        }
    }

    /// Reports a failed call, and returns whether items count as complete without its result. They do if access is
    /// denied and no filter needs the tags, so that the rest of the item is reported.
    pub(in crate::aws) fn tolerates(&mut self, failure: &ScanFailure) -> bool {
        self.sink.report_failure(failure);
        failure.reason == FailureReason::Denied && self.tags.match_all()
    }
}

/// Marks items as complete, for kinds that need no detail calls.
pub(in crate::aws) fn without_details(items: Vec<Json>) -> Vec<(Json, bool)> {
    items.into_iter().map(|item| (item, true)).collect()
}
