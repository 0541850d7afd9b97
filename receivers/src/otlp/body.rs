//! Reads request bodies, in bounded memory and time.

use std::time::Duration;

use axum::body::Body;
use axum::body::HttpBody as _;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::budget::Charge;
use super::rejection::{Kind, Rejection};

/// How long a sender may take for its body: else a few that stall would hold the whole budget.
pub(super) const SLOWEST: Duration = Duration::from_secs(60);

/// The whole body, which may be `limit` bytes at most and is added to `charge`.
///
/// # Errors
/// When it is too large, too slow or cut off, or there is no room for it now.
pub(super) async fn read(
    mut body: Body,
    limit: usize,
    until: Instant,
    charge: &mut Charge,
) -> Result<Bytes, Rejection> {
    let read = async {
        if body.size_hint().lower() > limit as u64 {
            return Err(Rejection::too_large(limit));
        }
        collect(&mut body, limit, charge).await
    };
    let whole = timeout_at(until, read)
        .await
        .unwrap_or_else(|_| Err(Rejection::deadline("the request came too slowly")));
    if let Err(Rejection {
        kind: Kind::TooLarge | Kind::Overloaded,
        ..
    }) = whole
    {
        discard(body, limit).await;
    }
    whole
}

/// What a request that comes in several pieces is expected to have; memory that is not written to
/// is not used.
const USUAL: usize = 256 << 10;

async fn collect(body: &mut Body, limit: usize, charge: &mut Charge) -> Result<Bytes, Rejection> {
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Rejection::malformed(format!("the request ended before its end: {error}"))
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.len() + whole.len() + data.len() > limit {
            return Err(Rejection::too_large(limit));
        }
        charge
            .add(data.len())
            .map_err(|_| Rejection::overloaded("too many requests are being read"))?;
        if first.is_empty() && whole.is_empty() {
            // Most requests come in one piece, which need not be copied.
            first = data;
            continue;
        }
        if whole.is_empty() {
            // Rather than to grow, and copy, a few times.
            whole.reserve(limit.min(USUAL).max(first.len() + data.len()));
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

/// Lets a sender that is still sending finish, within limits: one that finds its connection closed
/// in the middle may never read why.
async fn discard(mut body: Body, limit: usize) {
    let until = Instant::now() + Duration::from_secs(2);
    let mut left = limit.saturating_mul(2);
    while let Ok(Some(Ok(frame))) = timeout_at(until, body.frame()).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        if length > left {
            return;
        }
        left -= length;
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
    use crate::otlp::budget::{Budget, LEAST};
    use crate::otlp::rejection::{Kind, Rejection};

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes())))
            .collect();
        Body::from_stream(tokio_stream::iter(pieces))
    }

    async fn read_with(body: Body, limit: usize, budget: &Budget) -> Result<Bytes, Rejection> {
        let until = Instant::now() + Duration::from_secs(9);
        read(body, limit, until, &mut budget.charge()).await
    }

    #[tokio::test]
    async fn pieces_are_put_together() {
        let budget = Budget::for_requests_of(9);
        for (parts, whole) in [
            (&["abc"][..], "abc"),
            (&["a", "", "bc", "d"], "abcd"),
            (&["", "a"], "a"),
            (&[], ""),
        ] {
            assert_eq!(read_with(pieces(parts), 9, &budget).await.unwrap(), whole);
        }
        assert_eq!(budget.free(), LEAST);
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_too_large_with_and_without_a_length() {
        let budget = Budget::for_requests_of(9);
        for body in [pieces(&["abc", "def"]), Body::from("abcdef")] {
            let rejection = read_with(body, 5, &budget).await.unwrap_err();
            assert_eq!(rejection.kind, Kind::TooLarge);
        }
        assert_eq!(
            read_with(pieces(&["abc", "de"]), 5, &budget).await.unwrap(),
            "abcde"
        );
    }

    #[tokio::test]
    async fn without_room_the_sender_is_told_to_wait() {
        let budget = Budget::for_requests_of(9);
        let _others = budget.take_all();
        let rejection = read_with(pieces(&["a"]), 9, &budget).await.unwrap_err();
        assert_eq!(rejection.kind, Kind::Overloaded);
        assert!(rejection.after.is_some());
    }

    #[tokio::test]
    async fn a_sender_that_stalls_does_not_hold_its_room() {
        let budget = Budget::for_requests_of(9);
        let stalled = tokio_stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"a"))])
            .chain(tokio_stream::pending());
        let until = Instant::now() + Duration::from_millis(20);
        let stalled = Body::from_stream(stalled);
        let rejection = read(stalled, 9, until, &mut budget.charge()).await;
        assert_eq!(rejection.unwrap_err().kind, Kind::Deadline);
        assert_eq!(budget.free(), LEAST);
    }
}
