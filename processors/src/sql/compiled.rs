//! A configuration as a query that can run, or all that is wrong with it.

use datafusion::arrow::datatypes::DataType;
use pipeline::config::{Node, Problem};
use pipeline::{Signal, SignalSet};

use super::Config;
use crate::query::{Mistake, Output, Query};

pub(super) struct Compiled {
    pub(super) query: Query,
    pub(super) output: Output,
}

impl Compiled {
    pub(super) fn new(config: &Config) -> Result<Compiled, Vec<Mistake>> {
        let query = Query::new(&config.query, config.window.is_some())?;
        let schema = query.schema();
        let output = Output::new(&schema, config.into, &config.query);
        let mut mistakes: Vec<Mistake> = Vec::new();
        if let Some(window) = &config.window {
            mistakes.extend(without_time(query.reads(), &window.on));
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

/// The signals that have no timestamp of this name, by which they could be held.
fn without_time(reads: SignalSet, on: &str) -> Option<Mistake> {
    let lacks = |signal: &Signal| {
        let schema = signal.schema();
        let column = schema.column_with_name(on);
        !column.is_some_and(|(_, field)| matches!(field.data_type(), DataType::Timestamp(..)))
    };
    let lacking = reads.iter().find(lacks)?;
    let message = format!("window.on is {on:?}, which is no timestamp of {lacking}");
    Some(Mistake::of_all(message))
}

/// The mistakes at their places in the file.
pub(super) fn problems(config: &Config, node: &Node) -> Vec<Problem> {
    let mistakes = Compiled::new(config).err().unwrap_or_default();
    let query = node.get("query").unwrap_or(node);
    let problem = |mistake: Mistake| Problem {
        suggestion: mistake.suggestion,
        ..query.problem_at(mistake.offset, mistake.message)
    };
    mistakes.into_iter().map(problem).collect()
}
