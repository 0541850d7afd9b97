//! A call from one party to another, made of its spans.

use super::halves::{CallSpan, Side};
use super::parties::Party;

/// How two parties are connected, by the terms of the Collector's service graph.
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
    /// `connection_type` of metrics and edge stats.
    pub(super) fn name(self) -> &'static str {
        match self {
            Connection::Direct => "",
            Connection::Messaging => "messaging_system",
            Connection::Database => "database",
            Connection::VirtualClient | Connection::VirtualServer => "virtual_node",
        }
    }

    /// `virtual_node` of metrics: the side that sent no span.
    pub(super) fn virtual_node(self) -> &'static str {
        match self {
            Connection::VirtualClient => "client",
            Connection::VirtualServer => "server",
            _ => "",
        }
    }

    /// The confidence of the edge: 1 if both sides reported the call, less if one did.
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
    /// Start of the server span, else of the client span; nanoseconds since 1970.
    pub(super) time: u64,
    /// End of the span that ends last; nanoseconds since 1970.
    pub(super) end: u64,
    /// Duration of the client span in nanoseconds; `None` without a client span.
    pub(super) client_duration: Option<u64>,
    /// Duration of the server span in nanoseconds; for a database, that of the client span.
    pub(super) server_duration: Option<u64>,
    /// Interned attributes of the metrics.
    pub(super) client_dimensions: u32,
    pub(super) server_dimensions: u32,
}

impl Call {
    pub(super) fn joined(one: &CallSpan, other: &CallSpan) -> Call {
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

    /// A call without a server span.
    pub(super) fn outgoing(client: &CallSpan, server: Party, connection: Connection) -> Call {
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

    /// A call without a client span.
    pub(super) fn incoming(server: &CallSpan, client: Party) -> Call {
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

    /// Duration of the server span, else of the client span, in nanoseconds.
    pub(super) fn duration(&self) -> u64 {
        self.server_duration
            .or(self.client_duration)
            .unwrap_or_default()
    }
}

/// A span that ends before it starts has a duration of 0.
fn duration(span: &CallSpan) -> u64 {
    span.end.saturating_sub(span.start)
}
