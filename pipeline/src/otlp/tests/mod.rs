//! The round trip, beside prost.
