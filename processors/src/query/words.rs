//! The tokens of a query and their positions.

use std::ops::Range;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

pub(super) struct SqlWords<'a> {
    text: &'a str,
    words: Vec<SqlWord>,
}

struct SqlWord {
    token: Token,
    /// In bytes.
    range: Range<usize>,
}

impl<'a> SqlWords<'a> {
    /// The tokens of a text; none if it cannot be tokenized.
    pub(super) fn of(text: &'a str) -> SqlWords<'a> {
        let mut words = SqlWords {
            text,
            words: Vec::new(),
        };
        let tokens = Tokenizer::new(&GenericDialect {}, text)
            .tokenize_with_location()
            .unwrap_or_default();
        for found in tokens {
            if matches!(found.token, Token::Whitespace(_)) {
                continue;
            }
            let at = |place: Location| words.offset(place.line, place.column);
            let range = at(found.span.start)..at(found.span.end);
            words.words.push(SqlWord {
                token: found.token,
                range,
            });
        }
        words
    }

    /// The byte offset of a line and a column. Both start at 1; the column counts characters.
    pub(super) fn offset(&self, line: u64, column: u64) -> usize {
        let mut start = 0;
        for text in self
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1) as usize)
        {
            start += text.len();
        }
        let rest = &self.text[start..];
        let characters = column.saturating_sub(1) as usize;
        start
            + rest
                .char_indices()
                .nth(characters)
                .map_or(rest.len(), |(offset, _)| offset)
    }

    /// The offset of the position in a parser's message: `… at Line: 1, Column: 8`.
    pub(super) fn place_in(&self, message: &str) -> Option<usize> {
        let (_, place) = message.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let digits = column
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(column.len());
        Some(self.offset(line.parse().ok()?, column[..digits].parse().ok()?))
    }

    /// The range of the expression at an offset: a call with its arguments, a name with its table, or a
    /// token.
    pub(super) fn expression_at(&self, offset: usize) -> Option<Range<usize>> {
        let first = self
            .words
            .iter()
            .position(|word| word.range.contains(&offset))?;
        let mut last = first;
        while self.is(last + 1, &Token::Period) && last + 2 < self.words.len() {
            last += 2;
        }
        if self.is(last + 1, &Token::LParen) {
            let mut open = 0usize;
            for (index, word) in self.words.iter().enumerate().skip(last + 1) {
                match word.token {
                    Token::LParen => open += 1,
                    Token::RParen => open -= 1,
                    _ => {}
                }
                if open == 0 {
                    last = index;
                    break;
                }
            }
        }
        Some(self.words[first].range.start..self.words[last].range.end)
    }

    fn is(&self, index: usize, token: &Token) -> bool {
        self.words
            .get(index)
            .is_some_and(|word| word.token == *token)
    }

    /// Names and literals, which a value can replace.
    pub(super) fn replaceable(&self) -> impl Iterator<Item = Range<usize>> {
        let replaceable = |word: &&SqlWord| match &word.token {
            Token::Word(word) => word.keyword == Keyword::NoKeyword || word.quote_style.is_some(),
            Token::Number(..) | Token::SingleQuotedString(_) => true,
            _ => false,
        };
        self.words
            .iter()
            .filter(replaceable)
            .map(|word| word.range.clone())
    }

    /// The first name in quotes in a message that is a word of the text.
    pub(super) fn quoted_in(&self, message: &str) -> Option<Range<usize>> {
        let quoted = message.split(['\'', '"', '`']).skip(1).step_by(2);
        let mut places = quoted.filter_map(|name| self.find(name));
        places.next()
    }

    /// The last occurrence of a name.
    pub(super) fn find(&self, name: &str) -> Option<Range<usize>> {
        let mut found = self.words.iter().filter(|word| match &word.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            _ => false,
        });
        found.next_back().map(|word| word.range.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::SqlWords;

    #[test]
    fn a_line_and_column_give_an_offset() {
        let words = SqlWords::of("SELECT 'ä',\n  name FROM traces");
        assert_eq!(words.offset(2, 3), "SELECT 'ä',\n  ".len());
        assert_eq!(words.place_in("oh at Line: 1, Column: 8"), Some(7));
        assert_eq!(words.offset(99, 99), words.text.len());
    }

    #[test]
    fn an_expression_is_a_call_with_its_arguments_or_a_name_with_its_table() {
        let text = "SELECT f(a, g(b)), traces.name FROM traces";
        let words = SqlWords::of(text);
        let at = |part: &str| words.expression_at(text.find(part).unwrap());
        assert_eq!(at("f(").map(|range| &text[range]), Some("f(a, g(b))"));
        assert_eq!(at("traces.").map(|range| &text[range]), Some("traces.name"));
        assert_eq!(at("a,").map(|range| &text[range]), Some("a"));
    }
}
