//! Places in files, and problems at them.

use std::fmt;
use std::sync::Arc;

/// A file as written, before variables are expanded.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The position of a character in a file. Ordered by file name, line and column.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub(crate) source: Arc<Source>,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// The file, as it was named on the command line.
    pub fn file(&self) -> &str {
        &self.source.name
    }

    /// From 1; 0 where the whole file is meant.
    pub fn line(&self) -> usize {
        self.line
    }

    /// From 1, in characters.
    pub fn column(&self) -> usize {
        self.column
    }

    /// The line as written: `${env:X}` is not expanded in it.
    pub fn text(&self) -> &str {
        let index = self.line.saturating_sub(1);
        self.source.text.lines().nth(index).unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Line 0 is the whole file, which cannot be read.
        match self.line {
            0 => write!(f, "{}", self.file()),
            line => write!(f, "{}:{line}:{}", self.file(), self.column),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A problem at a place. It is shown with the line and a mark below the column:
///
/// ```text
/// airdig.yaml:3:5: unknown key "protocol"
///     |     protocol: {grpc: {}}
///     |     ^ did you mean "protocols"?
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub place: Place,
    /// Never contains the value of an environment variable.
    pub message: String,
    /// The word that was probably meant.
    pub suggestion: Option<String>,
}

impl Problem {
    pub(crate) fn new(place: &Place, message: impl Into<String>) -> Problem {
        Problem {
            place: place.clone(),
            message: message.into(),
            suggestion: None,
        }
    }

    /// An unknown key: suggests the nearest known key, or lists all if none is near.
    pub(crate) fn unknown_key(place: &Place, at: &str, key: &str, known: &[&str]) -> Problem {
        let problem = Problem::new(place, format!("{at}unknown key {key:?}"));
        let mut problem = problem.suggest(key, known.iter().copied());
        if problem.suggestion.is_none() {
            problem.message += &match known {
                [] => ": no keys are known here".to_owned(),
                _ => format!("; the known keys are {}", known.join(", ")),
            };
        }
        problem
    }

    /// Suggests the nearest of the allowed words, if one is near.
    pub fn suggest<'a>(
        mut self,
        written: &str,
        allowed: impl IntoIterator<Item = &'a str>,
    ) -> Problem {
        self.suggestion = nearest(written, allowed).map(str::to_owned);
        self
    }
}

/// The most similar word, if it is similar enough to be meant.
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
        write!(f, "{}: {}", self.place, self.message)?;
        let line = self.place.text();
        if !line.trim().is_empty() {
            let line: String = line.chars().map(printable).collect();
            let before: String = line
                .chars()
                .take(self.place.column.saturating_sub(1))
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

/// Replaces control characters: a file must not be able to move the terminal's cursor.
fn printable(c: char) -> char {
    if c.is_control() && c != '\t' { ' ' } else { c }
}

impl std::error::Error for Problem {}
