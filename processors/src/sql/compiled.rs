//! Compiles a configuration into a query that can run, or reports all mistakes.

use datafusion::arrow::datatypes::DataType;
use pipeline::config::{Node, Problem};
use pipeline::{Signal, SignalSet};

use super::Config;
use crate::query::{Mistake, Query, SignalOutput};

pub(super) struct Compiled {
    pub(super) query: Query,
    pub(super) output: SignalOutput,
}

impl Compiled {
    pub(super) fn new(config: &Config) -> Result<Compiled, Vec<Mistake>> {
        let query = Query::new(&config.query, config.window.is_some())?;
        let schema = query.schema();
        let output = SignalOutput::new(&schema, config.into, &config.query);
        let mut mistakes: Vec<Mistake> = Vec::new();
        if let Some(window) = &config.window {
            mistakes.extend(missing_time(query.reads(), &window.on));
        }
        match output {
            Ok(output) if mistakes.is_empty() => Ok(Compiled { query, output }),
            Ok(_) => Err(mistakes),
            Err(more) => {
                mistakes.extend(more);
                Err(mistakes)
            }
        }
    }
}

/// A mistake if one of the signals has no timestamp column `on`, by which its rows could be held.
fn missing_time(reads: SignalSet, on: &str) -> Option<Mistake> {
    let lacks = |signal: &Signal| {
        let schema = signal.schema();
        let column = schema.column_with_name(on);
        !column.is_some_and(|(_, field)| matches!(field.data_type(), DataType::Timestamp(..)))
    };
    let lacking = reads.iter().find(lacks)?;
    let message = format!("window.on: {lacking} has no timestamp column {on:?}");
    Some(Mistake::of_all(message))
}

/// The mistakes with their positions in the configuration file.
pub(super) fn problems(config: &Config, node: &Node) -> Vec<Problem> {
    let mistakes = Compiled::new(config).err().unwrap_or_default();
    let query = node.get("query").unwrap_or(node);
    let problem = |mistake: Mistake| Problem {
        suggestion: mistake.suggestion,
        ..query.problem_at(mistake.offset, mistake.message)
    };
    mistakes.into_iter().map(problem).collect()
}
