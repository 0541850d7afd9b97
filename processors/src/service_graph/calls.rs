//! A call from a client to a server, built from the span of one side or of both.

use super::parties::Party;
use super::pending::{CallSide, CallSpan};

/// How client and server are connected, in the terms of the Collector's service graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ConnectionType {
    Direct,
    Messaging,
    Database,
    /// The client sent no span.
    VirtualClient,
    /// The server sent no span.
    VirtualServer,
}

impl ConnectionType {
    /// The value of `connection_type` in metrics and edge stats.
    pub(super) fn name(self) -> &'static str {
        match self {
            ConnectionType::Direct => "",
            ConnectionType::Messaging => "messaging_system",
            ConnectionType::Database => "database",
            ConnectionType::VirtualClient | ConnectionType::VirtualServer => "virtual_node",
        }
    }

    /// The value of `virtual_node` in metrics: the side that sent no span.
    pub(super) fn virtual_node(self) -> &'static str {
        match self {
            ConnectionType::VirtualClient => "client",
            ConnectionType::VirtualServer => "server",
            _ => "",
        }
    }

    /// The confidence of the edge: 1 if both sides sent a span, less if one did.
    pub(super) fn confidence(self) -> f64 {
        match self {
            ConnectionType::Direct | ConnectionType::Messaging => 1.0,
            ConnectionType::Database => 0.8,
            ConnectionType::VirtualClient | ConnectionType::VirtualServer => 0.5,
        }
    }
}

/// A call to count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) client: Party,
    pub(super) server: Party,
    pub(super) connection: ConnectionType,
    pub(super) failed: bool,
    /// The start of the server span or, without one, of the client span, in nanoseconds since 1970.
    pub(super) time: u64,
    /// The end of the span that ends last, in nanoseconds since 1970.
    pub(super) end: u64,
    /// The duration of the client span in nanoseconds.
    pub(super) client_duration: Option<u64>,
    /// The duration of the server span in nanoseconds. A database sends no span; its duration is that of the client
    /// span.
    pub(super) server_duration: Option<u64>,
    /// The number of the interned dimensions of the client span; see [`Config`](super::Config).
    pub(super) client_dimensions: u32,
    pub(super) server_dimensions: u32,
}

impl Call {
    /// A call with the spans of both sides, in any order.
    pub(super) fn joined(one: &CallSpan, other: &CallSpan) -> Call {
        let (client, server) = match one.side {
            CallSide::Client => (one, other),
            CallSide::Server => (other, one),
        };
        Call {
            client: client.party,
            server: server.party,
            connection: if client.messaging || server.messaging {
                ConnectionType::Messaging
            } else {
                ConnectionType::Direct
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
    pub(super) fn outgoing(client: &CallSpan, server: Party, connection: ConnectionType) -> Call {
        let client_duration = Some(duration(client));
        Call {
            client: client.party,
            server,
            connection,
            failed: client.failed,
            time: client.start,
            end: client.end,
            client_duration,
            server_duration: client_duration.filter(|_| connection == ConnectionType::Database),
            client_dimensions: client.dimensions,
            server_dimensions: 0,
        }
    }

    /// A call without a client span.
    pub(super) fn incoming(server: &CallSpan, client: Party) -> Call {
        Call {
            client,
            server: server.party,
            connection: ConnectionType::VirtualClient,
            failed: server.failed,
            time: server.start,
            end: server.end,
            client_duration: None,
            server_duration: Some(duration(server)),
            client_dimensions: 0,
            server_dimensions: server.dimensions,
        }
    }

    /// The duration of the server span or, without one, of the client span, in nanoseconds.
    pub(super) fn duration(&self) -> u64 {
        self.server_duration
            .or(self.client_duration)
            .unwrap_or_default()
    }
}

/// The duration in nanoseconds; 0 if the span ends before it starts.
fn duration(span: &CallSpan) -> u64 {
    span.end.saturating_sub(span.start)
}
