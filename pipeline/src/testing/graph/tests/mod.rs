mod arrivals;
mod coverage;
mod replay;
mod reports;
mod staleness;
