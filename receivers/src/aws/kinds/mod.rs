//! The kinds of resources. Each has a file here and a line in [`ALL`].
//!
//! To add a kind of one of these services: add a file here (copy a similar one), a line in [`ALL`], its actions in
//! `configs/aws-policy.json`, and a resource of the kind in the account of `tests/aws/`. A new service also needs its
//! SDK in `Cargo.toml`, a name in `api/service.rs`, a client in `api/account_region.rs` and, if its API responds in
//! XML, a table that `api/shapes/generate.py` generates. `pipeline/src/impact/rules.rs` lists the edges that an impact
//! walk follows.
//!
//! A scan of all kinds needs the IAM permissions of `configs/aws-policy.json`. If permissions for a kind are
//! missing, the state of its resources is unknown, and the other kinds are scanned.

use crate::aws::listing::ResourceKind;

mod autoscaling_group;
mod documents;
mod ec2_elastic_ip;
mod ec2_instance;
mod ec2_internet_gateway;
mod ec2_launch_template;
mod ec2_nat_gateway;
mod ec2_network_interface;
mod ec2_route_table;
mod ec2_security_group;
mod ec2_security_group_rule;
mod ec2_subnet;
mod ec2_volume;
mod ec2_vpc;
mod elb_listener;
mod elb_load_balancer;
mod elb_target_group;
mod iam_instance_profile;
mod iam_role;
mod kms_key;
mod lambda_function;
mod list_ec2;
mod rds_cluster;
mod rds_instance;
mod rds_subnet_group;
mod route53_hosted_zone;
mod route53_record_set;
mod s3_bucket;
mod tags;
#[cfg(test)]
mod tests;

/// All kinds. Within a `ScanPhase` of an account and region, scans start in this order.
pub(super) const ALL: &[&dyn ResourceKind] = &[
    &ec2_vpc::Vpc,
    &ec2_subnet::Subnet,
    &ec2_security_group::SecurityGroup,
    &ec2_security_group_rule::SecurityGroupRule,
    &ec2_internet_gateway::InternetGateway,
    &ec2_nat_gateway::NatGateway,
    &ec2_route_table::RouteTable,
    &ec2_network_interface::NetworkInterface,
    &ec2_elastic_ip::ElasticIp,
    &ec2_instance::Instance,
    &ec2_volume::Volume,
    &ec2_launch_template::LaunchTemplate,
    &autoscaling_group::AutoScalingGroup,
    &elb_load_balancer::LoadBalancer,
    &elb_listener::Listener,
    &elb_target_group::TargetGroup,
    &rds_subnet_group::DbSubnetGroup,
    &rds_cluster::DbCluster,
    &rds_instance::DbInstance,
    &lambda_function::Function,
    &kms_key::Key,
    &s3_bucket::Bucket,
    &iam_role::Role,
    &iam_instance_profile::InstanceProfile,
    &route53_hosted_zone::HostedZone,
    &route53_record_set::RecordSet,
];
