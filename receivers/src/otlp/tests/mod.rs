//! Real clients over loopback.

mod grpc;
mod http;
mod lifecycle;
mod service;
