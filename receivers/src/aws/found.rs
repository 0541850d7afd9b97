//! What a list call has found, on its way to the scan.

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
use super::failure::{Failure, Why};
use super::filter::Tags;
use super::kind::{Kind, Turn};
use super::place::Place;
use super::service::Service;

/// Takes the pages of one scope.
pub(super) struct Found<'a> {
    pub(super) kind: &'static dyn Kind,
    pub(super) at: &'a Place,
    pub(super) tags: &'a Tags,
    pub(super) pages: &'a mut dyn Pages,
}

/// One resource of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) resource: Resource,
    /// Whether all calls that tell of it were answered; else what was known of it stays.
    pub(super) is_whole: bool,
    /// Whether its tags are those that are looked for, which is not sure of one that is not whole.
    pub(super) is_taken: bool,
}

/// Who makes rows of it.
#[async_trait]
pub(super) trait Pages: Send {
    /// # Errors
    /// When nobody takes what was found: the scan of the scope ends.
    async fn page(&mut self, items: Vec<Item>) -> Result<(), Failure>;
    /// A call about one item failed; the others go on.
    fn failed(&mut self, failure: &Failure);
    /// This one is there, and the filter does not take it.
    fn passed_over(&mut self, uid: &str);
}

/// What further calls say of one item: the key under which it stands in the item, and the answer.
pub(super) type Answers = Vec<(&'static str, Result<Json, Failure>)>;

/// How many items are asked about at once.
pub(super) const AT_ONCE: usize = 8;

impl Found<'_> {
    /// All pages of an operation whose answers list the items in this field.
    pub(super) async fn all<F, O, E, R>(
        &mut self,
        service: Service,
        operation: &'static str,
        list: &'static str,
        mut ask: impl FnMut(Option<String>, Capture) -> F + Send,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>> + Send,
        O: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
        R: fmt::Debug + Send + 'static,
    {
        let mut pages = Pager::new(service, operation, list);
        while let Some(token) = pages.next() {
            let answer = pages.call(self.at, |capture| ask(token, capture));
            self.page(answer.await?).await?;
        }
        Ok(())
    }

    /// Asks about each item and puts the answers into it; whether all calls were answered.
    pub(super) async fn more<F>(
        &mut self,
        items: Vec<Json>,
        ask: impl FnMut(&Json) -> F + Send,
    ) -> Vec<(Json, bool)>
    where
        F: Future<Output = Answers> + Send,
    {
        let asks: Vec<F> = items.iter().map(ask).collect();
        let answers: Vec<Answers> = iter(asks).buffered(AT_ONCE).collect().await;
        let mut whole = Vec::with_capacity(items.len());
        for (mut item, answers) in items.into_iter().zip(answers) {
            let mut is_whole = true;
            for (key, answer) in answers {
                is_whole &= self.add(&mut item, key, answer);
            }
            whole.push((item, is_whole));
        }
        whole
    }

    /// A page of items, each as the API gives it.
    pub(super) async fn page(&mut self, items: Vec<Json>) -> Result<(), Failure> {
        self.checked(whole(items)).await
    }

    /// A page of items of which some could not be asked for all; those failures were told.
    pub(super) async fn checked(&mut self, items: Vec<(Json, bool)>) -> Result<(), Failure> {
        let (kind, at) = (self.kind, self.at);
        let tags = self.tags;
        let mut page = Vec::with_capacity(items.len());
        for (item, is_whole) in items {
            let Some(draft) = kind.draft(&item, at) else {
                continue;
            };
            if kind.turn() == Turn::First {
                at.owners.learn(&draft.uid);
            }
            // Without its tags nothing is sure, where tags decide.
            let is_taken = tags.take(&draft.tags) && (is_whole || tags.takes_all());
            // It may be one that is looked for: not to be seen is not to be gone.
            if is_taken || !is_whole {
                page.push(Item {
                    resource: draft.finish(kind.name(), at, kind.is_global()),
                    is_whole,
                    is_taken,
                });
            } else {
                self.pages.passed_over(&draft.uid);
            }
        }
        self.pages.page(page).await
    }

    /// What a further call says of an item, under this key: nothing where the thing is not there; and
    /// whether the call was answered.
    fn add(&mut self, item: &mut Json, key: &str, answer: Result<Json, Failure>) -> bool {
        match answer {
            Ok(Json::Null) => true,
            Ok(value) => {
                if let Json::Object(item) = item {
                    item.insert(key.to_owned(), value);
                }
                true
            }
            Err(failure) if failure.is_no_such_setting() => true,
            // It is gone since it was listed: the next scan tells.
            Err(failure) if failure.is_not_found() => false,
            Err(failure) => self.does_without(&failure),
        }
    }

    /// Tells that a further call failed. Whether items are whole without what it would have said: what
    /// may never be asked is left out, and all else of them is told.
    pub(super) fn does_without(&mut self, failure: &Failure) -> bool {
        self.pages.failed(failure);
        failure.why == Why::Denied && self.tags.takes_all()
    }
}

/// Items about which nothing else is asked.
pub(super) fn whole(items: Vec<Json>) -> Vec<(Json, bool)> {
    items.into_iter().map(|item| (item, true)).collect()
}

/// Takes one field of an answer; null where it has none: `answer.map(take("Tags"))`.
pub(super) fn take(key: &'static str) -> impl Fn(Json) -> Json {
    move |mut answer| answer.get_mut(key).map(Json::take).unwrap_or_default()
}

/// The items that are listed under this key, objects all; takes them out.
pub(super) fn items(of: &mut Json, key: &str) -> Vec<Json> {
    of.get_mut(key).map(objects).unwrap_or_default()
}

/// The items of a list, objects all; takes them out of it.
pub(super) fn objects(list: &mut Json) -> Vec<Json> {
    match list.take() {
        Json::Array(mut items) => {
            items.retain(Json::is_object);
            items
        }
        _ => Vec::new(),
    }
}
