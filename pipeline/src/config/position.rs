//! Positions in files, and problems at positions.

use std::fmt;
use std::sync::Arc;

/// A file with its text before variables are expanded.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The position of a character in a file. Ordered by file name, line and column.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePosition {
    pub(crate) source: Arc<Source>,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl SourcePosition {
    /// The file name, as on the command line.
    pub fn file(&self) -> &str {
        &self.source.name
    }

    /// The line, from 1; 0 for the whole file.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, from 1, in characters.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The text of the line, before variables are expanded.
    pub fn text(&self) -> &str {
        let index = self.line.saturating_sub(1);
        self.source.text.lines().nth(index).unwrap_or_default()
    }
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Line 0 is the whole file, for example one that cannot be read.
        match self.line {
            0 => write!(f, "{}", self.file()),
            line => write!(f, "{}:{line}:{}", self.file(), self.column),
        }
    }
}

impl fmt::Debug for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A problem at a position. It is displayed with the line and a mark below the column:
///
/// ```text
/// airdig.yaml:3:5: unknown key "protocol"
///     |     protocol: {grpc: {}}
///     |     ^ did you mean "protocols"?
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub position: SourcePosition,
    /// What is wrong. It never contains the value of an environment variable.
    pub message: String,
    /// The valid word that is most similar to the written one.
    pub suggestion: Option<String>,
}

impl Problem {
    pub(crate) fn new(position: &SourcePosition, message: impl Into<String>) -> Problem {
        Problem {
            position: position.clone(),
            message: message.into(),
            suggestion: None,
        }
    }

    /// Reports an unknown key. Suggests the most similar known key, or lists all keys if none is similar. `prefix`
    /// precedes the message.
    pub(crate) fn unknown_key(
        position: &SourcePosition,
        prefix: &str,
        key: &str,
        known: &[&str],
    ) -> Problem {
        let problem = Problem::new(position, format!("{prefix}unknown key {key:?}"));
        let mut problem = problem.suggest(key, known.iter().copied());
        if problem.suggestion.is_none() {
            problem.message += &match known {
                [] => ": no keys are known here".to_owned(),
                _ => format!("; the known keys are {}", known.join(", ")),
            };
        }
        problem
    }

    /// Suggests the most similar of the allowed words, if one is similar enough.
    pub fn suggest<'a>(
        mut self,
        written: &str,
        allowed: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        self.suggestion = nearest(written, allowed).map(str::to_owned);
        self
    }
}

/// Returns the most similar word, if one is similar enough to be a misspelling.
pub fn nearest<'a>(written: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    allowed
        .into_iter()
        .map(|word| (strsim::jaro_winkler(written, word), word))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, word)| word)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.message)?;
        let line = self.position.text();
        if !line.trim().is_empty() {
            let line: String = line.chars().map(printable).collect();
            let before: String = line
                .chars()
                .take(self.position.column.saturating_sub(1))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n    | {line}\n    | {before}^")?;
            if let Some(word) = &self.suggestion {
                write!(f, " did you mean {word:?}?")?;
            }
        } else if let Some(word) = &self.suggestion {
            write!(f, "; did you mean {word:?}?")?;
        }
        Ok(())
    }
}

/// Replaces control characters by spaces, so that a file cannot move the cursor of the terminal.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' { ' ' } else { c }
}

impl std::error::Error for Problem {}
