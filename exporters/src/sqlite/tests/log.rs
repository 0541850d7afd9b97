//! Captures what a test logs on its thread.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::mem;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_global_default;
use tracing::{Event, Level, Metadata, Subscriber};

static SET: Once = Once::new();

thread_local! {
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Starts to capture the events of this exporter, until [`logged`].
pub(super) fn begin() {
    // For all threads: `tracing` may filter out events before it asks a subscriber of one thread.
    SET.call_once(|| set_global_default(PerThread).unwrap());
    LOGGED.take();
}

/// Takes the level and the message of each captured event of level `INFO` or higher: `INFO message`.
pub(super) fn logged() -> Vec<String> {
    LOGGED.with_borrow_mut(mem::take)
}

struct PerThread;

impl Subscriber for PerThread {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("exporters::sqlite")
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LOGGED.with_borrow_mut(|logged| logged.push(line.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.0, " {value:?}").unwrap();
        }
    }
}
