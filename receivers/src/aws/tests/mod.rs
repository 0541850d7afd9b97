//! Whole scans of two kinds against a fake of ours, for what no server offers on demand: pages,
//! throttling, failures of all sorts. (All kinds against a real emulator are in the whole-process
//! tests.)

mod failures;
mod fake;
mod graph;
mod leases;
mod retired;
mod routes;
mod scans;
mod shared;
mod tags;
