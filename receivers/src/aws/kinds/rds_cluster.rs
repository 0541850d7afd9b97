//! RDS clusters.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each, port};
use crate::aws::api::{AccountRegion, AwsService, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

pub(super) struct DbCluster;

#[async_trait]
impl ResourceKind for DbCluster {
    fn info(&self) -> KindInfo {
        KindInfo::regional("AWS::RDS::DBCluster", AwsService::RDS, "cluster:*")
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
                .describe_db_clusters()
                .set_db_cluster_identifier(target.id());
            let request = request.max_records(100).set_marker(token);
            request.customize().interceptor(capture).send()
        };
        out.list_all(AwsService::RDS, "DescribeDBClusters", "DBClusters", send)
            .await
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let id = &item["DBClusterIdentifier"];
        let mut cluster = ResourceDraft::new(arn(&item["DBClusterArn"])?, item);
        cluster.remove_fields(&[
            "LatestRestorableTime",
            "EarliestRestorableTime",
            "EarliestBacktrackTime",
            "BacktrackConsumedChangeRecords",
            "Capacity",
            "PercentProgress",
        ]);
        cluster.id(id);
        cluster.name(id);
        for group in each(&item["VpcSecurityGroups"]) {
            let group = at.ec2_arn("security-group/", &group["VpcSecurityGroupId"]);
            cluster.edge(kind::SECURED_BY, group);
        }
        cluster.edge(
            kind::PART_OF,
            at.arn("rds", "subgrp:", &item["DBSubnetGroup"]),
        );
        cluster.edge(
            kind::ENCRYPTED_BY,
            at.key_arn(&at.region, &item["KmsKeyId"]),
        );
        for endpoint in ["Endpoint", "ReaderEndpoint"] {
            cluster.host(&item[endpoint], port(&item["Port"]));
        }
        Some(cluster)
    }
}
