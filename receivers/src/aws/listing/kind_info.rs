//! The constant properties of a kind.

use crate::aws::api::AwsService;

/// A kind's name, service and ARNs, and when it is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) struct KindInfo {
    pub(in crate::aws) name: &'static str,
    pub(in crate::aws) service: AwsService,
    /// A pattern of the resource part of its ARNs, whose parts are separated by `/` or `:`. `*` matches one part, and
    /// `**` all remaining parts.
    pub(in crate::aws) resource: &'static str,
    /// Whether it is listed once per account, and not once per region.
    pub(in crate::aws) is_global: bool,
    pub(in crate::aws) phase: ScanPhase,
}

/// When a kind is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum ScanPhase {
    /// Before the other kinds of its account and region. They reference its resources by id alone, although another
    /// account may own them. Its scan records the owners.
    First,
    Any,
    /// After the other kinds of all accounts and regions, whose resources it references by id alone.
    Last,
}

impl KindInfo {
    /// A kind that is listed once per account and region:
    /// `KindInfo::regional("AWS::EC2::Subnet", AwsService::EC2, "subnet/*")`
    pub(in crate::aws) const fn regional(
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

    /// A kind that is listed once per account.
    pub(in crate::aws) const fn global(
        name: &'static str,
        service: AwsService,
        resource: &'static str,
    ) -> KindInfo {
        KindInfo {
            is_global: true,
            ..KindInfo::regional(name, service, resource)
        }
    }

    /// Sets the phase. The default is [`ScanPhase::Any`].
    pub(in crate::aws) const fn phase(self, phase: ScanPhase) -> KindInfo {
        KindInfo { phase, ..self }
    }
}
