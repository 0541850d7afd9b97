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

use super::clock::{Clock, Span};
use super::mistake::{self, Mistake, Planned};
use super::slot::{Scan, Slot};

/// How many rows more than it is given a query may yield: what is yielded is held until it is whole.
const MOST_ADDED: usize = 1_000_000;

/// SQL over batches: the tables are signals. `&mut`, since a run puts its rows into the plan's
/// tables.
pub struct Query {
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    /// Of the signals that are read, with the columns that are.
    tables: Vec<Table>,
    clock: Arc<Clock>,
    reads: SignalSet,
    only_filters: bool,
}

struct Table {
    signal: Signal,
    slot: Arc<Slot>,
    columns: Vec<usize>,
}

/// A run that could not be finished. DataFusion says why.
#[derive(Debug, thiserror::Error)]
#[error("run the query on {rows} rows")]
pub struct Failed {
    rows: usize,
    source: datafusion::error::DataFusionError,
}

impl Query {
    /// # Errors
    /// All that is wrong with the text, each with its place.
    pub fn new(sql: &str, has_window: bool) -> Result<Query, Vec<Mistake>> {
        let Planned {
            session,
            plan,
            reads,
            only_filters,
        } = mistake::plan(sql, has_window)?;
        let mut tables: Vec<Table> = Vec::new();
        let visited = plan.apply(|node| {
            if let Some(scan) = node.downcast_ref::<Scan>() {
                add(&mut tables, scan, &session.slots);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        visited.map_err(|error| vec![Mistake::of_all(error.to_string())])?;
        Ok(Query {
            plan,
            context: session.state.task_ctx(),
            tables,
            clock: session.clock,
            reads,
            only_filters,
        })
    }

    /// The signals that it reads.
    pub fn reads(&self) -> SignalSet {
        self.reads
    }

    /// Whether what it yields are the rows it was given, all or some of them, in their order.
    pub fn only_filters(&self) -> bool {
        self.only_filters
    }

    /// The columns of a signal that it reads, by their places, ascending.
    pub fn columns(&self, signal: Signal) -> &[usize] {
        let table = self.tables.iter().find(|table| table.signal == signal);
        table.map_or(&[], |table| &table.columns)
    }

    /// What it yields.
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// DataFusion's plan, one step a line. Columns that only pass are left out.
    pub fn explain(&self) -> String {
        let plan = displayable(self.plan.as_ref()).indent(false).to_string();
        plan.lines()
            .map(without_passing)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Runs on these rows; of a signal that is not named there are none.
    ///
    /// # Errors
    /// When the run needs more memory than it may hold, or yields more rows, or a function refuses a
    /// value.
    pub fn run(
        &mut self,
        mut rows: Vec<(Signal, Vec<RecordBatch>)>,
        now: UnixNanos,
        window: Option<Span>,
    ) -> Result<Vec<RecordBatch>, Failed> {
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
        yielded.map_err(|source| Failed {
            rows: count,
            source,
        })
    }

    /// What is yielded of so many rows.
    fn collect(&self, given: usize) -> Result<Vec<RecordBatch>> {
        // Plans keep what they learned and counted; each run begins with a fresh one.
        let plan = reset_plan_states(self.plan.clone())?;
        let mut yielded = Vec::new();
        let (mut rows, most) = (0, given.saturating_add(MOST_ADDED));
        for partition in 0..plan.output_partitioning().partition_count() {
            let mut stream = plan.execute(partition, self.context.clone())?;
            // A budget of tokio's that is used up would never be renewed while this thread waits.
            let collected = tokio::task::unconstrained(async {
                while let Some(batch) = stream.next().await {
                    let batch = batch?;
                    rows += batch.num_rows();
                    if rows > most {
                        return resources_err!("the query yields more than {most} rows");
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

/// Replaces runs of `name@8 as name` by an ellipsis.
fn without_passing(line: &str) -> String {
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

fn add(tables: &mut Vec<Table>, scan: &Scan, slots: &[(Signal, Arc<Slot>)]) {
    let signal = scan.signal();
    let known = tables.iter().position(|table| table.signal == signal);
    let at = known.unwrap_or_else(|| {
        tables.push(Table {
            signal,
            slot: slots[signal as usize].1.clone(),
            columns: Vec::new(),
        });
        tables.len() - 1
    });
    let columns = &mut tables[at].columns;
    columns.extend(scan.columns());
    columns.sort_unstable();
    columns.dedup();
}
