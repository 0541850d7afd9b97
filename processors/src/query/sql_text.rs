//! The text of a query: its tokens, their positions, and problems at these positions.

use std::ops::Range;

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

/// A problem in the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryProblem {
    /// The position in the text, in bytes.
    pub offset: usize,
    pub message: String,
    /// The nearest valid name.
    pub suggestion: Option<String>,
}

impl QueryProblem {
    /// A problem at a position, without a suggestion.
    pub fn at(offset: usize, message: impl Into<String>) -> QueryProblem {
        QueryProblem {
            offset,
            message: message.into(),
            suggestion: None,
        }
    }

    /// A problem of the whole text, reported at its start.
    pub fn of_whole_text(message: impl Into<String>) -> QueryProblem {
        QueryProblem::at(0, message)
    }
}

/// The tokens of a text, without white space.
pub(super) struct SqlTokens<'a> {
    text: &'a str,
    tokens: Vec<SqlToken>,
}

/// A token, and its range in the text in bytes.
struct SqlToken {
    token: Token,
    range: Range<usize>,
}

impl<'a> SqlTokens<'a> {
    /// The tokens of a text; no tokens if it cannot be tokenized.
    pub(super) fn of(text: &'a str) -> SqlTokens<'a> {
        let mut tokens = SqlTokens {
            text,
            tokens: Vec::new(),
        };
        let tokenized = Tokenizer::new(&GenericDialect {}, text)
            .tokenize_with_location()
            .unwrap_or_default();
        for found in tokenized {
            if matches!(found.token, Token::Whitespace(_)) {
                continue;
            }
            let offset_of = |location: Location| tokens.offset(location.line, location.column);
            let range = offset_of(found.span.start)..offset_of(found.span.end);
            tokens.tokens.push(SqlToken {
                token: found.token,
                range,
            });
        }
        tokens
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

    /// The offset of the position that a parser's message ends with: `… at Line: 1, Column: 8`.
    pub(super) fn offset_in_message(&self, message: &str) -> Option<usize> {
        let (_, position) = message.rsplit_once(" at Line: ")?;
        let (line, column) = position.split_once(", Column: ")?;
        let digits = column
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(column.len());
        Some(self.offset(line.parse().ok()?, column[..digits].parse().ok()?))
    }

    /// The range of the expression that starts with the token at an offset: a call with its arguments, a name with its
    /// table, or one token.
    pub(super) fn expression_at(&self, offset: usize) -> Option<Range<usize>> {
        let first = self
            .tokens
            .iter()
            .position(|token| token.range.contains(&offset))?;
        let mut last = first;
        while self.has_token(last + 1, &Token::Period) && last + 2 < self.tokens.len() {
            last += 2;
        }
        if self.has_token(last + 1, &Token::LParen) {
            let mut open = 0usize;
            for (index, token) in self.tokens.iter().enumerate().skip(last + 1) {
                match token.token {
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
        Some(self.tokens[first].range.start..self.tokens[last].range.end)
    }

    /// Whether the token at an index equals `token`.
    fn has_token(&self, index: usize, token: &Token) -> bool {
        self.tokens
            .get(index)
            .is_some_and(|found| found.token == *token)
    }

    /// The ranges of names and literals, which another value can replace.
    pub(super) fn replaceable_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let is_replaceable = |token: &&SqlToken| match &token.token {
            Token::Word(word) => word.keyword == Keyword::NoKeyword || word.quote_style.is_some(),
            Token::Number(..) | Token::SingleQuotedString(_) => true,
            _ => false,
        };
        self.tokens
            .iter()
            .filter(is_replaceable)
            .map(|token| token.range.clone())
    }

    /// The range of the first name that is quoted in a message and occurs in the text.
    pub(super) fn quoted_range(&self, message: &str) -> Option<Range<usize>> {
        let quoted = message.split(['\'', '"', '`']).skip(1).step_by(2);
        let mut ranges = quoted.filter_map(|name| self.find(name));
        ranges.next()
    }

    /// The range of the last occurrence of a name or keyword.
    pub(super) fn find(&self, name: &str) -> Option<Range<usize>> {
        let mut found = self.tokens.iter().filter(|token| match &token.token {
            Token::Word(word) => word.value.eq_ignore_ascii_case(name),
            _ => false,
        });
        found.next_back().map(|token| token.range.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::SqlTokens;

    #[test]
    fn a_line_and_column_give_an_offset() {
        let tokens = SqlTokens::of("SELECT 'ä',\n  name FROM traces");
        assert_eq!(tokens.offset(2, 3), "SELECT 'ä',\n  ".len());
        assert_eq!(
            tokens.offset_in_message("oh at Line: 1, Column: 8"),
            Some(7)
        );
        assert_eq!(tokens.offset(99, 99), tokens.text.len());
    }

    #[test]
    fn an_expression_is_a_call_with_its_arguments_or_a_name_with_its_table() {
        let text = "SELECT f(a, g(b)), traces.name FROM traces";
        let tokens = SqlTokens::of(text);
        let at = |part: &str| tokens.expression_at(text.find(part).unwrap());
        assert_eq!(at("f(").map(|range| &text[range]), Some("f(a, g(b))"));
        assert_eq!(at("traces.").map(|range| &text[range]), Some("traces.name"));
        assert_eq!(at("a,").map(|range| &text[range]), Some("a"));
    }
}
