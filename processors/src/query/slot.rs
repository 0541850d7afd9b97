//! Tables whose rows are replaced before each run, since a query is planned once.

use std::fmt;
use std::sync::{Arc, Mutex};

use arrow_array::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use pipeline::Signal;
use pipeline::sync::lock;

/// The rows of one signal that the next run reads.
#[derive(Debug)]
pub(super) struct TableSlot {
    signal: Signal,
    rows: Mutex<Vec<RecordBatch>>,
}

impl TableSlot {
    pub(super) fn new(signal: Signal) -> TableSlot {
        TableSlot {
            signal,
            rows: Mutex::default(),
        }
    }

    /// Replaces the rows.
    pub(super) fn fill(&self, rows: Vec<RecordBatch>) {
        *lock(&self.rows) = rows;
    }

    fn rows(&self) -> Vec<RecordBatch> {
        lock(&self.rows).clone()
    }
}

/// A signal as a SQL table.
#[derive(Debug)]
pub(super) struct SignalTable(pub(super) Arc<TableSlot>);

#[async_trait]
impl TableProvider for SignalTable {
    fn schema(&self) -> SchemaRef {
        self.0.signal.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema().project(columns)?),
            None => self.schema(),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Ok(Arc::new(SlotScan {
            slot: self.0.clone(),
            projection: projection.cloned(),
            properties: Arc::new(properties),
        }))
    }
}

/// The step of a plan that reads a [`TableSlot`].
pub(super) struct SlotScan {
    slot: Arc<TableSlot>,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl SlotScan {
    pub(super) fn signal(&self) -> Signal {
        self.slot.signal
    }

    /// The indexes of the columns that are read.
    pub(super) fn columns(&self) -> Vec<usize> {
        let all = || (0..self.slot.signal.schema().fields().len()).collect();
        self.projection.clone().unwrap_or_else(all)
    }
}

impl fmt::Debug for SlotScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}

impl DisplayAs for SlotScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        if schema.fields().len() == self.slot.signal.schema().fields().len() {
            return write!(f, "Batch: {} [all columns]", self.slot.signal);
        }
        let names: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(f, "Batch: {} [{}]", self.slot.signal, names.join(", "))
    }
}

impl ExecutionPlan for SlotScan {
    fn name(&self) -> &'static str {
        "Batch"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !children.is_empty() {
            return internal_err!("a scan has no children");
        }
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let read = |rows: RecordBatch| {
            // Columns are found by name, since rows held for a window have only the columns that the query reads.
            let columns = schema.fields().iter().map(|field| {
                let column = rows.column_by_name(field.name());
                column
                    .cloned()
                    .ok_or_else(|| internal_datafusion_err!("no column {}", field.name()))
            });
            let columns = columns.collect::<Result<_>>()?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            Ok(RecordBatch::try_new_with_options(
                schema.clone(),
                columns,
                &options,
            )?)
        };
        let rows = self
            .slot
            .rows()
            .into_iter()
            .map(read)
            .collect::<Result<_>>()?;
        Ok(Box::pin(MemoryStream::try_new(rows, schema.clone(), None)?))
    }
}
