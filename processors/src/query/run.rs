//! A query that is planned once and run on each batch.

use std::sync::Arc;

use arrow_array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, resources_err};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, displayable};
use futures::StreamExt;
use pipeline::component::UnixNanos;
use pipeline::{Signal, SignalSet};

use super::clock::{RunClock, WindowBounds};
use super::planner::{self, PlannedQuery};
use super::slot::{SlotScan, TableSlot};
use super::sql_text::QueryProblem;

/// The maximum number of rows that a query yields beyond the number of its input rows. All yielded rows are held until
/// the run ends.
const MAX_ADDED_ROWS: usize = 1_000_000;

/// A query over batches. [`Query::run`] takes `&mut self`, since it fills the plan's tables with the rows.
pub struct Query {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    /// The tables that the plan reads.
    tables: Vec<ReadTable>,
    clock: Arc<RunClock>,
    reads: SignalSet,
    only_filters: bool,
}

/// A table that the plan reads.
struct ReadTable {
    signal: Signal,
    slot: Arc<TableSlot>,
    /// The ascending indexes of the columns that the plan reads.
    columns: Vec<usize>,
}

/// A failed run of a query; the source is DataFusion's error.
#[derive(Debug, thiserror::Error)]
#[error("run the query on {rows} rows")]
pub struct QueryError {
    rows: usize,
    source: datafusion::error::DataFusionError,
}

impl Query {
    /// Plans a query. `has_window` allows `window_start()`, `window_end()` and joins of signals.
    ///
    /// # Errors
    /// All problems in the text, each with its position.
    pub fn new(sql: &str, has_window: bool) -> Result<Query, Vec<QueryProblem>> {
        let PlannedQuery {
            session,
            plan,
            reads,
            only_filters,
        } = planner::plan(sql, has_window)?;
        let mut tables: Vec<ReadTable> = Vec::new();
        let visited = plan.apply(|node| {
            if let Some(scan) = node.downcast_ref::<SlotScan>() {
                add_columns(&mut tables, scan, &session.slots);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        visited.map_err(|error| vec![QueryProblem::of_whole_text(error.to_string())])?;
        Ok(Query {
            plan,
            context: session.state.task_ctx(),
            tables,
            clock: session.clock,
            reads,
            only_filters,
        })
    }

    /// The signals that the query reads.
    pub fn reads(&self) -> SignalSet {
        self.reads
    }

    /// Whether the query yields all or some of its input rows, unchanged and in order.
    pub fn only_filters(&self) -> bool {
        self.only_filters
    }

    /// The columns of a signal that the query reads, as ascending indexes.
    pub fn columns(&self, signal: Signal) -> &[usize] {
        let table = self.tables.iter().find(|table| table.signal == signal);
        table.map_or(&[], |table| &table.columns)
    }

    /// The schema of the yielded rows.
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// DataFusion's plan as text, one step per line. An ellipsis replaces columns that pass unchanged.
    pub fn explain(&self) -> String {
        let plan = displayable(self.plan.as_ref()).indent(false).to_string();
        plan.lines()
            .map(abbreviate_unchanged)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Runs the query on these rows. A signal that is not listed has no rows.
    ///
    /// # Errors
    /// The run needs too much memory, yields too many rows, or a function rejects a value.
    pub fn run(
        &mut self,
        mut rows: Vec<(Signal, Vec<RecordBatch>)>,
        now: UnixNanos,
        window: Option<WindowBounds>,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let given = rows.iter().flat_map(|(_, batches)| batches);
        let count = given.map(RecordBatch::num_rows).sum();
        for table in &self.tables {
            let given = rows.iter_mut().find(|(signal, _)| *signal == table.signal);
            table.slot.fill(
                given
                    .map(|(_, rows)| std::mem::take(rows))
                    .unwrap_or_default(),
            );
        }
        self.clock.set(now, window);
        let yielded = self.collect(count);
        for table in &self.tables {
            table.slot.fill(Vec::new());
        }
        yielded.map_err(|source| QueryError {
            rows: count,
            source,
        })
    }

    /// Executes the plan. `given` is the number of its input rows.
    fn collect(&self, given: usize) -> Result<Vec<RecordBatch>> {
        // A plan keeps the state and metrics of its run, so each run starts with a reset copy.
        let plan = reset_plan_states(self.plan.clone())?;
        let mut yielded = Vec::new();
        let (mut rows, max_rows) = (0, given.saturating_add(MAX_ADDED_ROWS));
        for partition in 0..plan.output_partitioning().partition_count() {
            let mut stream = plan.execute(partition, self.context.clone())?;
            // Tokio's cooperative budget is not renewed while this thread blocks.
            let collected = tokio::task::unconstrained(async {
                while let Some(batch) = stream.next().await {
                    let batch = batch?;
                    rows += batch.num_rows();
                    if rows > max_rows {
                        return resources_err!("the query yields more than {max_rows} rows");
                    }
                    if batch.num_rows() > 0 {
                        yielded.push(batch);
                    }
                }
                Ok::<(), datafusion::error::DataFusionError>(())
            });
            futures::executor::block_on(collected)?;
        }
        Ok(yielded)
    }
}

/// Replaces consecutive columns `name@8 as name`, which pass unchanged, by an ellipsis.
fn abbreviate_unchanged(line: &str) -> String {
    let Some((step, list)) = line.split_once("expr=[") else {
        return line.to_owned();
    };
    let passes = |item: &str| {
        let item = item.strip_suffix(']').unwrap_or(item);
        let column = item.split_once('@').map(|(column, _)| column);
        let alias = item.split_once(" as ").map(|(_, alias)| alias);
        column.is_some() && column == alias
    };
    let mut kept: Vec<&str> = Vec::new();
    for item in list.split(", ") {
        match (passes(item), kept.last()) {
            (true, Some(&"…")) => {}
            (true, _) => kept.push("…"),
            (false, _) => kept.push(item),
        }
    }
    let end = if list.ends_with(']') && kept.last() == Some(&"…") {
        "]"
    } else {
        ""
    };
    format!("{step}expr=[{}{end}", kept.join(", "))
}

/// Adds the columns that a scan reads to those of its table.
fn add_columns(tables: &mut Vec<ReadTable>, scan: &SlotScan, slots: &[(Signal, Arc<TableSlot>)]) {
    let signal = scan.signal();
    let present = tables.iter().position(|table| table.signal == signal);
    let index = present.unwrap_or_else(|| {
        tables.push(ReadTable {
            signal,
            slot: slots[signal as usize].1.clone(),
            columns: Vec::new(),
        });
        tables.len() - 1
    });
    let columns = &mut tables[index].columns;
    columns.extend(scan.columns());
    columns.sort_unstable();
    columns.dedup();
}
