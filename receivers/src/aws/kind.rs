//! The trait of a kind of resource. Each kind is a file in `kinds/` and a line in [`ALL`](super::kinds::ALL).

use async_trait::async_trait;
use serde_json::Value as Json;

use super::draft::ResourceDraft;
use super::failure::ScanFailure;
use super::found::PageWriter;
use super::place::AccountRegion;
use super::service::AwsService;

/// A kind's name, service and ARNs, and when it is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KindInfo {
    name: &'static str,
    service: AwsService,
    /// A pattern of the resource part of its ARNs: `*` stands for one part, `**` for all parts that
    /// follow.
    resource: &'static str,
    is_global: bool,
    phase: ScanPhase,
}

/// When a kind is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScanPhase {
    /// Before the other kinds of its account and region: they reference it by its id alone, and it may belong
    /// to another account. So its owner is known by then.
    First,
    Any,
    /// After all accounts and regions: it references resources of all of them by id alone.
    Last,
}

impl KindInfo {
    /// `KindInfo::regional("AWS::EC2::Subnet", AwsService::EC2, "subnet/*")`
    pub(super) const fn regional(
        name: &'static str,
        service: AwsService,
        resource: &'static str,
    ) -> KindInfo {
        KindInfo {
            name,
            service,
            resource,
            is_global: false,
            phase: ScanPhase::Any,
        }
    }

    /// A kind whose resources are in no region.
    pub(super) const fn global(
        name: &'static str,
        service: AwsService,
        resource: &'static str,
    ) -> KindInfo {
        KindInfo {
            is_global: true,
            ..KindInfo::regional(name, service, resource)
        }
    }

    /// Sets the phase, which is [`ScanPhase::Any`] otherwise.
    pub(super) const fn phase(self, phase: ScanPhase) -> KindInfo {
        KindInfo { phase, ..self }
    }
}

/// A kind of resource.
#[async_trait]
pub(super) trait ResourceKind: Send + Sync {
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

    fn phase(&self) -> ScanPhase {
        self.info().phase
    }

    /// Whether the resource part of an ARN of its service is one of this kind.
    fn owns(&self, resource: &str) -> bool {
        matches_pattern(self.info().resource, resource)
    }

    /// Lists all resources or the targeted one, and writes each page to `out`. A target that does not exist
    /// is an empty list or a failure that [`ScanFailure::is_not_found`].
    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure>;

    /// The resource in the graph that an item of the list becomes; none where the item is to be ignored
    /// (a terminated instance).
    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft>;
}

/// What to list: all resources of a kind, or the one with this uid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListTarget<'a>(pub(super) Option<&'a str>);

impl ListTarget<'_> {
    pub(super) fn is_all(self) -> bool {
        self.0.is_none()
    }

    /// Whether a resource is to be listed: all are, or this is the target's uid or id.
    pub(super) fn includes(self, name: &Json) -> bool {
        self.is_all()
            || [self.uid(), self.id()]
                .iter()
                .flatten()
                .any(|own| name == own.as_str())
    }

    pub(super) fn uid(self) -> Option<String> {
        self.0.map(str::to_owned)
    }

    /// The target's id: the part of the uid after its last slash or colon.
    pub(super) fn id(self) -> Option<String> {
        self.0.map(id_of).map(str::to_owned)
    }

    /// The part of the uid after this mark: an id that may contain slashes or colons.
    pub(super) fn id_after(self, mark: &str) -> Option<String> {
        let (_, id) = self.0?.split_once(mark)?;
        Some(id.to_owned())
    }

    /// The uid as a list for a request.
    pub(super) fn uids(self) -> Option<Vec<String>> {
        self.uid().map(|uid| vec![uid])
    }

    /// The id as a list for a request.
    pub(super) fn ids(self) -> Option<Vec<String>> {
        self.id().map(|id| vec![id])
    }

    /// The page size, for operations that accept either ids or a page size.
    pub(super) fn page_size(self, items: i32) -> Option<i32> {
        self.is_all().then_some(items)
    }
}

/// The part of a uid after its last slash or colon.
pub(super) fn id_of(uid: &str) -> &str {
    uid.rsplit(['/', ':']).next().unwrap_or(uid)
}

/// The kind, account and region of a uid; account and region are empty where the ARN has none.
pub(super) fn kind_of_uid<'u>(
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
