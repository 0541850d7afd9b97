//! Says which node of the graph telemetry is about: sets `uid` of `traces`, `metrics` and `logs`,
//! and tells the rest as `nodes`, `edges` and `aliases`.
//!
//! ```yaml
//! processors:
//!   identity: {}
//! ```
//!
//! The uid of a row is the first of these that its resource tells of; a row of none keeps null.
//!
//! | node | attributes |
//! |---|---|
//! | service | `service.name`, `service.namespace`, `deployment.environment.name` (or `deployment.environment`) |
//! | cloud resource | `cloud.resource_id`, else the ARN in `aws.lambda.invoked_arn` or `faas.id`; without a Lambda's alias or version |
//! | ECS task | `aws.ecs.task.arn` |
//! | Kubernetes object | `k8s.cluster.uid` with `k8s.pod.uid`, else of its ReplicaSet, Job, StatefulSet, DaemonSet, Deployment, CronJob, else `k8s.node.uid` |
//! | EC2 instance | `host.id` of an instance with `cloud.account.id` and `cloud.region`; any other is a machine id |
//!
//! All of them are told as facts of the group `telemetry`: `service RUNS_ON pod RUNS_ON node
//! RUNS_ON instance`, each link where both ends are known, and `pod OWNED_BY replicaset`. A
//! container has no uid: its id is another name of its pod or task.
//!
//! Where `Resource.entity_refs` name a type of this table, the resource is about those entities
//! alone: a `host` that is not among them is not joined.
//!
//! A row whose uid is set keeps it. What was told is told again a minute of the rows' own time
//! later, a new value at once, and what was not delivered with the next row that says it.

use pipeline::component::{BuildError, Host, ProcessError, Processor, UnixNanos};
use pipeline::registry::{BuildProcessor, Described, Stability};
use pipeline::{Batch, Signal, SignalSet};

mod cloud;
mod config;
mod distinct;
mod entities;
mod found;
mod kubernetes;
mod recent;
mod told;

pub use config::Config;

use distinct::Distinct;
use told::Told;

#[derive(Debug)]
pub struct Identity {
    told: Told,
}

impl Described for Identity {
    const TYPE: &'static str = "identity";
    const STABILITY: Stability = Stability::Alpha;
    const SUMMARY: &'static str = "telemetry is given the node that it is about";
    type Config = Config;
}

impl BuildProcessor for Identity {
    const ACCEPTS: SignalSet = SignalSet::TELEMETRY;
    const PRODUCES: SignalSet = SignalSet::of(&[Signal::Nodes, Signal::Edges, Signal::Aliases]);

    fn build(_: Config, host: &Host) -> Result<Identity, BuildError> {
        let wanted = host.wanted().intersection(Self::PRODUCES);
        Ok(Identity {
            told: Told::new(host.id().to_string(), wanted),
        })
    }
}

impl Processor for Identity {
    fn process(&mut self, batch: Batch, now: UnixNanos) -> Result<Vec<Batch>, ProcessError> {
        if !SignalSet::TELEMETRY.contains(batch.signal()) {
            return Ok(vec![batch]);
        }
        self.told.settle();
        let distinct = Distinct::of(&batch);
        let mut uids = Vec::with_capacity(distinct.resources.len());
        for resource in &distinct.resources {
            let found = found::of_row(&batch, resource.row);
            let newest = resource.newest.map_or(now, |newest| newest.min(now));
            self.told.tell(&found, newest);
            uids.push(found.uid().map(str::to_owned));
        }
        let mut made = self.told.take(batch.delivery());
        let uids = distinct.uids(&uids, batch.uid());
        made.push(batch.with_uid(uids));
        Ok(made)
    }
}

#[cfg(test)]
mod tests;
