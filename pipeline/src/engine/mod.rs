//! Runs a checked topology: spawns, queues, retries, answers, stops.

pub mod settings;
