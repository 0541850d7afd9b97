//! How a body is compressed.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Not one of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("compression {0:?} is not supported: use gzip, zstd or none")]
pub struct Unsupported(String);

impl Compression {
    /// As `compression` says it; nothing is none, as in the Collector.
    pub(crate) fn named(name: &str) -> Result<Compression, Unsupported> {
        match name {
            "" | "none" => Ok(Compression::None),
            "gzip" => Ok(Compression::Gzip),
            "zstd" => Ok(Compression::Zstd),
            other => Err(Unsupported(other.to_owned())),
        }
    }

    /// The name in `Content-Encoding` and `grpc-encoding`.
    pub(crate) fn header(self) -> Option<&'static str> {
        match self {
            Compression::None => None,
            Compression::Gzip => Some("gzip"),
            Compression::Zstd => Some("zstd"),
        }
    }

    /// # Errors
    /// When zstd has no memory left.
    pub(crate) fn compress(self, body: Bytes) -> io::Result<Bytes> {
        match self {
            Compression::None => Ok(body),
            Compression::Gzip => {
                let out = Vec::with_capacity(body.len() / 4);
                let mut encoder = GzEncoder::new(out, flate2::Compression::default());
                encoder.write_all(&body)?;
                encoder.finish().map(Bytes::from)
            }
            Compression::Zstd => {
                zstd::bulk::compress(&body, zstd::DEFAULT_COMPRESSION_LEVEL).map(Bytes::from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Compression;

    #[test]
    fn others_are_refused_by_name() {
        assert_eq!(Compression::named(""), Ok(Compression::None));
        assert_eq!(
            Compression::named("snappy").unwrap_err().to_string(),
            "compression \"snappy\" is not supported: use gzip, zstd or none"
        );
    }
}
