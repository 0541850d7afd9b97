//! Why it was not found who the other side of a span is.

use pipeline::component::Host;
use pipeline::counters::Counter;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody has the host's name.
    UnknownName,
    /// Nobody has the address.
    UnknownAddress,
    /// The address is private, and in which network the span's own resource is not known.
    NoNetwork,
    /// Several may be meant.
    Ambiguous,
}

/// How many spans there were for each reason.
#[derive(Debug)]
pub(super) struct Unresolved([Counter; 4]);

impl Unresolved {
    pub(super) fn new(host: &Host) -> Unresolved {
        let names = ["unknown_name", "unknown_address", "no_network", "ambiguous"];
        Unresolved(names.map(|name| host.counter(&format!("unresolved_{name}"))))
    }

    pub(super) fn add(&self, reason: Reason) {
        self.0[reason as usize].add(1);
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> [u64; 4] {
        self.0.each_ref().map(Counter::get)
    }
}
