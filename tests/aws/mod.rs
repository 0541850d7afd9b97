//! AWS accounts, scanned. The account is `account.py`'s, in a moto of each test's own.

mod changes;
mod edges;
mod scan;
mod telemetry;
