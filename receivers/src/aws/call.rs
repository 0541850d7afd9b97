//! One call: sent when its service's rate allows, its answer read as JSON.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;
use serde_json::Value as Json;

use super::failure::{Call, Failure};
use super::found::objects;
use super::place::Place;
use super::service::Service;
use super::shapes::{Table, decode};

/// Bytes of an answer that are read at once; more are read on a thread that may block.
const LARGE: usize = 64 << 10;

/// Keeps the body of the last answer that is no error, as it came: to be given to the request that is
/// sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture(Arc<Mutex<Option<Bytes>>>);

impl Capture {
    fn body(&self) -> MutexGuard<'_, Option<Bytes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Capture {
    fn name(&self) -> &'static str {
        "Capture"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let body = response.body().bytes().map(Bytes::copy_from_slice);
        *self.body() = body.filter(|_| response.status().is_success());
        Ok(())
    }
}

impl Place {
    /// The answer of one call as the JSON that the API's own models describe.
    pub(super) async fn call<F, O, E, R>(
        &self,
        service: Service,
        operation: &'static str,
        send: impl FnOnce(Capture) -> F,
    ) -> Result<Json, Failure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>>,
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let call = || self.named(service, operation);
        self.limits.wait(service).await;
        let capture = Capture::default();
        // Boxed: a request of the SDK is several kilobytes of future.
        let sent = Box::pin(send(capture.clone())).await;
        let body = match (capture.body().take(), sent) {
            // Also what the SDK cannot read: it insists on more than the tables do.
            (Some(body), _) => body,
            (None, Err(error)) => return Err(Failure::of(call(), &error)),
            (None, Ok(_)) => return Err(Failure::malformed(call(), "it has no body")),
        };
        let table = Table::of(service.0);
        if body.len() <= LARGE {
            return decode(table, operation, &body)
                .map_err(|malformed| Failure::malformed(call(), malformed));
        }
        let decoded = tokio::task::spawn_blocking(move || decode(table, operation, &body)).await;
        match decoded {
            Ok(decoded) => decoded.map_err(|malformed| Failure::malformed(call(), malformed)),
            Err(error) => Err(Failure::malformed(call(), error)),
        }
    }

    /// Takes out of an answer what it must have: whoever else answers in AWS's place says no such thing,
    /// and that is not to be taken for nothing being there.
    pub(super) fn must_have(
        &self,
        (service, operation): (Service, &'static str),
        mut answer: Json,
        key: &str,
    ) -> Result<Json, Failure> {
        match answer.get_mut(key).map(Json::take) {
            Some(value @ (Json::Array(_) | Json::Object(_))) => Ok(value),
            _ => {
                let reason = format!("it has no {key}");
                Err(Failure::malformed(self.named(service, operation), reason))
            }
        }
    }

    pub(super) fn named(&self, service: Service, operation: &'static str) -> Call {
        Call {
            service,
            operation,
            region: self.region.as_str().into(),
            account: self.account.as_str().into(),
        }
    }
}

/// Goes through the pages of one operation.
///
/// ```text
/// let mut pages = Pager::new(Service::EC2, "DescribeVpcs", "Vpcs");
/// while let Some(token) = pages.next() {
///     let request = at.ec2.describe_vpcs().set_next_token(token);
///     let vpcs = pages.call(at, |capture| request.customize().interceptor(capture).send()).await?;
/// }
/// ```
#[derive(Debug)]
pub(super) struct Pager {
    service: Service,
    operation: &'static str,
    /// The field of each answer that lists the items.
    list: &'static str,
    last: Option<String>,
    /// None at the end.
    next: Option<Option<String>>,
}

impl Pager {
    pub(super) fn new(service: Service, operation: &'static str, list: &'static str) -> Pager {
        Pager {
            service,
            operation,
            list,
            last: None,
            next: Some(None),
        }
    }

    /// The token to ask the next page with, none for the first; and none at the end.
    pub(super) fn next(&mut self) -> Option<Option<String>> {
        let next = self.next.take()?;
        self.last.clone_from(&next);
        Some(next)
    }

    /// The items of one page, objects all.
    pub(super) async fn call<F, O, E, R>(
        &mut self,
        at: &Place,
        send: impl FnOnce(Capture) -> F,
    ) -> Result<Vec<Json>, Failure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>>,
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let answer = at.call(self.service, self.operation, send).await?;
        let next = next_token(&answer).map(str::to_owned);
        if next.is_some() && next == self.last {
            let call = at.named(self.service, self.operation);
            return Err(Failure::malformed(call, "a page leads to itself"));
        }
        self.next = next.map(Some);
        let mut items = at.must_have((self.service, self.operation), answer, self.list)?;
        Ok(objects(&mut items))
    }

    /// The items of all pages.
    pub(super) async fn all<F, O, E, R>(
        mut self,
        at: &Place,
        mut ask: impl FnMut(Option<String>, Capture) -> F + Send,
    ) -> Result<Vec<Json>, Failure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>> + Send,
        O: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
        R: fmt::Debug + Send + 'static,
    {
        let mut all = Vec::new();
        while let Some(token) = self.next() {
            let answer = self.call(at, |capture| ask(token, capture));
            all.extend(answer.await?);
        }
        Ok(all)
    }
}

/// The token of the next page, by whichever of its names the service uses.
fn next_token(answer: &Json) -> Option<&str> {
    let is_last = ["IsTruncated", "Truncated"]
        .iter()
        .any(|key| answer[*key] == false);
    if is_last {
        return None;
    }
    // `Marker` comes last: Route 53 repeats the request's own there.
    let keys = ["NextToken", "NextMarker", "ContinuationToken", "Marker"];
    let token = keys.iter().find_map(|key| answer[*key].as_str())?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::next_token;

    #[test]
    fn the_next_page_has_several_names() {
        let answers = [
            (json!({"NextToken": "t"}), Some("t")),
            (json!({"NextToken": ""}), None),
            (json!({"Marker": "m", "IsTruncated": true}), Some("m")),
            (json!({"Marker": "m", "IsTruncated": false}), None),
            (
                json!({"Marker": "own", "NextMarker": "next", "IsTruncated": true}),
                Some("next"),
            ),
            (json!({"Vpcs": []}), None),
        ];
        for (answer, token) in answers {
            assert_eq!(next_token(&answer), token, "{answer}");
        }
    }
}
