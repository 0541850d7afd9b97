//! What a server says when it refuses, and for how long it is believed.

use std::time::Duration;

/// A server that asks for a longer wait is not believed.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The longest message that is passed on, in characters.
const LONGEST: usize = 512;

/// What a server said, on one line and not too long.
pub(crate) fn printable(said: &str) -> String {
    let mut text: String = said
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if said.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, printable};

    #[test]
    fn a_message_is_one_line_and_not_too_long() {
        assert_eq!(printable("a\nb\u{1b}[31m\0 "), "a b [31m");
        let cut = printable(&"ä".repeat(9999));
        assert_eq!(cut.chars().count(), LONGEST + 1);
    }
}
