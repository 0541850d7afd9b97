//! Rules of security groups.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, text};
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::list_ec2::list_ec2;

pub(super) struct SecurityGroupRule;

#[async_trait]
impl ResourceKind for SecurityGroupRule {
    fn info(&self) -> KindInfo {
        KindInfo::regional(
            "AWS::EC2::SecurityGroupRule",
            AwsService::EC2,
            "security-group-rule/*",
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        list_ec2!(
            at.describe_security_group_rules.set_security_group_rule_ids(target) => out,
            "DescribeSecurityGroupRules",
            1000
        )
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let mut rule = ResourceDraft::ec2("security-group-rule/", "SecurityGroupRuleId", item, at)?;
        if let Some(arn) = arn(&item["SecurityGroupRuleArn"]) {
            rule.uid = arn;
        }
        let group = at.ec2_arn_of(&item["GroupOwnerId"], "security-group/", &item["GroupId"]);
        rule.edge(kind::PART_OF, group);
        if item["IsEgress"] == true {
            return Some(rule);
        }
        let other = &item["ReferencedGroupInfo"];
        let network = |field: &str| text(&item[field]).map(|cidr| uid::external(cidr, None));
        let allowed = [
            at.ec2_arn_of(&other["UserId"], "security-group/", &other["GroupId"]),
            at.ec2_arn("prefix-list/", &item["PrefixListId"]),
            network("CidrIpv4"),
            network("CidrIpv6"),
        ];
        for from in allowed {
            rule.edge(kind::ALLOWS_TRAFFIC_FROM, from);
        }
        Some(rule)
    }
}
