//! Tests with real clients over loopback.

mod abuse;
mod grpc;
mod http;
mod lifecycle;
mod service;
mod tls;
