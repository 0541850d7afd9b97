//! Shrinks a history that shows a failure.

use super::histories::History;

/// Drops reports while `fails` stays true, until each that is left is needed. Their order stays.
/// A history that does not fail is returned as it is.
pub fn minimise(history: &History, mut fails: impl FnMut(&History) -> bool) -> History {
    let mut least = history.clone();
    if !fails(&least) {
        return least;
    }
    let mut chunk = least.reports.len().div_ceil(2);
    while chunk > 0 {
        let before = least.reports.len();
        let mut start = 0;
        while start < least.reports.len() {
            let end = (start + chunk).min(least.reports.len());
            let mut smaller = least.clone();
            smaller.reports.drain(start..end);
            if fails(&smaller) {
                least = smaller;
            } else {
                start = end;
            }
        }
        // One report may only be droppable once a later one is gone.
        let again = chunk == 1 && least.reports.len() < before;
        chunk = if again { 1 } else { chunk / 2 };
    }
    least
}
