//! The SQL environment: the signals as tables, DataFusion's functions, and functions on attributes.

use std::sync::Arc;

use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    MemorySchemaProvider, SchemaProvider, TableProvider,
};
use datafusion::common::Result;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::ScalarUDF;
use datafusion::optimizer::Analyzer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;
use pipeline::Signal;

use super::access::AttributeAccessPlanner;
use super::clock::{self, RunClock};
use super::copyless_filter::UseCopylessFilter;
use super::rewrite::CompareValuesAsText;
use super::sequential::ReadSequentially;
use super::slot::{SignalTable, TableSlot};
use super::typed::TypedGetters;
use super::{edit, replace, show};

/// The memory limit of one run in bytes, without its input rows.
const MEMORY: usize = 256 << 20;

/// DataFusion's state for one query, and its tables and times.
pub(super) struct Session {
    pub(super) state: SessionState,
    pub(super) slots: Vec<(Signal, Arc<TableSlot>)>,
    pub(super) clock: Arc<RunClock>,
}

impl Session {
    /// Builds the environment. With `has_window` it has the functions `window_start` and `window_end`.
    ///
    /// # Errors
    /// No error is expected, since the environment does not depend on the query.
    pub(super) fn new(has_window: bool) -> Result<Session> {
        let clock = Arc::<RunClock>::default();
        let slots: Vec<(Signal, Arc<TableSlot>)> = Signal::ALL
            .map(|signal| (signal, Arc::new(TableSlot::new(signal))))
            .into();
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(MEMORY)))
            .with_disk_manager_builder(
                DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
            )
            .build_arc()?;
        // The first planner takes precedence, and the default planner handles every access by brackets.
        let mut planners = SessionStateDefaults::default_expr_planners();
        planners.insert(0, Arc::new(AttributeAccessPlanner));
        let mut analyzer_rules = Analyzer::new().rules;
        analyzer_rules.insert(0, Arc::new(CompareValuesAsText));
        analyzer_rules.push(Arc::new(TypedGetters));
        let mut physical_rules = PhysicalOptimizer::new().rules;
        physical_rules.push(Arc::new(ReadSequentially));
        physical_rules.push(Arc::new(UseCopylessFilter));
        let state = SessionStateBuilder::new()
            .with_config(config())
            .with_runtime_env(runtime)
            .with_catalog_list(catalog(&slots)?)
            .with_expr_planners(planners)
            .with_scalar_functions(functions(&clock, has_window))
            .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
            .with_aggregate_functions(SessionStateDefaults::default_aggregate_functions())
            .with_window_functions(SessionStateDefaults::default_window_functions())
            .with_analyzer_rules(analyzer_rules)
            .with_physical_optimizer_rules(physical_rules)
            .build();
        Ok(Session {
            state,
            slots,
            clock,
        })
    }
}

fn config() -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(1)
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    options.sql_parser.collect_spans = true;
    // A dynamic filter keeps values of earlier batches.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    config
}

/// DataFusion's scalar functions and those of this crate, which replace functions of the same name.
fn functions(clock: &Arc<RunClock>, has_window: bool) -> Vec<Arc<ScalarUDF>> {
    let of_airdig: Vec<ScalarUDF> = clock::functions(clock, has_window)
        .into_iter()
        .chain(edit::functions())
        .chain(show::functions())
        .chain([replace::function()])
        .collect();
    let mut all = SessionStateDefaults::default_scalar_functions();
    let is_replaced = |name: &str| of_airdig.iter().any(|function| function.name() == name);
    all.retain(|function| !is_replaced(function.name()));
    all.extend(of_airdig.into_iter().map(Arc::new));
    all
}

/// A catalog with a table for each signal.
fn catalog(slots: &[(Signal, Arc<TableSlot>)]) -> Result<Arc<dyn CatalogProviderList>> {
    let schema = MemorySchemaProvider::new();
    for (signal, slot) in slots {
        let table: Arc<dyn TableProvider> = Arc::new(SignalTable(slot.clone()));
        schema.register_table(signal.name().to_owned(), table)?;
    }
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema("public", Arc::new(schema))?;
    let list = MemoryCatalogProviderList::new();
    list.register_catalog("datafusion".to_owned(), Arc::new(catalog));
    Ok(Arc::new(list))
}
