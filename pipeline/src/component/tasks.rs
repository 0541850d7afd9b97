//! Background tasks of components.

use tokio_util::sync::CancellationToken;

use super::RunError;

/// The background tasks of a component. Each task has a name, and the engine joins it. If a task fails or ends
/// before `stop`, the process ends.
#[derive(Default)]
pub struct Tasks {
    stop: CancellationToken,
    pub(crate) spawned: Vec<(
        String,
        futures::future::BoxFuture<'static, Result<(), RunError>>,
    )>,
}

impl Tasks {
    /// An empty set of tasks. `stop` is cancelled when the tasks must return.
    pub fn new(stop: CancellationToken) -> Tasks {
        Tasks {
            stop,
            spawned: Vec::new(),
        }
    }

    /// The token that is cancelled when the tasks must return.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// The spawned tasks, for a test that runs a component without an engine.
    pub fn into_futures(
        self,
    ) -> impl Iterator<Item = futures::future::BoxFuture<'static, Result<(), RunError>>> {
        self.spawned.into_iter().map(|(_, task)| task)
    }

    /// Adds a task. The engine starts it after all components have started.
    pub fn spawn<F>(&mut self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), RunError>> + Send + 'static,
    {
        self.spawned.push((name.into(), Box::pin(task)));
    }
}
