//! RDS subnet groups.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, take_field};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
};

pub(super) struct DbSubnetGroup;

#[async_trait]
impl ResourceKind for DbSubnetGroup {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::RDS::DBSubnetGroup", AwsService::RDS, "subgrp:*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let mut pages = Pager::new(AwsService::RDS, "DescribeDBSubnetGroups", "DBSubnetGroups");
        while let Some(token) = pages.next() {
            let request = at.rds.describe_db_subnet_groups();
            let request = request.set_db_subnet_group_name(target.id());
            let request = request.max_records(100).set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let groups = response.await?;
            let groups = out
                .add_details(groups, |group| tags(at, arn(&group["DBSubnetGroupArn"])))
                .await;
            out.write_detailed(groups).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let name = &item["DBSubnetGroupName"];
        let mut group = ResourceDraft::new(arn(&item["DBSubnetGroupArn"])?, item);
        group.id(name);
        group.name(name);
        group.edge(kind::PART_OF, at.ec2_arn("vpc/", &item["VpcId"]));
        for subnet in each(&item["Subnets"]) {
            group.edge(
                kind::CONTAINS,
                at.ec2_arn("subnet/", &subnet["SubnetIdentifier"]),
            );
        }
        Some(group)
    }
}

async fn tags(at: &AccountRegion, group: Option<String>) -> DetailResults {
    let request = at.rds.list_tags_for_resource().set_resource_name(group);
    let response = at.call(AwsService::RDS, "ListTagsForResource", |capture| {
        request.customize().interceptor(capture).send()
    });
    vec![("TagList", response.await.map(take_field("TagList")))]
}
