//! Plans a text, and finds all that is wrong with it rather than the first.
//!
//! DataFusion stops at its first error. So what it stumbles over is blanked out and the text is
//! planned again, until nothing more is found; and where an error does not say its place, it is
//! looked for which word the text must lose for the error to go.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, SchemaError};
use datafusion::config::Dialect;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use pipeline::config::nearest;
use pipeline::{Signal, SignalSet};

use super::session::Session;
use super::single;
use super::words::Words;

/// Something wrong in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the text, in bytes.
    pub offset: usize,
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl Mistake {
    pub fn at(offset: usize, message: impl Into<String>) -> Mistake {
        Mistake {
            offset,
            message: message.into(),
            suggestion: None,
        }
    }

    /// Of the whole text.
    pub fn of_all(message: impl Into<String>) -> Mistake {
        Mistake::at(0, message)
    }
}

/// A text that is wrong in more places than this needs another look anyway.
const MOST_MISTAKES: usize = 16;
/// Words that are tried at most for an error that does not say its place.
const MOST_TRIALS: usize = 200;

/// What was blanked out is a null without a name: that it stands there twice, or is no attributes, is
/// no mistake of the text's.
fn is_of_a_blank(message: &str) -> bool {
    ["unique expression names", "NULL", "Null"]
        .iter()
        .any(|blank| message.contains(blank))
}

/// A query that can be run.
pub(super) struct Planned {
    pub(super) session: Session,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    /// The signals that the text names, also where the plan needs no rows of them.
    pub(super) reads: SignalSet,
    pub(super) only_filters: bool,
}

pub(super) fn plan(sql: &str, has_window: bool) -> Result<Planned, Vec<Mistake>> {
    let one = |error: DataFusionError| vec![Mistake::of_all(said(&error))];
    let session = Session::new(has_window).map_err(one)?;
    let mut mistakes = Vec::new();
    let mut text = sql.to_owned();
    while mistakes.len() < MOST_MISTAKES {
        let logical = match logical(&session, &text) {
            Ok(logical) => logical,
            Err(error) => {
                let stumbled = stumbled_over(&session, &text, &error);
                if !mistakes.is_empty() && is_of_a_blank(&stumbled.mistake.message) {
                    break;
                }
                mistakes.push(stumbled.mistake);
                match stumbled.hole {
                    Some(hole) => text = blanked(&text, hole),
                    None => break,
                }
                continue;
            }
        };
        if mistakes.is_empty() {
            mistakes = single::refused(&logical, &text, has_window);
        }
        if !mistakes.is_empty() {
            break;
        }
        let planner = session.state.query_planner();
        let plan = planner.create_physical_plan(&logical.optimized, &session.state);
        return Ok(Planned {
            plan: futures::executor::block_on(plan).map_err(one)?,
            reads: single::signals(&logical.said),
            only_filters: single::only_filters(&logical.optimized),
            session,
        });
    }
    mistakes.sort_by_key(|mistake| mistake.offset);
    Err(mistakes)
}

/// A plan as the text says it, and as it is best run.
pub(super) struct Logical {
    pub(super) said: LogicalPlan,
    pub(super) optimized: LogicalPlan,
}

/// Parses, resolves and types the one query of a text.
fn logical(session: &Session, text: &str) -> Result<Logical> {
    let statement = session.state.sql_to_statement(text, &Dialect::Generic)?;
    let is_query =
        matches!(&statement, Statement::Statement(sql) if matches!(**sql, SqlStatement::Query(_)));
    if !is_query {
        return Err(DataFusionError::Plan(
            "one query is expected: SELECT … FROM a signal".to_owned(),
        ));
    }
    let said = futures::executor::block_on(session.state.statement_to_plan(statement))?;
    let optimized = session.state.optimize(&said)?;
    Ok(Logical { said, optimized })
}

struct Stumbled {
    mistake: Mistake,
    /// What to blank out to find more.
    hole: Option<Range<usize>>,
}

