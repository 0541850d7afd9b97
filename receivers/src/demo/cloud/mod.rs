//! The company's cloud as a scan tells it: pure, by seed and situation.

mod compute;
mod database;
mod names;
mod network;
mod pods;
mod scan;

pub(super) use names::{ACCOUNT, CLUSTER_NAME, Names, REGION};
pub(super) use scan::{resources, rows};
