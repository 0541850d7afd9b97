//! Which states the scans that go on have seen, so that their completion can say it.

use std::collections::HashMap;

use pipeline::component::UnixNanos;
use pipeline::uid;

/// All scans together remember at most this many states (16 bytes each); a completion says 0, "not
/// known", of those that were forgotten.
const MOST: usize = 4 << 20;

/// Source, scope and group.
type Scan<'a> = (&'a str, &'a str, &'a str);

#[derive(Debug, Default)]
pub(super) struct Scans {
    going_on: HashMap<(String, String, String), Seen>,
    states: usize,
}

#[derive(Debug)]
struct Seen {
    began: UnixNanos,
    states: HashMap<u64, u64>,
}

impl Scans {
    /// A scan that began at this time saw the uid in this state.
    pub(super) fn saw(&mut self, scan: Scan<'_>, began: UnixNanos, uid: &str, state: u64) {
        if self.states >= MOST {
            self.going_on.clear();
            self.states = 0;
        }
        let seen = self.going_on.entry(key(scan)).or_insert_with(|| Seen {
            began,
            states: HashMap::new(),
        });
        if began > seen.began {
            // The scan before was never completed.
            self.states -= seen.states.len();
            *seen = Seen {
                began,
                states: HashMap::new(),
            };
        }
        if began == seen.began && seen.states.insert(uid::hash(uid), state).is_none() {
            self.states += 1;
        }
    }

    /// The states of a completed scan's members, in their order; 0 where it is not known.
    pub(super) fn complete(&self, scan: Scan<'_>, began: UnixNanos, members: &[u64]) -> Vec<u64> {
        // It stays until another scan begins: a completion that is told again says the same.
        let seen = self
            .going_on
            .get(&key(scan))
            .filter(|seen| seen.began == began);
        let state = |member| {
            let state = seen.and_then(|seen| seen.states.get(member).copied());
            state.unwrap_or_default()
        };
        members.iter().map(state).collect()
    }
}

fn key((source, scope, group): Scan<'_>) -> (String, String, String) {
    (source.to_owned(), scope.to_owned(), group.to_owned())
}

#[cfg(test)]
mod tests {
    use pipeline::component::UnixNanos;
    use pipeline::uid;

    use super::Scans;

    const SCAN: (&str, &str, &str) = ("aws", "1/eu/vpc", "actual");

    #[test]
    fn a_completion_says_in_which_state_its_members_were_seen() {
        let mut scans = Scans::default();
        scans.saw(SCAN, UnixNanos(1), "lost", 7);
        scans.saw(SCAN, UnixNanos(5), "a", 10);
        scans.saw(SCAN, UnixNanos(5), "a", 11);
        let members = [uid::hash("a"), uid::hash("lost")];
        assert_eq!(scans.complete(SCAN, UnixNanos(5), &members), [11, 0]);
        let again = scans.complete(SCAN, UnixNanos(5), &members);
        assert_eq!(again, [11, 0], "it may be told again");
        scans.saw(SCAN, UnixNanos(6), "a", 12);
        assert_eq!(scans.states, 1);
        assert_eq!(scans.complete(SCAN, UnixNanos(5), &members), [0, 0]);
    }

    #[test]
    fn another_scan_of_the_scope_does_not_disturb() {
        let mut scans = Scans::default();
        scans.saw(SCAN, UnixNanos(5), "a", 10);
        scans.saw(SCAN, UnixNanos(4), "a", 9);
        let members = [uid::hash("a")];
        assert_eq!(scans.complete(SCAN, UnixNanos(4), &members), [0]);
        assert_eq!(scans.complete(SCAN, UnixNanos(5), &members), [10]);
    }
}
