//! `correlations`: one row a pair that a rule holds together. `uid` is what suffers, `time` when it
//! was found. A correlation is never called a cause.

use super::{columns, types};

columns! {
    /// Hash of the rule and both sides: replaying adds nothing.
    ID "id": types::text();
    /// Name of the rule.
    RULE "rule": types::word();
    /// Signal and id of the one side: `drift:4f…`.
    LEFT "left": types::text();
    /// Signal and id of the other side.
    RIGHT "right": types::text();
    /// The other node, where there is one.
    OTHER_UID "other_uid": types::text() => nullable;
    /// Time proximity × path score × actor weight, 0 to 1.
    SCORE "score": types::float64();
    /// The uids that lead from one to the other, in order.
    PATH "path": types::list(types::text()) => nullable;
    /// The figures that the rule looked at.
    EVIDENCE "evidence": types::attributes() => nullable;
}
