//! Why the peer of a span is unresolved.

use pipeline::component::Host;
use pipeline::counters::Counter;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnresolvedReason {
    /// No node has the host name.
    UnknownName,
    /// No node has the address.
    UnknownAddress,
    /// The name or address is unique only within a network, and that of the span's resource is not known.
    NoNetwork,
    /// Several nodes have the name or address.
    Ambiguous,
}

/// Unresolved spans, counted by reason.
#[derive(Debug)]
pub(super) struct UnresolvedCounters([Counter; 4]);

impl UnresolvedCounters {
    pub(super) fn new(host: &Host) -> UnresolvedCounters {
        let names = ["unknown_name", "unknown_address", "no_network", "ambiguous"];
        UnresolvedCounters(names.map(|name| host.counter(&format!("unresolved_{name}"))))
    }

    pub(super) fn add(&self, reason: UnresolvedReason) {
        self.0[reason as usize].add(1);
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> [u64; 4] {
        self.0.each_ref().map(Counter::get)
    }
}
