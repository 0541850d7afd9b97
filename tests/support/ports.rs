//! Chooses free ports for servers that cannot report the port that the system assigned.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ephemeral ports of connections and of listeners on port 0 (Linux from 32,768, macOS from 49,152), so
/// that only another test can take the port between this check and the start of the server.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A port on which nothing listens, different at each call.
pub(super) fn free_port() -> u16 {
    // Two test runs on one machine start at different ports.
    let start = std::process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(taken) % COUNT;
        let port = u16::try_from(port).expect("all candidate ports are below 65,536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}

pub(crate) fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
