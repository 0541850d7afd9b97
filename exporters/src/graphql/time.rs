//! Moments in queries and answers.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use pipeline::component::UnixNanos;
use pipeline::config::duration;

/// A moment: RFC 3339 in UTC (`2026-01-31T12:00:00Z`), or how long ago (`-15m`, `-2h30m`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DateTime(pub(super) UnixNanos);

/// A moment: RFC 3339 in UTC (`2026-01-31T12:00:00Z`), or how long ago (`-15m`, `-2h30m`).
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
                "{text:?} is no moment such as 2026-01-31T12:00:00Z, or -15m for a quarter of an hour ago"
            ))
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The year 9999 is the last that the form can say; nanoseconds since 1970 end in 2554.
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
    fn a_moment_is_said_in_utc_or_as_how_long_ago() {
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
    fn an_answer_can_be_asked_with() {
        let moment = DateTime(UnixNanos(1_544_712_660_300_000_001));
        let said = moment.to_value();
        assert_eq!(said, Value::from("2018-12-13T14:51:00.300000001Z"));
        assert_eq!(<DateTime as ScalarType>::parse(said).unwrap(), moment);
    }
}
