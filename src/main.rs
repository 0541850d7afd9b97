//! The `airdig` binary.

use std::process::ExitCode;

mod cli;
mod components;

// Threads contend for glibc's allocator, and batches fragment its heap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(cli::parse())
}