fn stumbled_over(session: &Session, text: &str, error: &DataFusionError) -> Stumbled {
    // Of several errors the first; the others are met again.
    let error = match error {
        DataFusionError::Collection(errors) => errors.first().unwrap_or(error),
        error => error,
    };
    let words = Words::of(text);
    let (mut message, suggestion) = in_words(error);
    let is_of_types = message.contains("Utf8View") || message.contains("match any signature");
    if is_of_types && text.contains(']') {
        message.push_str("; what brackets read is text: cast it, as in attributes['n']::DOUBLE");
    }
    let told = |offset, hole| Stumbled {
        mistake: Mistake {
            offset,
            message: message.clone(),
            suggestion: suggestion.clone(),
        },
        hole,
    };
    if let Some(offset) = words.place_in(&error.to_string()) {
        return told(offset, None);
    }
    let span = error.diagnostic().and_then(|found| found.span);
    if let Some(span) = span {
        let offset = words.offset(span.start.line, span.start.column);
        let is_table = matches!(&message, message if message.starts_with("no signal"));
        let hole = if is_table {
            None
        } else {
            words.expression_at(offset)
        };
        return told(offset, hole);
    }
    let said_first = error.to_string();
    let mut changed = None;
    let trials = words.replaceable().take(MOST_TRIALS);
    for word in trials {
        match logical(session, &blanked(text, word.clone())) {
            Ok(_) => return told(word.start, Some(word)),
            Err(other) if changed.is_none() && other.to_string() != said_first => {
                changed = Some(word);
            }
            Err(_) => {}
        }
    }
    if let Some(word) = words.quoted_in(&message) {
        return told(word.start, words.expression_at(word.start));
    }
    match changed {
        // Without it, something else is wrong.
        Some(word) => told(word.start, None),
        None => told(0, None),
    }
}

/// The text with a range replaced by a value, as long as before so that all places stay.
fn blanked(text: &str, hole: Range<usize>) -> String {
    let value = if hole.len() < 4 { "0" } else { "NULL" };
    let mut blanked = text.to_owned();
    blanked.replace_range(
        hole.clone(),
        &format!("{value:<width$}", width = hole.len()),
    );
    blanked
}

/// An error in our words, and what was probably meant.
fn in_words(error: &DataFusionError) -> (String, Option<String>) {
    if let DataFusionError::SchemaError(schema, _) = error.find_root()
        && let SchemaError::FieldNotFound {
            field,
            valid_fields,
        } = schema.as_ref()
    {
        let names = valid_fields.iter().map(|column| column.name.as_str());
        let suggestion = nearest(&field.name, names).map(str::to_owned);
        return (format!("no column {:?}", field.name), suggestion);
    }
    let text = said(error);
    if let Some(name) = between(&text, "table 'datafusion.public.", "' not found") {
        let suggestion = nearest(name, Signal::ALL.map(Signal::name)).map(str::to_owned);
        let known: Vec<&str> = Signal::ALL.map(Signal::name).into();
        let message = format!("no signal {name:?}; the tables are {}", known.join(", "));
        return (message, suggestion);
    }
    if let Some(name) = between(&text, "Invalid function '", "'") {
        if matches!(name, "window_start" | "window_end") {
            return (
                format!("{name}() is known where the processor declares a window"),
                None,
            );
        }
        let suggestion = between(&text, "Did you mean '", "'").map(str::to_owned);
        return (format!("no function {name:?}"), suggestion);
    }
    (text, None)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// What DataFusion says, on one line and without its own headings.
fn said(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let mut text = text.as_str();
    const HEADINGS: &[&str] = &[
        "Internal error: ",
        "SQL error: ",
        "Error during planning: ",
        "Schema error: ",
        "This feature is not implemented: ",
        "Execution error: ",
        "Invalid or Unsupported Configuration: ",
    ];
    // Some stand behind one another.
    while let Some(rest) = HEADINGS
        .iter()
        .find_map(|heading| text.strip_prefix(heading))
    {
        text = rest;
    }
    let text = text
        .strip_prefix("ParserError(\"")
        .and_then(|text| text.strip_suffix("\")"))
        .unwrap_or(text);
    let text = between(text, "", " at Line: ").unwrap_or(text);
    // All signatures that a function has follow, and where to report it.
    let text = between(text, "", ", errors: ").unwrap_or(text);
    let text = between(text, "", ".\nThis issue was likely caused by a bug").unwrap_or(text);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
