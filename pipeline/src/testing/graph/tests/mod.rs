//! Tests of the replay itself, of the generated histories, and of their orders of arrival.

mod arrival_order;
mod coverage;
mod replay;
mod reports;
mod staleness;
