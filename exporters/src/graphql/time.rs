//! The scalar `DateTime`.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use pipeline::component::UnixNanos;
use pipeline::config::duration;

/// A time: RFC 3339 in UTC (`2026-01-31T12:00:00Z`), or a duration before now (`-15m`, `-2h30m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DateTime(pub(super) UnixNanos);

/// A time: RFC 3339 in UTC (`2026-01-31T12:00:00Z`), or a duration before now (`-15m`, `-2h30m`).
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339"
)]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<DateTime> {
        let Value::String(text) = value else {
            return Err(InputValueError::expected_type(value));
        };
        parse(&text, UnixNanos::now()).map(DateTime).ok_or_else(|| {
            InputValueError::custom(format!(
                "invalid DateTime {text:?}: use a time such as 2026-01-31T12:00:00Z, or -15m for 15 minutes ago"
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cannot fail: RFC 3339 covers years up to 9999, and nanoseconds since 1970 in a u64 end in 2554.
        let time = UNIX_EPOCH + Duration::from_nanos(self.0.0);
        humantime::format_rfc3339(time).fmt(f)
    }
}

fn parse(text: &str, now: UnixNanos) -> Option<UnixNanos> {
    if let Some(ago) = text.strip_prefix('-') {
        let ago = u64::try_from(duration::parse(ago).ok()?.as_nanos()).ok()?;
        return Some(UnixNanos(now.0.saturating_sub(ago)));
    }
    let time = humantime::parse_rfc3339_weak(text).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(UnixNanos(u64::try_from(since.as_nanos()).ok()?))
}

#[cfg(test)]
mod tests {
    use async_graphql::{ScalarType, Value};
    use pipeline::component::UnixNanos;

    use super::{DateTime, parse};

    #[test]
    fn a_time_is_rfc_3339_in_utc_or_a_duration_ago() {
        let now = UnixNanos(100_000_000_000);
        assert_eq!(
            parse("1970-01-01T00:00:07.5Z", now),
            Some(UnixNanos(7_500_000_000))
        );
        assert_eq!(parse("-1m30s", now), Some(UnixNanos(10_000_000_000)));
        assert_eq!(parse("yesterday", now), None);
        assert_eq!(parse("-soon", now), None);
    }

    #[test]
    fn a_formatted_time_parses_to_the_same_time() {
        let time = DateTime(UnixNanos(1_544_712_660_300_000_001));
        let formatted = time.to_value();
        assert_eq!(formatted, Value::from("2018-12-13T14:51:00.300000001Z"));
        assert_eq!(<DateTime as ScalarType>::parse(formatted).unwrap(), time);
    }
}
