//! Shows the progress of a scan on one line of the terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use pipeline::Batch;
use pipeline::sync::lock;
use receivers::aws::{ScanObserver, ScanProgress};

use crate::cli::print_error;

/// Clears the line of the terminal (ECMA-48: CR and EL).
const CLEAR: &str = "\r\x1b[2K";

/// Collects the batches of a scan, and shows its progress if standard error is a terminal.
pub(super) struct ProgressTerminal<'b> {
    batches: &'b Mutex<Vec<Batch>>,
    counts: Mutex<ProgressCounts>,
    is_shown: bool,
}

#[derive(Default)]
struct ProgressCounts {
    planned: usize,
    complete: usize,
    resources: usize,
}

impl<'b> ProgressTerminal<'b> {
    pub(super) fn new(batches: &'b Mutex<Vec<Batch>>) -> ProgressTerminal<'b> {
        ProgressTerminal {
            batches,
            counts: Mutex::default(),
            is_shown: io::stderr().is_terminal(),
        }
    }

    /// Clears the progress line.
    pub(super) fn end(&self) {
        self.write(CLEAR);
    }

    fn show(&self, counts: &ProgressCounts, scope: &str) {
        let ProgressCounts {
            planned,
            complete,
            resources,
        } = counts;
        self.write(&format!(
            "{CLEAR}{complete} of {planned} scopes, {resources} resources: {scope}"
        ));
    }

    fn write(&self, text: &str) {
        if self.is_shown {
            // Progress is optional: write failures are ignored.
            let _ = write!(io::stderr(), "{text}");
            let _ = io::stderr().flush();
        }
    }
}

impl ScanObserver for &ProgressTerminal<'_> {
    fn on_batch(&self, batch: Batch) {
        lock(self.batches).push(batch);
    }

    fn on_progress(&self, progress: ScanProgress<'_>) {
        let mut counts = lock(&self.counts);
        match progress {
            ScanProgress::Planned(scopes) => counts.planned += scopes,
            ScanProgress::Page { scope, resources } => {
                counts.resources += resources;
                self.show(&counts, scope);
            }
            ScanProgress::Complete { scope } => {
                counts.complete += 1;
                self.show(&counts, scope);
            }
            ScanProgress::Failed(failure) => {
                self.write(CLEAR);
                print_error(&failure.to_string());
            }
        }
    }
}
