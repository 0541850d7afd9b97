//! Plans the text of a query, and finds all mistakes in it, not only the first.
//!
//! DataFusion stops at its first error. So the expression that causes the error is blanked out and the text
//! is planned again, until no more errors are found. If an error has no position, each word is
//! blanked out in turn: the word without which the error disappears is the cause.

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
use super::words::SqlWords;

/// A mistake in the text of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Position in the text, in bytes.
    pub offset: usize,
    pub message: String,
    /// The nearest valid name.
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

    /// A mistake of the whole text.
    pub fn of_all(message: impl Into<String>) -> Mistake {
        Mistake::at(0, message)
    }
}

/// The maximum number of reported mistakes.
const MAX_MISTAKES: usize = 16;
/// The maximum number of words that are blanked out to find the position of an error.
const MAX_TRIALS: usize = 200;

/// Whether an error can be caused by an earlier blank, not by the text: a blank is an unnamed null, so it can
/// be a duplicate, or not of type attributes.
fn comes_from_blank(message: &str) -> bool {
    ["unique expression names", "NULL", "Null"]
        .iter()
        .any(|blank| message.contains(blank))
}

/// A planned query.
pub(super) struct PlannedQuery {
    pub(super) session: Session,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    /// The signals that the text names, even if the plan needs no rows of them.
    pub(super) reads: SignalSet,
    pub(super) only_filters: bool,
}

pub(super) fn plan(sql: &str, has_window: bool) -> Result<PlannedQuery, Vec<Mistake>> {
    let one = |error: DataFusionError| vec![Mistake::of_all(error_text(&error))];
    let session = Session::new(has_window).map_err(one)?;
    let mut mistakes = Vec::new();
    let mut text = sql.to_owned();
    while mistakes.len() < MAX_MISTAKES {
        let logical = match logical(&session, &text) {
            Ok(logical) => logical,
            Err(error) => {
                let located = locate(&session, &text, &error);
                if !mistakes.is_empty() && comes_from_blank(&located.mistake.message) {
                    break;
                }
                mistakes.push(located.mistake);
                match located.hole {
                    Some(hole) => text = blanked(&text, hole),
                    None => break,
                }
                continue;
            }
        };
        if mistakes.is_empty() {
            mistakes = single::unsupported(&logical, &text, has_window);
        }
        if !mistakes.is_empty() {
            break;
        }
        let planner = session.state.query_planner();
        let plan = planner.create_physical_plan(&logical.optimized, &session.state);
        return Ok(PlannedQuery {
            plan: futures::executor::block_on(plan).map_err(one)?,
            reads: single::signals(&logical.unoptimized),
            only_filters: single::only_filters(&logical.optimized),
            session,
        });
    }
    mistakes.sort_by_key(|mistake| mistake.offset);
    Err(mistakes)
}

/// The logical plan of a text, before and after optimization.
pub(super) struct LogicalPlans {
    pub(super) unoptimized: LogicalPlan,
    pub(super) optimized: LogicalPlan,
}

/// Parses the one query of a text, resolves its names and types, and optimizes it.
fn logical(session: &Session, text: &str) -> Result<LogicalPlans> {
    let statement = session.state.sql_to_statement(text, &Dialect::Generic)?;
    let is_query =
        matches!(&statement, Statement::Statement(sql) if matches!(**sql, SqlStatement::Query(_)));
    if !is_query {
        return Err(DataFusionError::Plan(
            "expected one query: SELECT … FROM a signal".to_owned(),
        ));
    }
    let unoptimized = futures::executor::block_on(session.state.statement_to_plan(statement))?;
    let optimized = session.state.optimize(&unoptimized)?;
    Ok(LogicalPlans {
        unoptimized,
        optimized,
    })
}

struct LocatedError {
    mistake: Mistake,
    /// What to blank out to find further mistakes.
    hole: Option<Range<usize>>,
}

fn locate(session: &Session, text: &str, error: &DataFusionError) -> LocatedError {
    // The first of several errors; the others are found by the next planning.
    let error = match error {
        DataFusionError::Collection(errors) => errors.first().unwrap_or(error),
        error => error,
    };
    let words = SqlWords::of(text);
    let (mut message, suggestion) = rephrased(error);
    let is_of_types = message.contains("Utf8View") || message.contains("match any signature");
    if is_of_types && text.contains(']') {
        message.push_str(
            "; attributes in brackets are text: cast them, as in attributes['n']::DOUBLE",
        );
    }
    let at = |offset, hole| LocatedError {
        mistake: Mistake {
            offset,
            message: message.clone(),
            suggestion: suggestion.clone(),
        },
        hole,
    };
    if let Some(offset) = words.place_in(&error.to_string()) {
        return at(offset, None);
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
        return at(offset, hole);
    }
    let first_text = error.to_string();
    let mut changed = None;
    let trials = words.replaceable().take(MAX_TRIALS);
    for word in trials {
        match logical(session, &blanked(text, word.clone())) {
            Ok(_) => return at(word.start, Some(word)),
            Err(other) if changed.is_none() && other.to_string() != first_text => {
                changed = Some(word);
            }
            Err(_) => {}
        }
    }
    if let Some(word) = words.quoted_in(&message) {
        return at(word.start, words.expression_at(word.start));
    }
    match changed {
        // Without this word the error is another one, so it is probably the cause.
        Some(word) => at(word.start, None),
        None => at(0, None),
    }
}

/// Replaces a range of the text by a value of the same length, so that positions do not change.
fn blanked(text: &str, hole: Range<usize>) -> String {
    let value = if hole.len() < 4 { "0" } else { "NULL" };
    let mut blanked = text.to_owned();
    blanked.replace_range(
        hole.clone(),
        &format!("{value:<width$}", width = hole.len()),
    );
    blanked
}

/// Rephrases an error, and suggests the nearest valid name.
fn rephrased(error: &DataFusionError) -> (String, Option<String>) {
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
    let text = error_text(error);
    if let Some(name) = between(&text, "table 'datafusion.public.", "' not found") {
        let suggestion = nearest(name, Signal::ALL.map(Signal::name)).map(str::to_owned);
        let known: Vec<&str> = Signal::ALL.map(Signal::name).into();
        let message = format!("no signal {name:?}; the tables are {}", known.join(", "));
        return (message, suggestion);
    }
    if let Some(name) = between(&text, "Invalid function '", "'") {
        if matches!(name, "window_start" | "window_end") {
            return (
                format!("{name}() needs a window: set window in the processor"),
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

/// DataFusion's message on one line, without its prefixes.
fn error_text(error: &DataFusionError) -> String {
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
    // A message can have several prefixes.
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
    // What follows are all signatures of the function, and where to report a bug.
    let text = between(text, "", ", errors: ").unwrap_or(text);
    let text = between(text, "", ".\nThis issue was likely caused by a bug").unwrap_or(text);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
