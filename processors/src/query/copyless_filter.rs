//! A filter that does not copy the remaining rows. DataFusion's own filter coalesces its output into batches of a fixed
//! size, and copies the text of every view.

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

/// Replaces DataFusion's filter by [`CopylessFilter`].
#[derive(Debug)]
pub(super) struct UseCopylessFilter;

impl PhysicalOptimizerRule for UseCopylessFilter {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(plan));
            };
            // A filter with a limit stays, since `CopylessFilter` has no limit.
            if plan.fetch().is_some() {
                return Ok(Transformed::no(plan));
            }
            let filter_exec = CopylessFilter {
                predicate: filter.predicate().clone(),
                columns: filter.projection().as_ref().map(|columns| columns.to_vec()),
                input: filter.input().clone(),
                properties: plan.properties().clone(),
            };
            Ok(Transformed::yes(Arc::new(filter_exec)))
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

/// A step of a plan that yields the rows for which a predicate is true.
#[derive(Clone)]
struct CopylessFilter {
    predicate: Arc<dyn PhysicalExpr>,
    /// The indexes of the input columns to output; `None` means all columns.
    columns: Option<Vec<usize>>,
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for CopylessFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}

impl DisplayAs for CopylessFilter {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter: {}", self.predicate)
    }
}

impl ExecutionPlan for CopylessFilter {
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
        Ok(Arc::new(CopylessFilter {
            input,
            ..CopylessFilter::clone(&self)
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
        let filter_exec = self.clone();
        let rows = self.input.execute(partition, context)?;
        let kept = rows.filter_map(move |rows| {
            let kept = rows.and_then(|rows| filter_exec.filter(&rows)).transpose();
            future::ready(kept)
        });
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, kept)))
    }
}

impl CopylessFilter {
    /// The rows for which the predicate is true and not null; `None` if there are no such rows.
    fn filter(&self, rows: &RecordBatch) -> Result<Option<RecordBatch>> {
        let mask = self.predicate.evaluate(rows)?.into_array(rows.num_rows())?;
        let Some(mask) = mask.as_boolean_opt() else {
            return internal_err!("the predicate of a filter is {}", mask.data_type());
        };
        let count = mask.true_count();
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
        Ok(Some(filter_record_batch(passed, mask)?))
    }
}
