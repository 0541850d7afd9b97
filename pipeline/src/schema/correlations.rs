//! The columns of `correlations`: one row for each pair of records that a rule correlates. `uid` is the affected node,
//! `time` the time at which the rule found the pair. A correlation does not state a cause.

use super::{columns, types};

columns! {
    /// Hash of the rule and both sides. A replayed correlation adds no record.
    ID "id": types::text();
    /// Name of the rule.
    RULE "rule": types::word();
    /// Signal and id of one record: `drift:4f…`.
    LEFT "left": types::text();
    /// Signal and id of the other record.
    RIGHT "right": types::text();
    /// The other node; null if there is none.
    OTHER_UID "other_uid": types::text() => nullable;
    /// Time proximity × path score × actor weight, 0 to 1.
    SCORE "score": types::float64();
    /// The uids on the path from one node to the other, in order.
    PATH "path": types::list(types::text()) => nullable;
    /// The values that the rule compared.
    EVIDENCE "evidence": types::attributes() => nullable;
}
