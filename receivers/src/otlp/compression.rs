//! Decompresses request bodies in bounded memory.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::budget::BudgetCharge;
use super::rejection::RequestRejection;

/// The compression of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentCoding {
    Identity,
    Gzip,
    Zstd,
    Deflate,
}

impl ContentCoding {
    /// Parses a name from `Content-Encoding` or `grpc-encoding`. `zlib` is the Collector's name of deflate.
    pub(super) fn from_name(name: &str) -> Option<ContentCoding> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(ContentCoding::Identity),
            "gzip" => Some(ContentCoding::Gzip),
            "zstd" => Some(ContentCoding::Zstd),
            "deflate" | "zlib" => Some(ContentCoding::Deflate),
            _ => None,
        }
    }
}

/// Decompresses `body` to at most `limit` bytes, and charges them to the budget with `charge`.
///
/// # Errors
/// If the body is not valid in this compression, its content exceeds the limit, or the budget is exhausted.
pub(super) fn decompress(
    coding: ContentCoding,
    body: Bytes,
    limit: usize,
    charge: &mut BudgetCharge,
) -> Result<Bytes, RequestRejection> {
    let corrupt = |error: io::Error| {
        let coding = format!("{coding:?}").to_lowercase();
        RequestRejection::corrupt(format!(
            "cannot decompress the request as {coding}: {error}"
        ))
    };
    match coding {
        ContentCoding::Identity => Ok(body),
        ContentCoding::Gzip => read(MultiGzDecoder::new(&*body), limit, charge, corrupt),
        ContentCoding::Deflate => read(ZlibDecoder::new(&*body), limit, charge, corrupt),
        ContentCoding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(&*body).map_err(corrupt)?;
            decoder.window_log_max(window_log(limit)).map_err(corrupt)?;
            read(decoder, limit, charge, corrupt)
        }
    }
}

/// The binary logarithm of the largest zstd window that is accepted: a frame may declare a window of gigabytes. Content
/// within the limit needs no larger window than the limit, but an encoder that does not know the size of the content
/// declares up to 8 MiB (level 19).
fn window_log(limit: usize) -> u32 {
    limit
        .max(8 << 20)
        .next_power_of_two()
        .trailing_zeros()
        .min(30)
}

fn read(
    mut decoder: impl Read,
    limit: usize,
    charge: &mut BudgetCharge,
    corrupt: impl Fn(io::Error) -> RequestRejection,
) -> Result<Bytes, RequestRejection> {
    let mut chunk = vec![0; 64 << 10];
    let mut whole = Vec::new();
    loop {
        let count = decoder.read(&mut chunk).map_err(&corrupt)?;
        if count == 0 {
            return Ok(whole.into());
        }
        if whole.len() + count > limit {
            return Err(RequestRejection::too_large(limit));
        }
        charge.add(count).map_err(|_| {
            RequestRejection::overloaded(
                "request memory exhausted: too many requests are being decompressed",
            )
        })?;
        whole.extend_from_slice(&chunk[..count]);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::{ContentCoding, decompress};
    use crate::otlp::budget::{MIN_BUDGET, RequestBudget};
    use crate::otlp::rejection::{RejectionKind, RequestRejection};

    const CODINGS: [ContentCoding; 3] = [
        ContentCoding::Gzip,
        ContentCoding::Zstd,
        ContentCoding::Deflate,
    ];

    fn compress(coding: ContentCoding, text: &[u8]) -> Bytes {
        let level = flate2::Compression::default();
        match coding {
            ContentCoding::Identity => text.to_vec().into(),
            ContentCoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap().into()
            }
            ContentCoding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap().into()
            }
            ContentCoding::Zstd => zstd::encode_all(text, 0).unwrap().into(),
        }
    }

    fn read(coding: ContentCoding, body: Bytes, limit: usize) -> Result<Bytes, RequestRejection> {
        let budget = RequestBudget::for_largest_request(limit);
        decompress(coding, body, limit, &mut budget.charge())
    }

    #[test]
    fn compressed_text_round_trips() {
        let text: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        for coding in CODINGS {
            let body = compress(coding, &text);
            assert_eq!(read(coding, body, text.len()).unwrap(), text);
        }
    }

    #[test]
    fn decompression_bomb_stops_at_the_limit() {
        let zeros = vec![0; 50 << 20];
        for coding in CODINGS {
            let bomb = compress(coding, &zeros);
            assert!(bomb.len() < 64 << 10);
            let rejection = read(coding, bomb, 1 << 20).unwrap_err();
            assert_eq!(rejection.kind, RejectionKind::TooLarge, "{coding:?}");
        }
    }

    #[test]
    fn concurrent_bombs_share_one_budget() {
        let budget = RequestBudget::for_largest_request(20 << 20);
        let mut others = budget.charge();
        others.add(MIN_BUDGET - (1 << 20)).unwrap();
        let bomb = compress(ContentCoding::Gzip, &vec![0; 10 << 20]);
        let rejection = decompress(ContentCoding::Gzip, bomb, 20 << 20, &mut budget.charge());
        assert_eq!(rejection.unwrap_err().kind, RejectionKind::Overloaded);
        assert_eq!(budget.available(), 1 << 20);
    }

    #[test]
    fn noise_and_truncated_bodies_are_corrupt() {
        for coding in CODINGS {
            let noise = read(coding, Bytes::from_static(b"not compressed"), 1 << 20);
            assert_eq!(
                noise.unwrap_err().kind,
                RejectionKind::Corrupt,
                "{coding:?}"
            );
            let text: Vec<u8> = (0..9999u32).flat_map(u32::to_le_bytes).collect();
            let body = compress(coding, &text);
            let cut = read(coding, body.slice(..body.len() / 2), 1 << 20);
            assert_eq!(cut.unwrap_err().kind, RejectionKind::Corrupt, "{coding:?}");
        }
    }

    #[test]
    fn huge_zstd_window_is_rejected() {
        // Magic number, then a frame header whose window descriptor asks for 2^31 bytes.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
        let rejection = read(
            ContentCoding::Zstd,
            Bytes::copy_from_slice(&frame),
            20 << 20,
        );
        assert_eq!(rejection.unwrap_err().kind, RejectionKind::Corrupt);
    }
}
