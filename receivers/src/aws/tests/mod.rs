//! Whole scans of a few kinds against a fake AWS, for conditions that no server produces on demand: pages,
//! throttling and failures. (The whole-process tests scan all kinds of a real emulator.)

mod failures;
mod fake;
mod graph;
mod leases;
mod release;
mod routes;
mod scans;
mod shared;
mod tags;
