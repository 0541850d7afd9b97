//! Positions within a scalar that contains another language, such as SQL.

use super::node::{Value, YamlNode};
use super::position::{Problem, SourcePosition};

impl YamlNode {
    /// A problem at a byte offset in the text of a scalar. If a variable was expanded in the text, the position is
    /// the start of the scalar.
    pub fn problem_at(&self, offset: usize, message: impl Into<String>) -> Problem {
        let position = self.position_of(offset);
        Problem::new(position.as_ref().unwrap_or(&self.position), message)
    }

    /// Finds the position in the file of a byte offset in the text. Depending on the style of the scalar, the text and
    /// the file differ in white space, quotes and escapes; all other characters are in the same order.
    fn position_of(&self, offset: usize) -> Option<SourcePosition> {
        let Value::Scalar(scalar) = &self.value else {
            return None;
        };
        if scalar.written.is_some() {
            return None;
        }
        let mut written = ScalarSource::from(&self.position)?;
        let mut last = None;
        for (index, c) in scalar.text.char_indices() {
            if c.is_whitespace() {
                continue;
            }
            let position = written.find(c)?;
            if index >= offset {
                return Some(self.position_at(position));
            }
            last = Some(position);
        }
        // The offset is after the end, so the last character is the nearest.
        last.map(|position| self.position_at(position))
    }

    fn position_at(&self, (line, column): (usize, usize)) -> SourcePosition {
        SourcePosition {
            line,
            column,
            ..self.position.clone()
        }
    }
}

/// Reads the characters of a file, beginning at a scalar.
struct ScalarSource<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    column: usize,
    quote: Option<char>,
}

impl<'a> ScalarSource<'a> {
    fn from(position: &'a SourcePosition) -> Option<ScalarSource<'a>> {
        let text = &position.source.text;
        let mut lines = text.split_inclusive('\n');
        let before: usize = lines.by_ref().take(position.line - 1).map(str::len).sum();
        let line = lines.next()?;
        let (in_line, _) = line.char_indices().nth(position.column - 1)?;
        let mut written = ScalarSource {
            rest: text[before + in_line..].chars().peekable(),
            line: position.line,
            column: position.column,
            quote: None,
        };
        match *written.rest.peek()? {
            // The text of a block begins on the line after its header.
            '|' | '>' => while written.next()? != '\n' {},
            quote @ ('"' | '\'') => {
                written.quote = Some(quote);
                written.next();
            }
            _ => {}
        }
        Some(written)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        match c {
            '\n' => (self.line, self.column) = (self.line + 1, 1),
            _ => self.column += 1,
        }
        Some(c)
    }

    /// Reads the next character that is not white space. Returns its line and column; `None` if it is not `expected`.
    fn find(&mut self, expected: char) -> Option<(usize, usize)> {
        loop {
            let position = (self.line, self.column);
            let c = self.next()?;
            if c.is_whitespace() {
                continue;
            }
            if c == '\\' && self.quote == Some('"') {
                // Escaped white space is skipped. Other escapes must consist of a backslash and the character itself.
                match self.next()? {
                    'n' | 't' | 'r' | ' ' | '\n' => continue,
                    escaped if escaped == expected => return Some(position),
                    _ => return None,
                }
            }
            if c == '\'' && self.quote == Some('\'') {
                self.next();
            }
            return (c == expected).then_some(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::YamlNode;

    /// Line and column of the word `here` in the value of `q`.
    fn position(yaml: &str) -> (usize, usize) {
        let node = YamlNode::from_yaml(yaml).unwrap();
        let query = node.get("q").unwrap();
        let offset = query.text().unwrap().find("here").unwrap();
        let position = query.problem_at(offset, "wrong").position;
        (position.line(), position.column())
    }

    #[test]
    fn word_is_found_in_every_style_of_yaml() {
        assert_eq!(position("q: SELECT here"), (1, 11));
        assert_eq!(position("q: SELECT\n   ä,\n   here\nb: 1"), (3, 4));
        assert_eq!(position("q: |\n  SELECT\n    here\n"), (3, 5));
        assert_eq!(position("q: |2-\n   SELECT\n    here\n"), (3, 5));
        assert_eq!(position("q: >\n  SELECT 1,\n\n  here FROM\n"), (4, 3));
        assert_eq!(position("q: 'it''s ''x'' here'"), (1, 17));
        assert_eq!(position("q: \"a \\\"b\\\"\\n \\t here\""), (1, 18));
        assert_eq!(position("x: 1\nq:\n  SELECT here"), (3, 10));
        assert_eq!(position("{a: 1, q: 'SELECT here'}"), (1, 19));
    }

    #[test]
    fn expanded_text_has_the_position_of_its_scalar() {
        assert_eq!(position("q: SELECT ${env:AIRDIG_TEST_UNSET:-here}"), (1, 4));
    }

    #[test]
    fn offset_after_the_end_has_the_position_of_the_last_character() {
        let node = YamlNode::from_yaml("q: SELECT").unwrap();
        let position = node.get("q").unwrap().problem_at(99, "wrong").position;
        assert_eq!((position.line(), position.column()), (1, 9));
    }
}
