//! Compression of request bodies.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;

/// The compression of request bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// The value of `compression` is not supported.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("compression {0:?} is not supported: use gzip, zstd or none")]
pub struct UnsupportedCompression(String);

impl Compression {
    /// Parses the value of the key `compression`. An empty value means no compression, as in the Collector.
    pub(crate) fn from_name(name: &str) -> Result<Compression, UnsupportedCompression> {
        match name {
            "" | "none" => Ok(Compression::None),
            "gzip" => Ok(Compression::Gzip),
            "zstd" => Ok(Compression::Zstd),
            other => Err(UnsupportedCompression(other.to_owned())),
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

    /// Compresses a body.
    ///
    /// # Errors
    /// If the encoder fails: zstd fails when it cannot allocate memory.
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
    fn the_error_for_an_unsupported_compression_names_it() {
        assert_eq!(Compression::from_name(""), Ok(Compression::None));
        assert_eq!(
            Compression::from_name("snappy").unwrap_err().to_string(),
            "compression \"snappy\" is not supported: use gzip, zstd or none"
        );
    }
}
