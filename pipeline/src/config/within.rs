//! Places inside of a scalar: for a language within the YAML, such as SQL.

use super::node::{Node, Value};
use super::place::{Place, Problem};

impl Node {
    /// A problem at a byte of a scalar's text. If a variable was expanded in the text, the place is that of
    /// the scalar.
    pub fn problem_at(&self, offset: usize, message: impl Into<String>) -> Problem {
        let place = self.place_of(offset);
        Problem::new(place.as_ref().unwrap_or(&self.place), message)
    }

    /// Finds the text in the file. Line ends and indentation differ between the two, by the style of the
    /// scalar; all other characters are in the same order.
    fn place_of(&self, offset: usize) -> Option<Place> {
        let Value::Scalar(scalar) = &self.value else {
            return None;
        };
        if scalar.written.is_some() {
            return None;
        }
        let mut written = ScalarSource::from(&self.place)?;
        let mut last = None;
        for (index, c) in scalar.text.char_indices() {
            if c.is_whitespace() {
                continue;
            }
            let place = written.find(c)?;
            if index >= offset {
                return Some(self.place_at(place));
            }
            last = Some(place);
        }
        // An offset behind the end: the last character is the nearest.
        last.map(|place| self.place_at(place))
    }

    fn place_at(&self, (line, column): (usize, usize)) -> Place {
        Place {
            line,
            column,
            ..self.place.clone()
        }
    }
}

/// The rest of a file from a scalar on.
struct ScalarSource<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    column: usize,
    quote: Option<char>,
}

impl<'a> ScalarSource<'a> {
    fn from(place: &'a Place) -> Option<ScalarSource<'a>> {
        let text = &place.source.text;
        let mut lines = text.split_inclusive('\n');
        let before: usize = lines.by_ref().take(place.line - 1).map(str::len).sum();
        let line = lines.next()?;
        let (in_line, _) = line.char_indices().nth(place.column - 1)?;
        let mut written = ScalarSource {
            rest: text[before + in_line..].chars().peekable(),
            line: place.line,
            column: place.column,
            quote: None,
        };
        match *written.rest.peek()? {
            // A block's text begins on the line after its header.
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

    /// Goes past the next character that is not white space; none if it is not `wanted`.
    fn find(&mut self, wanted: char) -> Option<(usize, usize)> {
        loop {
            let place = (self.line, self.column);
            let c = self.next()?;
            if c.is_whitespace() {
                continue;
            }
            if c == '\\' && self.quote == Some('"') {
                // An escaped white space is skipped; another escaped character stands for itself.
                match self.next()? {
                    'n' | 't' | 'r' | ' ' | '\n' => continue,
                    escaped if escaped == wanted => return Some(place),
                    _ => return None,
                }
            }
            if c == '\'' && self.quote == Some('\'') {
                self.next();
            }
            return (c == wanted).then_some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Node;

    /// Line and column of the word `here` in the value of `q`.
    fn place(yaml: &str) -> (usize, usize) {
        let node = Node::from_yaml(yaml).unwrap();
        let query = node.get("q").unwrap();
        let offset = query.text().unwrap().find("here").unwrap();
        let place = query.problem_at(offset, "wrong").place;
        (place.line(), place.column())
    }

    #[test]
    fn a_word_is_found_in_every_style_of_yaml() {
        assert_eq!(place("q: SELECT here"), (1, 11));
        assert_eq!(place("q: SELECT\n   ä,\n   here\nb: 1"), (3, 4));
        assert_eq!(place("q: |\n  SELECT\n    here\n"), (3, 5));
        assert_eq!(place("q: |2-\n   SELECT\n    here\n"), (3, 5));
        assert_eq!(place("q: >\n  SELECT 1,\n\n  here FROM\n"), (4, 3));
        assert_eq!(place("q: 'it''s ''x'' here'"), (1, 17));
        assert_eq!(place("q: \"a \\\"b\\\"\\n \\t here\""), (1, 18));
        assert_eq!(place("x: 1\nq:\n  SELECT here"), (3, 10));
        assert_eq!(place("{a: 1, q: 'SELECT here'}"), (1, 19));
    }

    #[test]
    fn expanded_text_has_the_place_of_its_scalar() {
        assert_eq!(place("q: SELECT ${env:AIRDIG_TEST_UNSET:-here}"), (1, 4));
    }

    #[test]
    fn behind_the_end_is_the_last_character() {
        let node = Node::from_yaml("q: SELECT").unwrap();
        let place = node.get("q").unwrap().problem_at(99, "wrong").place;
        assert_eq!((place.line(), place.column()), (1, 9));
    }
}
