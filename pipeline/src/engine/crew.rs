//! All that runs, by name: nothing is spawned that nobody joins.

use std::collections::{BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::task::{AbortHandle, Id, JoinSet};

use super::error::{EngineError, panic_message};
use crate::component::RunError;

/// In the order in which a stop waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Receivers,
    /// Threads of pipelines and connectors.
    Chains,
    Consumers,
    /// The exporters' last calls.
    Stops,
    /// What exporters run beside themselves.
    Tasks,
    Extensions,
}

/// How a member ended that should not have.
#[derive(Debug)]
pub(super) enum Failure {
    Failed(RunError),
    Panicked {
        /// Where it is known more exactly than by the member's name.
        component: Option<String>,
        message: String,
    },
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Failure::Failed(error)
    }
}

impl Failure {
    fn of(self, member: String) -> EngineError {
        match self {
            Failure::Failed(source) => EngineError::Failed {
                component: member,
                source,
            },
            Failure::Panicked { component, message } => EngineError::Panicked {
                component: component.unwrap_or(member),
                message,
            },
        }
    }
}

#[derive(Debug)]
struct Member {
    stage: Stage,
    name: String,
    abort: AbortHandle,
}

/// What became of a member.
pub(super) struct Ended {
    pub(super) name: String,
    pub(super) failure: Option<EngineError>,
}

#[derive(Default)]
pub(super) struct Crew {
    tasks: JoinSet<Result<(), Failure>>,
    running: HashMap<Id, Member>,
}

impl Crew {
    pub(super) fn spawn<F>(&mut self, stage: Stage, name: String, work: F)
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let guarded = AssertUnwindSafe(work).catch_unwind();
        let task = self.tasks.spawn(async move {
            guarded.await.unwrap_or_else(|panic| {
                Err(Failure::Panicked {
                    component: None,
                    message: panic_message(panic.as_ref()),
                })
            })
        });
        let member = Member {
            stage,
            name,
            abort: task.clone(),
        };
        self.running.insert(task.id(), member);
    }

    /// The next member that ends; none once all have.
    pub(super) async fn next(&mut self) -> Option<Ended> {
        let (id, result) = match self.tasks.join_next_with_id().await? {
            Ok(ended) => ended,
            // Aborted: panics are caught inside.
            Err(error) => (error.id(), Ok(())),
        };
        let member = self.running.remove(&id)?;
        Some(Ended {
            failure: result.err().map(|failure| failure.of(member.name.clone())),
            name: member.name,
        })
    }

    pub(super) fn runs(&self, stage: Stage) -> bool {
        self.running.values().any(|member| member.stage == stage)
    }

    /// All that still runs, each name once.
    pub(super) fn left(&self) -> BTreeSet<(Stage, String)> {
        let members = self.running.values();
        members
            .map(|member| (member.stage, member.name.clone()))
            .collect()
    }

    /// Ends what still runs of a stage, at its next `await`.
    pub(super) fn cut_off(&self, stage: Stage) {
        for member in self.running.values().filter(|one| one.stage == stage) {
            member.abort.abort();
        }
    }

    /// Ends all that still runs.
    pub(super) async fn end(&mut self) {
        self.tasks.shutdown().await;
        self.running.clear();
    }
}
