//! The name, service and ARNs of a kind, and when it is scanned.

use crate::aws::api::AwsService;

/// A kind's name, service and ARNs, and when it is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) struct KindInfo {
    pub(in crate::aws) name: &'static str,
    pub(in crate::aws) service: AwsService,
    /// A pattern of the resource part of its ARNs: `*` stands for one part, `**` for all parts that
    /// follow.
    pub(in crate::aws) resource: &'static str,
    pub(in crate::aws) is_global: bool,
    pub(in crate::aws) phase: ScanPhase,
}

/// When a kind is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum ScanPhase {
    /// Before the other kinds of its account and region: they reference it by its id alone, and it may belong
    /// to another account. After its scan the owner is known.
    First,
    Any,
    /// After the other kinds of all accounts and regions: it references resources of all of them by id alone.
    Last,
}

impl KindInfo {
    /// A kind whose resources are in a region:
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

    /// A kind whose resources are in no region.
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

    /// Sets the phase, which is [`ScanPhase::Any`] otherwise.
    pub(in crate::aws) const fn phase(self, phase: ScanPhase) -> KindInfo {
        KindInfo { phase, ..self }
    }
}
