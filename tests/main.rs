//! Tests of the whole binary: real processes, real sockets, real senders.

mod cases;
mod command_line;
mod restart;
mod senders;
mod support;
