//! Decodes AWS's XML responses into JSON with the field names and types of AWS's API models.
//!
//! The SDK parses responses into structs that cannot be serialized, and the XML elements have other names than
//! the fields of the API (`vpcId` and `groupSet` for `VpcId` and `Groups`). So each response is parsed a second
//! time, by tables that `generate.py` generates from the models:
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
//! | `s`, `i`, `d`, `b` | text (also of times, as the API writes them), whole number, number, boolean |
//! | `[item T` | a list of elements `item` |
//! | `* T` | a list whose elements are not wrapped: they stand beside the other fields |
//! | `{key value T` | a map of entries with these two elements |
//! | a name | the structure of that name |
//!
//! A field that is newer than the table is kept under the name of its element, with the first letter in upper
//! case.

mod decode;
mod table;
#[cfg(test)]
mod tests;

pub(super) use decode::decode;
pub(super) use table::ShapeTable;
