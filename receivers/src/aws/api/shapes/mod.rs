//! Decodes AWS's XML responses into JSON with the field names and types of AWS's API models.
//!
//! The SDK parses responses into structs that cannot be serialized, and XML elements have other names than the fields
//! of the API (`vpcId` for `VpcId`, `groupSet` for `Groups`). So each response is parsed a second time, by tables that
//! `generate.py` generates from the models:
//!
//! ```text
//! > DescribeSubnets DescribeSubnetsResult          operation, its structure, the element around it
//! DescribeSubnetsResult
//!  Subnets subnetSet [item Subnet                  field, its element, its type
//! Subnet
//!  AvailableIpAddressCount availableIpAddressCount i
//! ```
//!
//! | type | meaning |
//! |---|---|
//! | `s`, `i`, `d`, `b` | text, whole number, number, boolean; a time is a text |
//! | `[item T` | a list of elements `item` |
//! | `* T` | a list without an element around it: its items are beside the other fields |
//! | `{key value T` | a map of entries with these two elements |
//! | a name | the structure with that name |
//!
//! A field that the table lacks, since it is newer, is kept under the name of its element with a capital first
//! letter.

mod decode;
mod table;
#[cfg(test)]
mod tests;

pub(super) use decode::decode;
pub(super) use table::ShapeTable;
