mod configuration;
mod rows;
mod senders;
mod support;
