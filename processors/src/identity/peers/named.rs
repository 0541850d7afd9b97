//! What a client or producer span says of its other side, found in one pass over its attributes.

use pipeline::attributes::{Map, value};

use crate::endpoint::port;

/// By the conventions of today and by those of before 1.21 (`net.*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Named<'a> {
    /// `server.address`, `net.peer.name`: the first of them, as `service_graph` takes it.
    pub(super) host: Option<&'a str>,
    /// `server.port`, `net.peer.port`, likewise.
    pub(super) port: Option<u16>,
    /// `network.peer.address`, `net.sock.peer.addr`, `net.peer.ip`: who answered at last.
    pub(super) address: Option<&'a str>,
    /// `aws.sqs.queue.url`.
    pub(super) queue: Option<&'a str>,
    /// `aws.s3.bucket`.
    pub(super) bucket: Option<&'a str>,
}

impl<'a> Named<'a> {
    pub(super) fn of(attributes: &'a [u8]) -> Named<'a> {
        let mut named = Named::default();
        for (key, bytes) in Map::new(attributes).entries() {
            let text = || value(bytes).as_text().filter(|text| !text.is_empty());
            match key {
                b"server.address" | b"net.peer.name" => named.host = named.host.or_else(text),
                b"server.port" | b"net.peer.port" => {
                    named.port = named.port.or_else(|| port(value(bytes)));
                }
                b"network.peer.address" | b"net.sock.peer.addr" | b"net.peer.ip" => {
                    named.address = named.address.or_else(text);
                }
                b"aws.sqs.queue.url" => named.queue = named.queue.or_else(text),
                b"aws.s3.bucket" => named.bucket = named.bucket.or_else(text),
                _ => {}
            }
        }
        named
    }

    pub(super) fn is_nobody(&self) -> bool {
        self.host.is_none() && self.address.is_none() && self.queue.is_none()
    }
}
