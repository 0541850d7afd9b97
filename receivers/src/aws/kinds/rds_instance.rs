//! RDS instances.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::{Value as Json, json};

use crate::aws::api::fields::{arn, each, port, text};
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

pub(super) struct DbInstance;

#[async_trait]
impl ResourceKind for DbInstance {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::RDS::DBInstance", AwsService::RDS, "db:*")
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let send = |token, capture| {
            let request = at
                .rds
                .describe_db_instances()
                .set_db_instance_identifier(target.id());
            let request = request.max_records(100).set_marker(token);
            request.customize().interceptor(capture).send()
        };
        out.list_all(AwsService::RDS, "DescribeDBInstances", "DBInstances", send)
            .await
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let id = &item["DBInstanceIdentifier"];
        let mut instance = ResourceDraft::new(arn(&item["DBInstanceArn"])?, item);
        instance.remove_fields(&[
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
        // In each of its zones, the instance is in one of the group's subnets there.
        for zone in ["AvailabilityZone", "SecondaryAvailabilityZone"] {
            let zone = text(&item[zone]);
            let is_in = |subnet: &&Json| text(&subnet["SubnetAvailabilityZone"]["Name"]) == zone;
            let candidates = each(&subnets["Subnets"]).filter(|it| zone.is_some() && is_in(it));
            let candidates =
                candidates.filter_map(|it| at.ec2_arn("subnet/", &it["SubnetIdentifier"]));
            instance.edge_to_one_of(kind::PART_OF, candidates.collect());
        }
        instance.edge(
            kind::ENCRYPTED_BY,
            at.key_arn(&at.region, &item["KmsKeyId"]),
        );
        let cluster = at.arn("rds", "cluster:", &item["DBClusterIdentifier"]);
        instance.edge(kind::MEMBER_OF, cluster);
        // A source in another region is referenced by its ARN.
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
