//! Tests of the whole binary: real processes, real sockets, real senders.

#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

#[cfg(feature = "aws")]
mod aws;
mod bad_input;
mod cases;
mod collector;
mod command_line;
mod delivery;
mod demo;
mod large_values;
mod names;
mod outage;
mod restart;
mod senders;
mod store;
mod style;
mod support;
mod two_processes;
mod validate;
