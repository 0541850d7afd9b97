mod buffering;
mod config;
mod senders;
mod support;
