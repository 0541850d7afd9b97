//! Security groups, and the groups from which they allow traffic.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::api::fields::each;
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{
    KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind, ScanPhase,
};

use super::list_ec2::list_ec2;

pub(super) struct SecurityGroup;

#[async_trait]
impl ResourceKind for SecurityGroup {
    fn info(&self) -> KindInfo {
        KindInfo::regional(
            "AWS::EC2::SecurityGroup",
            AwsService::EC2,
            "security-group/*",
        )
        .phase(ScanPhase::First)
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(
            at.describe_security_groups.set_group_ids(target) => out,
            "DescribeSecurityGroups",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut group = ResourceDraft::ec2("security-group/", "GroupId", item, at)?;
        group.name(&item["GroupName"]);
        group.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
        for permission in each(&item["IpPermissions"]) {
            let properties = json!({"Ports": [ports(permission)]});
            for pair in each(&permission["UserIdGroupPairs"]) {
                let other = at.ec2_arn_of(&pair["UserId"], "security-group/", &pair["GroupId"]);
                group.edge_with(kind::ALLOWS_TRAFFIC_FROM, other, properties.clone());
            }
        }
        Some(group)
    }
}

/// `tcp/443`, `udp/9000-9100`, `icmp`, or `all`. For ICMP the port fields hold type and code.
fn ports(permission: &Json) -> String {
    let protocol = match permission["IpProtocol"].as_str() {
        None | Some("-1") => return "all".to_owned(),
        Some(protocol) => protocol,
    };
    let number = |field: &str| permission[field].as_i64().filter(|number| *number >= 0);
    match (number("FromPort"), number("ToPort")) {
        (None, _) => protocol.to_owned(),
        (Some(first), Some(last)) if last != first => format!("{protocol}/{first}-{last}"),
        (Some(only), _) => format!("{protocol}/{only}"),
    }
}
