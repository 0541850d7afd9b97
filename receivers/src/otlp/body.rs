//! Reads request bodies in bounded memory and time.

use std::time::Duration;

use axum::body::Body;
use axum::body::HttpBody as _;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::budget::BudgetCharge;
use super::rejection::{RejectionKind, RequestRejection};

/// How long a sender may take to send its body. Without this limit, a few stalled senders could hold the whole request
/// budget.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Reads a whole body of at most `limit` bytes until `until`, and charges its bytes to the budget with `charge`.
///
/// # Errors
/// If the body is too large, too slow or truncated, or the budget is exhausted.
pub(super) async fn read(
    mut body: Body,
    limit: usize,
    until: Instant,
    charge: &mut BudgetCharge,
) -> Result<Bytes, RequestRejection> {
    let read = async {
        if body.size_hint().lower() > limit as u64 {
            return Err(RequestRejection::too_large(limit));
        }
        collect(&mut body, limit, charge).await
    };
    let whole = timeout_at(until, read).await.unwrap_or_else(|_| {
        Err(RequestRejection::deadline(
            "timeout while reading the request body",
        ))
    });
    if let Err(RequestRejection {
        kind: RejectionKind::TooLarge | RejectionKind::Overloaded,
        ..
    }) = whole
    {
        discard(body, limit).await;
    }
    whole
}

/// The buffer for a body that arrives in several frames, in bytes. The operating system maps only the written part.
const INITIAL_CAPACITY: usize = 256 << 10;

async fn collect(
    body: &mut Body,
    limit: usize,
    charge: &mut BudgetCharge,
) -> Result<Bytes, RequestRejection> {
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            RequestRejection::malformed(format!("cannot read the request body: {error}"))
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + whole.len() + data.len() > limit {
            return Err(RequestRejection::too_large(limit));
        }
        charge.add(data.len()).map_err(|_| {
            RequestRejection::overloaded(
                "request memory exhausted: too many requests are being read",
            )
        })?;
        if first.is_empty() && whole.is_empty() {
            // Most bodies arrive in one frame, which is not copied.
            first = data;
            continue;
        }
        if whole.is_empty() {
            // One large reservation avoids several small ones, each of which copies the body.
            whole.reserve(limit.min(INITIAL_CAPACITY).max(first.len() + data.len()));
        }
        whole.extend_from_slice(&std::mem::take(&mut first));
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// Reads and drops the rest of a rejected body, within limits: if the connection closes while the sender still sends,
/// it may not read the response.
async fn discard(mut body: Body, limit: usize) {
    let until = Instant::now() + Duration::from_secs(2);
    let mut remaining = limit.saturating_mul(2);
    while let Ok(Some(Ok(frame))) = timeout_at(until, body.frame()).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > remaining {
            return;
        }
        remaining -= length;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use axum::body::Body;
    use bytes::Bytes;
    use tokio::time::Instant;
    use tokio_stream::StreamExt;

    use super::read;
    use crate::otlp::budget::{MIN_BUDGET, RequestBudget};
    use crate::otlp::rejection::{RejectionKind, RequestRejection};

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes())))
            .collect();
        Body::from_stream(tokio_stream::iter(pieces))
    }

    async fn read_with(
        body: Body,
        limit: usize,
        budget: &RequestBudget,
    ) -> Result<Bytes, RequestRejection> {
        let until = Instant::now() + Duration::from_secs(9);
        read(body, limit, until, &mut budget.charge()).await
    }

    #[tokio::test]
    async fn frames_are_joined() {
        let budget = RequestBudget::for_largest_request(9);
        for (parts, whole) in [
            (&["abc"][..], "abc"),
            (&["a", "", "bc", "d"], "abcd"),
            (&["", "a"], "a"),
            (&[], ""),
        ] {
            assert_eq!(read_with(pieces(parts), 9, &budget).await.unwrap(), whole);
        }
        assert_eq!(budget.available(), MIN_BUDGET);
    }

    #[tokio::test]
    async fn body_over_the_limit_is_too_large_with_and_without_a_length() {
        let budget = RequestBudget::for_largest_request(9);
        for body in [pieces(&["abc", "def"]), Body::from("abcdef")] {
            let rejection = read_with(body, 5, &budget).await.unwrap_err();
            assert_eq!(rejection.kind, RejectionKind::TooLarge);
        }
        assert_eq!(
            read_with(pieces(&["abc", "de"]), 5, &budget).await.unwrap(),
            "abcde"
        );
    }

    #[tokio::test]
    async fn exhausted_budget_rejects_with_a_retry_time() {
        let budget = RequestBudget::for_largest_request(9);
        let _others = budget.exhaust();
        let rejection = read_with(pieces(&["a"]), 9, &budget).await.unwrap_err();
        assert_eq!(rejection.kind, RejectionKind::Overloaded);
        assert!(rejection.retry_after.is_some());
    }

    #[tokio::test]
    async fn stalled_sender_releases_its_charge() {
        let budget = RequestBudget::for_largest_request(9);
        let stalled = tokio_stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"a"))])
            .chain(tokio_stream::pending());
        let until = Instant::now() + Duration::from_millis(20);
        let stalled = Body::from_stream(stalled);
        let rejection = read(stalled, 9, until, &mut budget.charge()).await;
        assert_eq!(rejection.unwrap_err().kind, RejectionKind::Deadline);
        assert_eq!(budget.available(), MIN_BUDGET);
    }
}
