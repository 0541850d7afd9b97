//! The shop's cloud as a scan reports it. It depends only on the seed and the situation.

mod compute;
mod database;
mod names;
mod network;
mod pods;
mod resource;
mod scan;

pub(super) use names::{ACCOUNT, CLUSTER_NAME, DemoNames, REGION};
pub(super) use scan::{resources, rows};
