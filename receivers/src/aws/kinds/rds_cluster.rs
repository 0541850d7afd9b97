//! RDS clusters.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each, port};
use crate::aws::found::Found;
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

pub(super) struct DbCluster;

#[async_trait]
impl Kind for DbCluster {
    fn about(&self) -> About {
        About::regional("AWS::RDS::DBCluster", Service::RDS, "cluster:*")
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let ask = |token, capture| {
            let request = at
                .rds
                .describe_db_clusters()
                .set_db_cluster_identifier(only.id());
            let request = request.max_records(100).set_marker(token);
            request.customize().interceptor(capture).send()
        };
        found
            .all(Service::RDS, "DescribeDBClusters", "DBClusters", ask)
            .await
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let id = &item["DBClusterIdentifier"];
        let mut cluster = Draft::new(arn(&item["DBClusterArn"])?, item);
        cluster.without(&[
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
