//! Drops rows without copying what is left: DataFusion's own filter puts its output into batches of
//! a size, and copies the text of every view into them.

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, future};

/// Puts [`Sieve`] in the place of DataFusion's filter.
#[derive(Debug)]
pub(super) struct WithoutCopies;

impl PhysicalOptimizerRule for WithoutCopies {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(plan));
            };
            // A limit of its own would be lost.
            if plan.fetch().is_some() {
                return Ok(Transformed::no(plan));
            }
            let sieve = Sieve {
                predicate: filter.predicate().clone(),
                columns: filter.projection().as_ref().map(|columns| columns.to_vec()),
                input: filter.input().clone(),
                properties: plan.properties().clone(),
            };
            Ok(Transformed::yes(Arc::new(sieve)))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "without_copies"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

#[derive(Clone)]
struct Sieve {
    predicate: Arc<dyn PhysicalExpr>,
    /// What is passed on, by the places in the input; all where not given.
    columns: Option<Vec<usize>>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for Sieve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}

impl DisplayAs for Sieve {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter: {}", self.predicate)
    }
}

impl ExecutionPlan for Sieve {
    fn name(&self) -> &'static str {
        "Filter"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        look: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        look(&self.predicate)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("a filter has one child");
        };
        Ok(Arc::new(Sieve {
            input,
            ..Sieve::clone(&self)
        }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let sieve = self.clone();
        let rows = self.input.execute(partition, context)?;
        let left = rows.filter_map(move |rows| {
            let left = rows.and_then(|rows| sieve.left(&rows)).transpose();
            future::ready(left)
        });
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, left)))
    }
}

impl Sieve {
    /// None where no row is left. A null is no yes.
    fn left(&self, rows: &RecordBatch) -> Result<Option<RecordBatch>> {
        let wanted = self.predicate.evaluate(rows)?.into_array(rows.num_rows())?;
        let Some(wanted) = wanted.as_boolean_opt() else {
            return internal_err!("a filter of {}", wanted.data_type());
        };
        let count = wanted.true_count();
        if count == 0 {
            return Ok(None);
        }
        let passed = match &self.columns {
            Some(columns) => &rows.project(columns)?,
            None => rows,
        };
        if count == rows.num_rows() {
            return Ok(Some(passed.clone()));
        }
        Ok(Some(filter_record_batch(passed, wanted)?))
    }
}
