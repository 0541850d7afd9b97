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

    /// Whether it is in no region. Then it is listed once per account.
    fn is_global(&self) -> bool {
        self.info().is_global
    }

    /// When it is scanned.
    fn phase(&self) -> ScanPhase {
        self.info().phase
    }

    /// Whether the resource part of an ARN of its service belongs to this kind.
    fn owns(&self, resource: &str) -> bool {
        matches_pattern(self.info().resource, resource)
    }

    /// Lists all resources or the targeted one, and writes each page to `out`.
    ///
    /// # Errors
    /// If a call of the list fails, or the rows of a page are not acknowledged. For a target that does not
    /// exist it writes no resource, or returns a failure that [`ScanFailure::is_not_found`].
    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure>;

    /// Drafts the resource for an item of the list; none for an item to ignore, such as a terminated instance.
    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft>;
}

/// The kind, account and region of a uid; account and region are empty where the ARN has none.
pub(in crate::aws) fn kind_of_uid<'u>(
    kinds: &[&'static dyn ResourceKind],
    uid: &'u str,
) -> Option<(&'static dyn ResourceKind, &'u str, &'u str)> {
    let mut parts = uid.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    let resource = parts.next()?;
    let owner = |kind: &&&dyn ResourceKind| kind.service().0 == service && kind.owns(resource);
    let kind = kinds.iter().find(owner)?;
    Some((*kind, account, region))
}

/// Whether the resource part of an ARN matches a pattern.
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
