//! Plans the text of a query, and finds all problems in it, not only the first.
//!
//! DataFusion stops at its first error. So the planner blanks out the expression that causes the error and plans the
//! text again, until there are no more errors. If an error has no position, the planner blanks out each token in
//! turn: the token without which the error disappears is the cause.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result, SchemaError};
use datafusion::config::Dialect;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use pipeline::config::nearest;
use pipeline::{Signal, SignalSet};

use super::restrictions::{self, LogicalPlans};
use super::session::Session;
use super::sql_text::{QueryProblem, SqlTokens};

/// The maximum number of reported problems.
const MAX_PROBLEMS: usize = 16;
/// The maximum number of tokens that are blanked out to find the position of an error.
const MAX_TRIALS: usize = 200;

/// A planned query.
pub(super) struct PlannedQuery {
    pub(super) session: Session,
    pub(super) plan: Arc<dyn ExecutionPlan>,
    /// The signals that the text names, even if the plan needs no rows of them.
    pub(super) reads: SignalSet,
    /// Whether the query yields all or some of its input rows, unchanged and in order.
    pub(super) only_filters: bool,
}

/// Plans a query. `has_window` allows `window_start()`, `window_end()` and joins of signals.
///
/// # Errors
/// All problems in the text, in the order of their positions, but at most [`MAX_PROBLEMS`].
pub(super) fn plan(sql: &str, has_window: bool) -> Result<PlannedQuery, Vec<QueryProblem>> {
    let one = |error: DataFusionError| vec![QueryProblem::of_whole_text(error_text(&error))];
    let session = Session::new(has_window).map_err(one)?;
    let mut problems = Vec::new();
    let mut text = sql.to_owned();
    while problems.len() < MAX_PROBLEMS {
        let logical = match logical(&session, &text) {
            Ok(logical) => logical,
            Err(error) => {
                let located = locate(&session, &text, &error);
                if !problems.is_empty() && comes_from_blank(&located.problem.message) {
                    break;
                }
                problems.push(located.problem);
                match located.cause {
                    Some(cause) => text = blank_out(&text, cause),
                    None => break,
                }
                continue;
            }
        };
        if problems.is_empty() {
            problems = restrictions::unsupported(&logical, &text, has_window);
        }
        if !problems.is_empty() {
            break;
        }
        let planner = session.state.query_planner();
        let plan = planner.create_physical_plan(&logical.optimized, &session.state);
        return Ok(PlannedQuery {
            plan: futures::executor::block_on(plan).map_err(one)?,
            reads: restrictions::signals(&logical.unoptimized),
            only_filters: restrictions::only_filters(&logical.optimized),
            session,
        });
    }
    problems.sort_by_key(|problem| problem.offset);
    Err(problems)
}

/// Whether an earlier blank, and not the text, may be the cause of this error: a blank is an unnamed `NULL` or `0`, so
/// it can be a duplicate name, or have a wrong type.
fn comes_from_blank(message: &str) -> bool {
    ["unique expression names", "NULL", "Null"]
        .iter()
        .any(|blank| message.contains(blank))
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

/// An error with its position.
struct LocatedError {
    problem: QueryProblem,
    /// The range to blank out to find other problems; `None` if it is unknown.
    cause: Option<Range<usize>>,
}

/// Finds the position of an error.
fn locate(session: &Session, text: &str, error: &DataFusionError) -> LocatedError {
    // Of several errors, only the first is reported now. Planning again finds the others.
    let error = match error {
        DataFusionError::Collection(errors) => errors.first().unwrap_or(error),
        error => error,
    };
    let tokens = SqlTokens::of(text);
    let (mut message, suggestion) = rephrase(error);
    let is_type_error = message.contains("Utf8View") || message.contains("match any signature");
    if is_type_error && text.contains(']') {
        message.push_str(
            "; attributes in brackets are text: cast them, as in attributes['n']::DOUBLE",
        );
    }
    let at = |offset, cause| LocatedError {
        problem: QueryProblem {
            offset,
            message: message.clone(),
            suggestion: suggestion.clone(),
        },
        cause,
    };
    if let Some(offset) = tokens.offset_in_message(&error.to_string()) {
        return at(offset, None);
    }
    let span = error.diagnostic().and_then(|found| found.span);
    if let Some(span) = span {
        let offset = tokens.offset(span.start.line, span.start.column);
        let is_table = matches!(&message, message if message.starts_with("no signal"));
        let cause = if is_table {
            None
        } else {
            tokens.expression_at(offset)
        };
        return at(offset, cause);
    }
    let first_text = error.to_string();
    let mut changed = None;
    let trials = tokens.replaceable_ranges().take(MAX_TRIALS);
    for range in trials {
        match logical(session, &blank_out(text, range.clone())) {
            Ok(_) => return at(range.start, Some(range)),
            Err(other) if changed.is_none() && other.to_string() != first_text => {
                changed = Some(range);
            }
            Err(_) => {}
        }
    }
    if let Some(range) = tokens.quoted_range(&message) {
        return at(range.start, tokens.expression_at(range.start));
    }
    match changed {
        // Without this token there is another error, so the token is probably the cause.
        Some(range) => at(range.start, None),
        None => at(0, None),
    }
}

/// Replaces a range of the text by a value of the same length, so that positions do not change.
fn blank_out(text: &str, range: Range<usize>) -> String {
    let value = if range.len() < 4 { "0" } else { "NULL" };
    let mut blanked = text.to_owned();
    blanked.replace_range(
        range.clone(),
        &format!("{value:<width$}", width = range.len()),
    );
    blanked
}

/// The message for an error, and the nearest valid name as a suggestion.
fn rephrase(error: &DataFusionError) -> (String, Option<String>) {
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

/// The part of a text between the first `before` and the next `after`.
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
    // The rest lists all signatures of the function, or advises to report a bug.
    let text = between(text, "", ", errors: ").unwrap_or(text);
    let text = between(text, "", ".\nThis issue was likely caused by a bug").unwrap_or(text);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
