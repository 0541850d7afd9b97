//! The trait of a kind of resource. Each kind is a file in `kinds/` and a line in [`ALL`](crate::aws::kinds::ALL).

use async_trait::async_trait;
use serde_json::Value as Json;

use super::draft::ResourceDraft;
use super::kind_info::{KindInfo, ScanPhase};
use super::list_target::ListTarget;
use super::page_writer::PageWriter;
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};

/// A kind of resource.
#[async_trait]
pub(in crate::aws) trait ResourceKind: Send + Sync {
    /// Its name, service and ARNs, and when it is scanned.
    fn info(&self) -> KindInfo;

    /// CloudFormation's name of the type: `AWS::EC2::Subnet`.
    fn name(&self) -> &'static str {
        self.info().name
    }

    /// The service whose API lists it.
    fn service(&self) -> AwsService {
        self.info().service
    }

    /// Whether it is listed once per account, and not once per region.
    fn is_global(&self) -> bool {
        self.info().is_global
    }

    /// When it is scanned.
    fn phase(&self) -> ScanPhase {
        self.info().phase
    }

    /// Whether the resource part of an ARN matches this kind. The ARN must be of the kind's service.
    fn owns(&self, resource: &str) -> bool {
        matches_pattern(self.info().resource, resource)
    }

    /// Lists all resources or the targeted one, and writes each page to `out`.
    ///
    /// # Errors
    /// If a list call fails, or the rows of a page are not acknowledged. If the target does not exist, either writes no
    /// resource or returns a failure with [`FailureReason::NotFound`](crate::aws::FailureReason::NotFound).
    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure>;

    /// Drafts the resource of a listed item. Returns `None` for an item to ignore, such as a terminated instance.
    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft>;
}

/// Returns the kind, account and region of a uid. The account or region is empty if the ARN has none.
pub(in crate::aws) fn kind_of_uid<'u>(
    kinds: &[&'static dyn ResourceKind],
    uid: &'u str,
) -> Option<(&'static dyn ResourceKind, &'u str, &'u str)> {
    let mut parts = uid.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    let resource = parts.next()?;
    let is_kind = |kind: &&&dyn ResourceKind| kind.service().0 == service && kind.owns(resource);
    let kind = kinds.iter().find(is_kind)?;
    Some((*kind, account, region))
}

/// Whether the resource part of an ARN matches a pattern ([`KindInfo::resource`]).
fn matches_pattern(pattern: &str, resource: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == resource;
    };
    let left = resource.strip_prefix(before).unwrap_or_default();
    if left.is_empty() || after == "*" {
        return !left.is_empty();
    }
    let part = left.find(['/', ':']).unwrap_or(left.len());
    matches_pattern(after, &left[part..])
}
