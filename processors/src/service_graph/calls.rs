//! A call from one party to another, as its spans have it.

use super::halves::{Half, Side};
use super::parties::Party;

/// How two parties are connected, in the words of the Collector's service graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Connection {
    Direct,
    Messaging,
    Database,
    /// The client sent no span.
    VirtualClient,
    /// The server sent no span.
    VirtualServer,
}

impl Connection {
    /// The metrics' and figures' `connection_type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Connection::Direct => "",
            Connection::Messaging => "messaging_system",
            Connection::Database => "database",
            Connection::VirtualClient | Connection::VirtualServer => "virtual_node",
        }
    }

    /// The metrics' `virtual_node`: which side sent no span.
    pub(super) fn virtual_node(self) -> &'static str {
        match self {
            Connection::VirtualClient => "client",
            Connection::VirtualServer => "server",
            _ => "",
        }
    }

    /// How sure the edge is: both sides say it, or only one does.
    pub(super) fn confidence(self) -> f64 {
        match self {
            Connection::Direct | Connection::Messaging => 1.0,
            Connection::Database => 0.8,
            Connection::VirtualClient | Connection::VirtualServer => 0.5,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) client: Party,
    pub(super) server: Party,
    pub(super) connection: Connection,
    pub(super) failed: bool,
    /// When the server's span starts, else the client's; nanoseconds since 1970.
    pub(super) time: u64,
    /// When the last span ends; nanoseconds since 1970.
    pub(super) end: u64,
    /// As the client saw it, in nanoseconds; none where it sent no span.
    pub(super) client_duration: Option<u64>,
    /// As the server saw it; a database's is the client's.
    pub(super) server_duration: Option<u64>,
    /// Interned attributes of metrics.
    pub(super) client_dimensions: u32,
    pub(super) server_dimensions: u32,
}

impl Call {
    pub(super) fn joined(one: &Half, other: &Half) -> Call {
        let (client, server) = match one.side {
            Side::Client => (one, other),
            Side::Server => (other, one),
        };
        Call {
            client: client.party,
            server: server.party,
            connection: if client.messaging || server.messaging {
                Connection::Messaging
            } else {
                Connection::Direct
            },
            failed: client.failed || server.failed,
            time: server.start,
            end: client.end.max(server.end),
            client_duration: Some(duration(client)),
            server_duration: Some(duration(server)),
            client_dimensions: client.dimensions,
            server_dimensions: server.dimensions,
        }
    }

    /// A call that only the client tells of.
    pub(super) fn outgoing(client: &Half, server: Party, connection: Connection) -> Call {
        let of_client = Some(duration(client));
        Call {
            client: client.party,
            server,
            connection,
            failed: client.failed,
            time: client.start,
            end: client.end,
            client_duration: of_client,
            server_duration: of_client.filter(|_| connection == Connection::Database),
            client_dimensions: client.dimensions,
            server_dimensions: 0,
        }
    }

    /// A call that only the server tells of.
    pub(super) fn incoming(server: &Half, client: Party) -> Call {
        Call {
            client,
            server: server.party,
            connection: Connection::VirtualClient,
            failed: server.failed,
            time: server.start,
            end: server.end,
            client_duration: None,
            server_duration: Some(duration(server)),
            client_dimensions: 0,
            server_dimensions: server.dimensions,
        }
    }

    /// The server's, else the client's.
    pub(super) fn duration(&self) -> u64 {
        self.server_duration
            .or(self.client_duration)
            .unwrap_or_default()
    }
}

/// A span that ends before it starts took no time.
fn duration(half: &Half) -> u64 {
    half.end.saturating_sub(half.start)
}
