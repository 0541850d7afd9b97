//! Whole scans of a few kinds against a fake AWS, for conditions that an emulator does not produce on demand: pages,
//! throttling and failures. (The tests of whole processes scan all kinds of an emulator.)

mod failures;
mod fake;
mod graph;
mod leases;
mod release;
mod routes;
mod scans;
mod shared;
mod tags;
