//! RDS instances.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, port, text};
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct DbInstance;

#[async_trait]
impl Kind for DbInstance {
    fn about(&self) -> About {
        About::regional("AWS::RDS::DBInstance", Service::RDS, "db:*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let ask = |token, capture| {
            let request = at
                .rds
                .describe_db_instances()
                .set_db_instance_identifier(only.id());
            let request = request.max_records(100).set_marker(token);
            request.customize().interceptor(capture).send()
        };
        found
            .all(Service::RDS, "DescribeDBInstances", "DBInstances", ask)
            .await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let id = &item["DBInstanceIdentifier"];
        let mut instance = Draft::new(arn(&item["DBInstanceArn"])?, item);
        instance.without(&[
            "LatestRestorableTime",
            "PercentProgress",
            "StorageOperationPercentProgress",
        ]);
        instance.id(id);
        instance.name(id);
        for group in each(&item["VpcSecurityGroups"]) {
            let group = at.ec2_arn("security-group/", &group["VpcSecurityGroupId"]);
            instance.edge(kind::SECURED_BY, group);
        }
        let subnets = &item["DBSubnetGroup"];
        let by_name = || at.arn("rds", "subgrp:", &subnets["DBSubnetGroupName"]);
        instance.edge(
            kind::PART_OF,
            arn(&subnets["DBSubnetGroupArn"]).or_else(by_name),
        );
        // Which of the group's subnets it is in follows from the zones that it is in.
        for zone in ["AvailabilityZone", "SecondaryAvailabilityZone"] {
            let zone = text(&item[zone]);
            let is_in = |subnet: &&Json| text(&subnet["SubnetAvailabilityZone"]["Name"]) == zone;
            let of_zone = each(&subnets["Subnets"]).filter(|it| zone.is_some() && is_in(it));
            let of_zone = of_zone.filter_map(|it| at.ec2_arn("subnet/", &it["SubnetIdentifier"]));
            instance.edge_to_one_of(kind::PART_OF, of_zone.collect());
        }
        instance.edge(
            kind::ENCRYPTED_BY,
            at.key_arn(&at.region, &item["KmsKeyId"]),
        );
        let cluster = at.arn("rds", "cluster:", &item["DBClusterIdentifier"]);
        instance.edge(kind::MEMBER_OF, cluster);
        // The source is named by its ARN where it is in another region.
        let source = &item["ReadReplicaSourceDBInstanceIdentifier"];
        let source = match text(source) {
            Some(text) if text.starts_with("arn:") => arn(source),
            _ => at.arn("rds", "db:", source),
        };
        instance.edge_with(kind::ATTACHED_TO, source, json!({"Role": "replica"}));
        let endpoint = &item["Endpoint"];
        instance.host(&endpoint["Address"], port(&endpoint["Port"]));
        Some(instance)
    }
}
