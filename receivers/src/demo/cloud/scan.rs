//! Scans all resources: writes the rows of `resources`.

use pipeline::component::UnixNanos;
use pipeline::resource::ScanContext;
use pipeline::rows::Rows;
use pipeline::schema::nodes;
use pipeline::{Batch, Delivery, Signal};

use super::names::DemoNames;
use super::resource::DemoResource;
use super::{compute, database, network, pods};
use crate::demo::script::Situation;

/// All resources, grouped by kind.
pub(in crate::demo) fn resources(names: DemoNames, situation: &Situation) -> Vec<DemoResource> {
    let mut all = vec![network::vpc(names)];
    all.extend(network::subnets(names));
    all.extend(network::security_groups(names, situation.open));
    all.extend(compute::instances(names));
    all.push(database::database(names));
    all.push(network::load_balancer(names));
    all.extend(pods::pods(names, situation.deploys));
    all
}

/// The rows of a scan of these resources. The rows of each scope end with the completion of its scan.
pub(in crate::demo) fn rows(
    resources: &[DemoResource],
    source: &str,
    scan_id: &str,
    began: UnixNanos,
) -> Batch {
    let mut rows = Rows::new(Signal::Resources);
    for scope in resources.chunk_by(|resource, next| resource.kind == next.kind) {
        let scan = ScanContext {
            source,
            group: nodes::group::ACTUAL,
            scope: &scope[0].scope(),
            id: Some(scan_id),
            began,
        };
        let reported: Vec<_> = scope.iter().map(DemoResource::to_pipeline).collect();
        scan.push_whole_scan(&mut rows, &reported);
    }
    rows.finish(Delivery::untracked())
}
