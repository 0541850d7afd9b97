//! Makes API calls within the rate limits, and reads the responses as JSON.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use bytes::Bytes;
use pipeline::sync::lock;
use serde_json::Value as Json;

use super::account_region::AccountRegion;
use super::failure::{AwsCall, ScanFailure};
use super::fields::take_objects;
use super::service::AwsService;
use super::shapes::{ShapeTable, decode};

/// The size in bytes up to which a response is decoded on the calling thread. A larger response is decoded on a
/// blocking thread.
const INLINE_DECODE_LIMIT: usize = 64 << 10;

/// An interceptor of the SDK that keeps the body of the last successful response as it was received.
#[derive(Clone, Debug, Default)]
pub(in crate::aws) struct Capture(Arc<Mutex<Option<Bytes>>>);

impl Capture {
    fn body(&self) -> MutexGuard<'_, Option<Bytes>> {
        lock(&self.0)
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

impl AccountRegion {
    /// Makes one call. Returns the response as JSON with the field names of the API's own models.
    pub(in crate::aws) async fn call<F, O, E, R>(
        &self,
        service: AwsService,
        operation: &'static str,
        send: impl FnOnce(Capture) -> F,
    ) -> Result<Json, ScanFailure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>>,
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let call = || self.api_call(service, operation);
        self.limits.wait(service).await;
        let capture = Capture::default();
        // Boxed: the future of an SDK request takes several kilobytes.
        let sent = Box::pin(send(capture.clone())).await;
        let body = match (capture.body().take(), sent) {
            // The body is used even if the SDK cannot parse it: the SDK requires fields that the shape tables do not.
            (Some(body), _) => body,
            (None, Err(error)) => return Err(ScanFailure::from_sdk(call(), &error)),
            (None, Ok(_)) => {
                return Err(ScanFailure::malformed(call(), "the response has no body"));
            }
        };
        let table = ShapeTable::of(service.0);
        if body.len() <= INLINE_DECODE_LIMIT {
            return decode(table, operation, &body)
                .map_err(|malformed| ScanFailure::malformed(call(), malformed));
        }
        let decoded = tokio::task::spawn_blocking(move || decode(table, operation, &body)).await;
        match decoded {
            Ok(decoded) => decoded.map_err(|malformed| ScanFailure::malformed(call(), malformed)),
            Err(error) => Err(ScanFailure::malformed(call(), error)),
        }
    }

    /// Takes a required list or object out of a response. A response without it, from a server that is not AWS, is an
    /// error: as an empty list it would delete resources.
    pub(in crate::aws) fn require_field(
        &self,
        (service, operation): (AwsService, &'static str),
        mut response: Json,
        key: &str,
    ) -> Result<Json, ScanFailure> {
        match response.get_mut(key).map(Json::take) {
            Some(value @ (Json::Array(_) | Json::Object(_))) => Ok(value),
            _ => {
                let reason = format!("the response has no {key}");
                Err(ScanFailure::malformed(
                    self.api_call(service, operation),
                    reason,
                ))
            }
        }
    }

    /// Describes a call of this account and region, for error messages.
    pub(in crate::aws) fn api_call(&self, service: AwsService, operation: &'static str) -> AwsCall {
        AwsCall {
            service,
            operation,
            region: self.region.as_str().into(),
            account: self.account.as_str().into(),
        }
    }
}

/// Reads the pages of one operation.
///
/// ```text
/// let mut pages = Pager::new(AwsService::EC2, "DescribeVpcs", "Vpcs");
/// while let Some(token) = pages.next() {
///     let request = at.ec2.describe_vpcs().set_next_token(token);
///     let vpcs = pages.call(at, |capture| request.customize().interceptor(capture).send()).await?;
/// }
/// ```
#[derive(Debug)]
pub(in crate::aws) struct Pager {
    service: AwsService,
    operation: &'static str,
    /// The field of each response that lists the items.
    list: &'static str,
    /// The token of the page that was requested last.
    last: Option<String>,
    /// The token of the next page: `Some(None)` for the first page, `None` after the last page.
    next: Option<Option<String>>,
}

impl Pager {
    pub(in crate::aws) fn new(
        service: AwsService,
        operation: &'static str,
        list: &'static str,
    ) -> Pager {
        Pager {
            service,
            operation,
            list,
            last: None,
            next: Some(None),
        }
    }

    /// Returns the token of the next page: `Some(None)` for the first page, `None` after the last page.
    pub(in crate::aws) fn next(&mut self) -> Option<Option<String>> {
        let next = self.next.take()?;
        self.last.clone_from(&next);
        Some(next)
    }

    /// Requests one page and returns the objects in its list.
    pub(in crate::aws) async fn call<F, O, E, R>(
        &mut self,
        at: &AccountRegion,
        send: impl FnOnce(Capture) -> F,
    ) -> Result<Vec<Json>, ScanFailure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>>,
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
    {
        let response = at.call(self.service, self.operation, send).await?;
        let next = next_token(&response).map(str::to_owned);
        if next.is_some() && next == self.last {
            let call = at.api_call(self.service, self.operation);
            return Err(ScanFailure::malformed(
                call,
                "the token of the next page is that of the page itself",
            ));
        }
        self.next = next.map(Some);
        let mut items = at.require_field((self.service, self.operation), response, self.list)?;
        Ok(take_objects(&mut items))
    }

    /// Requests all pages and returns their items.
    pub(in crate::aws) async fn all<F, O, E, R>(
        mut self,
        at: &AccountRegion,
        mut send: impl FnMut(Option<String>, Capture) -> F + Send,
    ) -> Result<Vec<Json>, ScanFailure>
    where
        F: Future<Output = Result<O, SdkError<E, R>>> + Send,
        O: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
        R: fmt::Debug + Send + 'static,
    {
        let mut all = Vec::new();
        while let Some(token) = self.next() {
            let response = self.call(at, |capture| send(token, capture));
            all.extend(response.await?);
        }
        Ok(all)
    }
}

/// The token of the next page. The name of its field depends on the service.
fn next_token(response: &Json) -> Option<&str> {
    let is_last = ["IsTruncated", "Truncated"]
        .iter()
        .any(|key| response[*key] == false);
    if is_last {
        return None;
    }
    // `Marker` comes last: Route 53 repeats the marker of the request in it.
    let keys = ["NextToken", "NextMarker", "ContinuationToken", "Marker"];
    let token = keys.iter().find_map(|key| response[*key].as_str())?;
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::next_token;

    #[test]
    fn next_token_is_read_from_each_of_its_fields() {
        let responses = [
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
        for (response, token) in responses {
            assert_eq!(next_token(&response), token, "{response}");
        }
    }
}
