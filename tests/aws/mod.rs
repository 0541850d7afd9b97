//! Scans of an AWS account. Each test builds the account of `account.py` in its own moto.

mod changes;
mod edges;
mod scan;
mod telemetry;
