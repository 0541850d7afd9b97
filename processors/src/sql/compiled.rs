//! Compiles a configuration into a query that can run, or finds all problems in it.

use datafusion::arrow::datatypes::DataType;
use pipeline::config::{Problem, YamlNode};
use pipeline::{Signal, SignalSet};

use super::Config;
use crate::query::{Query, QueryProblem, SignalOutput};

/// A planned query, and the conversion of its rows to a signal.
pub(super) struct CompiledQuery {
    pub(super) query: Query,
    pub(super) output: SignalOutput,
}

impl CompiledQuery {
    /// Plans the query of a configuration and checks its columns.
    ///
    /// # Errors
    /// All problems in the text of the query.
    pub(super) fn new(config: &Config) -> Result<CompiledQuery, Vec<QueryProblem>> {
        let query = Query::new(&config.query, config.window.is_some())?;
        let schema = query.schema();
        let output = SignalOutput::new(&schema, config.into, &config.query);
        let mut problems: Vec<QueryProblem> = Vec::new();
        if let Some(window) = &config.window {
            problems.extend(missing_time(query.reads(), &window.on));
        }
        match output {
            Ok(output) if problems.is_empty() => Ok(CompiledQuery { query, output }),
            Ok(_) => Err(problems),
            Err(column_problems) => {
                problems.extend(column_problems);
                Err(problems)
            }
        }
    }
}

/// Returns a problem if one of the signals has no timestamp column `on`, which a window needs.
fn missing_time(reads: SignalSet, on: &str) -> Option<QueryProblem> {
    let lacks = |signal: &Signal| {
        let schema = signal.schema();
        let column = schema.column_with_name(on);
        !column.is_some_and(|(_, field)| matches!(field.data_type(), DataType::Timestamp(..)))
    };
    let lacking = reads.iter().find(lacks)?;
    let message = format!("window.on: {lacking} has no timestamp column {on:?}");
    Some(QueryProblem::of_whole_text(message))
}

/// All problems, with their positions in the configuration file.
pub(super) fn problems(config: &Config, node: &YamlNode) -> Vec<Problem> {
    let problems = CompiledQuery::new(config).err().unwrap_or_default();
    let query = node.get("query").unwrap_or(node);
    let problem = |problem: QueryProblem| Problem {
        suggestion: problem.suggestion,
        ..query.problem_at(problem.offset, problem.message)
    };
    problems.into_iter().map(problem).collect()
}
