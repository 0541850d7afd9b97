//! The command line.

use std::process::ExitCode;

mod cli;
mod components;

// glibc's allocator contends between threads and fragments under batches.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(cli::parse())
}
