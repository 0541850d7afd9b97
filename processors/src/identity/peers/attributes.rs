//! Reads the attributes by which a client or producer span names its peer, in one pass.

use pipeline::attributes::{Map, value};

use crate::service::parse_port;

/// The attributes that name the peer of a span, in the current semantic conventions and in those before 1.21
/// (`net.*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct PeerAttributes<'a> {
    /// `server.address` or `net.peer.name`, whichever comes first in the span, as in `service_graph`.
    pub(super) host: Option<&'a str>,
    /// `server.port` or `net.peer.port`, whichever comes first in the span.
    pub(super) port: Option<u16>,
    /// The address at the other end of the connection: `network.peer.address`, `net.sock.peer.addr` or `net.peer.ip`,
    /// whichever comes first in the span.
    pub(super) address: Option<&'a str>,
    /// `aws.sqs.queue.url`.
    pub(super) queue: Option<&'a str>,
    /// `aws.s3.bucket`.
    pub(super) bucket: Option<&'a str>,
}

impl<'a> PeerAttributes<'a> {
    /// Reads the encoded attributes of a span.
    pub(super) fn of(attributes: &'a [u8]) -> PeerAttributes<'a> {
        let mut peer = PeerAttributes::default();
        for (key, bytes) in Map::new(attributes).entries() {
            let text = || value(bytes).as_text().filter(|text| !text.is_empty());
            match key {
                b"server.address" | b"net.peer.name" => peer.host = peer.host.or_else(text),
                b"server.port" | b"net.peer.port" => {
                    peer.port = peer.port.or_else(|| parse_port(value(bytes)));
                }
                b"network.peer.address" | b"net.sock.peer.addr" | b"net.peer.ip" => {
                    peer.address = peer.address.or_else(text);
                }
                b"aws.sqs.queue.url" => peer.queue = peer.queue.or_else(text),
                b"aws.s3.bucket" => peer.bucket = peer.bucket.or_else(text),
                _ => {}
            }
        }
        peer
    }

    /// Whether the attributes name no peer. A bucket alone does not name a peer, since the host is unknown.
    pub(super) fn names_no_peer(&self) -> bool {
        self.host.is_none() && self.address.is_none() && self.queue.is_none()
    }
}
