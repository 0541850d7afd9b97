//! Subnet groups of RDS.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct DbSubnetGroup;

#[async_trait]
impl Kind for DbSubnetGroup {
    fn about(&self) -> About {
        About::regional("AWS::RDS::DBSubnetGroup", Service::RDS, "subgrp:*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(Service::RDS, "DescribeDBSubnetGroups", "DBSubnetGroups");
        while let Some(token) = pages.next() {
            let request = at.rds.describe_db_subnet_groups();
            let request = request.set_db_subnet_group_name(only.id());
            let request = request.max_records(100).set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let groups = answer.await?;
            let groups = found
                .more(groups, |group| tags(at, arn(&group["DBSubnetGroupArn"])))
                .await;
            found.checked(groups).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let name = &item["DBSubnetGroupName"];
        let mut group = Draft::new(arn(&item["DBSubnetGroupArn"])?, item);
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

async fn tags(at: &Place, group: Option<String>) -> Answers {
    let request = at.rds.list_tags_for_resource().set_resource_name(group);
    let answer = at.call(Service::RDS, "ListTagsForResource", |capture| {
        request.customize().interceptor(capture).send()
    });
    vec![("TagList", answer.await.map(take("TagList")))]
}
