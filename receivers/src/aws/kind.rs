//! What a kind of resource is: a file in `kinds/`, and a line in its list.

use async_trait::async_trait;
use serde_json::Value as Json;

use super::draft::Draft;
use super::failure::Failure;
use super::found::Found;
use super::place::Place;
use super::service::Service;

/// What a kind is called and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct About {
    name: &'static str,
    service: Service,
    /// What the resource part of its ARNs looks like: `*` stands for one part, `**` for all that
    /// follows.
    resource: &'static str,
    is_global: bool,
    turn: Turn,
}

/// When a kind is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Before others of its account and region, which name it by its id alone, though it may be another
    /// account's: so that it is known whose it is.
    First,
    Any,
    /// After all accounts and regions: it names so what is in any of them.
    Last,
}

impl About {
    /// `About::regional("AWS::EC2::Subnet", Service::EC2, "subnet/*")`
    pub(super) const fn regional(
        name: &'static str,
        service: Service,
        resource: &'static str,
    ) -> About {
        About {
            name,
            service,
            resource,
            is_global: false,
            turn: Turn::Any,
        }
    }

    /// Of what is in no region.
    pub(super) const fn global(
        name: &'static str,
        service: Service,
        resource: &'static str,
    ) -> About {
        About {
            is_global: true,
            ..About::regional(name, service, resource)
        }
    }

    /// When it is scanned, where that is not all the same.
    pub(super) const fn turn(self, turn: Turn) -> About {
        About { turn, ..self }
    }
}

/// A kind of resource.
#[async_trait]
pub(super) trait Kind: Send + Sync {
    fn about(&self) -> About;

    /// CloudFormation's name of the type: `AWS::EC2::Subnet`.
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// Whose API lists it.
    fn service(&self) -> Service {
        self.about().service
    }

    /// Whether it is in no region: then it is listed once an account.
    fn is_global(&self) -> bool {
        self.about().is_global
    }

    /// When it is scanned.
    fn turn(&self) -> Turn {
        self.about().turn
    }

    /// Whether the resource part of an ARN of its service names one of the kind.
    fn owns(&self, resource: &str) -> bool {
        fits(self.about().resource, resource)
    }

    /// Lists all of them, or the one that is asked for, and gives each page to `found`. A resource
    /// that is asked for and not there is an empty list or [`Failure::is_not_found`].
    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure>;

    /// What an item of the list is in the graph; none of what does not count (a terminated instance).
    fn draft(&self, item: &Json, at: &Place) -> Option<Draft>;
}

/// All, or one by its uid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Only<'a>(pub(super) Option<&'a str>);

impl Only<'_> {
    pub(super) fn is_all(self) -> bool {
        self.0.is_none()
    }

    /// Whether it is asked for: all are, or this is its uid or its id.
    pub(super) fn is(self, name: &Json) -> bool {
        self.is_all()
            || [self.uid(), self.id()]
                .iter()
                .flatten()
                .any(|own| name == own.as_str())
    }

    /// The uid that is asked for.
    pub(super) fn uid(self) -> Option<String> {
        self.0.map(str::to_owned)
    }

    /// Its id: what stands behind the last slash or colon of the uid.
    pub(super) fn id(self) -> Option<String> {
        self.0.map(id_of).map(str::to_owned)
    }

    /// What stands behind this in the uid: an id in which slashes or colons may be.
    pub(super) fn behind(self, mark: &str) -> Option<String> {
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

    /// How many items a page may have, for those who may not be asked for both.
    pub(super) fn page(self, items: i32) -> Option<i32> {
        self.is_all().then_some(items)
    }
}

/// What stands behind the last slash or colon of a uid.
pub(super) fn id_of(uid: &str) -> &str {
    uid.rsplit(['/', ':']).next().unwrap_or(uid)
}

/// Which kind a uid is of, and where it is: account and region, empty where the ARN has none.
pub(super) fn of_uid<'u>(
    kinds: &[&'static dyn Kind],
    uid: &'u str,
) -> Option<(&'static dyn Kind, &'u str, &'u str)> {
    let mut parts = uid.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    let resource = parts.next()?;
    let owner = |kind: &&&dyn Kind| kind.service().0 == service && kind.owns(resource);
    let kind = kinds.iter().find(owner)?;
    Some((*kind, account, region))
}

/// Whether the resource part of an ARN is what a pattern says.
fn fits(pattern: &str, resource: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == resource;
    };
    let left = resource.strip_prefix(before).unwrap_or_default();
    if left.is_empty() || after == "*" {
        return !left.is_empty();
    }
    let part = left.find(['/', ':']).unwrap_or(left.len());
    fits(after, &left[part..])
}
