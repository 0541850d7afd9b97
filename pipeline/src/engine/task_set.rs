//! The set of running tasks. Each task has a name and a stage, and each is joined.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::task::{AbortHandle, Id, JoinSet};

use super::error::EngineError;
use crate::component::RunError;
use crate::error_cause::panic_message;

/// The stages of a stop, in the order in which the engine waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StopStage {
    Receivers,
    /// Threads of pipelines and connectors.
    Chains,
    /// Tasks that export queued batches and outboxes.
    Consumers,
    /// Calls of `Exporter::stop`.
    ExporterStops,
    /// Background tasks that exporters have spawned.
    Tasks,
    Extensions,
}

/// Why a task ended with an error.
#[derive(Debug)]
pub(super) enum TaskFailure {
    Failed(RunError),
    Panicked {
        /// The component that panicked, if it is known. Otherwise the error names the task.
        component: Option<String>,
        message: String,
    },
}

impl From<RunError> for TaskFailure {
    fn from(error: RunError) -> TaskFailure {
        TaskFailure::Failed(error)
    }
}

impl TaskFailure {
    /// The failure of a task whose panic was caught.
    pub(super) fn panicked(component: Option<String>, panic: &(dyn Any + Send)) -> TaskFailure {
        TaskFailure::Panicked {
            component,
            message: panic_message(panic),
        }
    }

    pub(super) fn into_error(self, task: String) -> EngineError {
        match self {
            TaskFailure::Failed(source) => EngineError::Failed {
                component: task,
                source,
            },
            TaskFailure::Panicked { component, message } => EngineError::Panicked {
                component: component.unwrap_or(task),
                message,
            },
        }
    }
}

/// A running task.
#[derive(Debug)]
struct Task {
    stage: StopStage,
    name: String,
    abort: AbortHandle,
}

/// A task that has ended.
pub(super) struct EndedTask {
    pub(super) name: String,
    pub(super) failure: Option<EngineError>,
}

/// All running tasks.
#[derive(Default)]
pub(super) struct TaskSet {
    tasks: JoinSet<Result<(), TaskFailure>>,
    running: HashMap<Id, Task>,
}

impl TaskSet {
    /// Starts a task.
    pub(super) fn spawn<F>(&mut self, stage: StopStage, name: String, work: F)
    where
        F: Future<Output = Result<(), TaskFailure>> + Send + 'static,
    {
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let handle = self.tasks.spawn(async move {
            guarded
                .await
                .unwrap_or_else(|panic| Err(TaskFailure::panicked(None, panic.as_ref())))
        });
        let task = Task {
            stage,
            name,
            abort: handle.clone(),
        };
        self.running.insert(handle.id(), task);
    }

    /// Waits until a task ends. Returns `None` if no task runs.
    pub(super) async fn next(&mut self) -> Option<EndedTask> {
        let (id, result) = match self.tasks.join_next_with_id().await? {
            Ok(ended) => ended,
            // The task was aborted. It cannot have panicked, since panics are caught inside of it.
            Err(error) => (error.id(), Ok(())),
        };
        let task = self.running.remove(&id)?;
        Some(EndedTask {
            failure: result
                .err()
                .map(|failure| failure.into_error(task.name.clone())),
            name: task.name,
        })
    }

    /// Whether a task of this stage still runs.
    pub(super) fn is_running(&self, stage: StopStage) -> bool {
        self.running.values().any(|task| task.stage == stage)
    }

    /// The stages and names of the running tasks, without duplicates.
    pub(super) fn running_tasks(&self) -> BTreeSet<(StopStage, String)> {
        let tasks = self.running.values();
        tasks.map(|task| (task.stage, task.name.clone())).collect()
    }

    /// Aborts the tasks of a stage at their next `await`.
    pub(super) fn abort(&self, stage: StopStage) {
        for task in self.running.values().filter(|task| task.stage == stage) {
            task.abort.abort();
        }
    }

    /// Aborts all tasks and joins them.
    pub(super) async fn abort_all(&mut self) {
        self.tasks.shutdown().await;
        self.running.clear();
    }
}
