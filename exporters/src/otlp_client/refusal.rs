//! Messages and retry delays in responses of servers, with limits.

use std::time::Duration;

/// Longer delays that a server requests are cut to this.
pub(crate) const MAX_RETRY_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The longest message of a server, in characters; the rest is cut off.
const MAX_CHARS: usize = 512;

/// The message of a server on one line and with a limited length.
pub(crate) fn printable(message: &str) -> String {
    let mut text: String = message
        .chars()
        .take(MAX_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if message.chars().nth(MAX_CHARS).is_some() {
        text.push('…');
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHARS, printable};

    #[test]
    fn a_message_is_one_line_and_has_a_limited_length() {
        assert_eq!(printable("a\nb\u{1b}[31m\0 "), "a b [31m");
        let cut = printable(&"ä".repeat(9999));
        assert_eq!(cut.chars().count(), MAX_CHARS + 1);
    }
}
