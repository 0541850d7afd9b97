//! AWS's XML answers as JSON, with the field names and types of its own API models.
//!
//! The SDK reads answers into structs that cannot be written again, and XML itself has other names than
//! the API (`vpcId` and `groupSet` for `VpcId` and `Groups`). So an answer is read a second time, by
//! tables that `generate.py` writes of the models:
//!
//! ```text
//! > DescribeSubnets DescribeSubnetsResult          operation, its structure, the element around it
//! DescribeSubnetsResult
//!  Subnets subnetSet [item Subnet                  field, its element, its type
//! Subnet
//!  AvailableIpAddressCount availableIpAddressCount i
//! ```
//!
//! | type | is |
//! |---|---|
//! | `s`, `i`, `d`, `b` | text (also of times, as the API writes them), whole number, number, boolean |
//! | `[item T` | a list of elements `item` |
//! | `* T` | a list whose elements stand among the fields |
//! | `{key value T` | a map of entries with these two elements |
//! | a name | that structure |
//!
//! A field that no table knows, of an API newer than it, is kept under its element's name, its first
//! letter in upper case.

mod decode;
mod table;
#[cfg(test)]
mod tests;

pub(super) use decode::decode;
pub(super) use table::Table;
