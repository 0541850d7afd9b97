//! Points in time, and the moment that a query is about.

use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixNanos(pub u64);

impl UnixNanos {
    /// The current time of the system clock; 0 if the clock is before 1970.
    pub fn now() -> UnixNanos {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixNanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The value for an Arrow timestamp. A time that int64 cannot hold (after 2262) becomes `i64::MAX`.
    pub fn timestamp(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl Add<Duration> for UnixNanos {
    type Output = UnixNanos;

    /// The time `duration` after this one; saturates at `u64::MAX`.
    fn add(self, duration: Duration) -> UnixNanos {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        UnixNanos(self.0.saturating_add(nanos))
    }
}

/// The moment that a query is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    Now,
    Time(UnixNanos),
}
