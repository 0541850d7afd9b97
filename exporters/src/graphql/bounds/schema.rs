//! Checks requests and executes them on the schema.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Data, Executor, Request, Response, ServerError};
use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::extension::{Deadline, ExecutionLimits};
use super::limits::{error_response, timed_out};
use super::threads::CheckThreads;
use super::values::VariableSizes;
use super::{document, tokens};
use crate::graphql::config::Config;
use crate::graphql::schema::{Schema, SchemaBuilder};

/// Executes requests that are within the limits. Parsing and validation run on threads that serve no receiver.
#[derive(Clone)]
pub(crate) struct BoundedSchema {
    schema: Schema,
    threads: Arc<CheckThreads>,
    query_timeout: Duration,
    max_depth: u64,
    stop: CancellationToken,
    /// Held while a request of this WebSocket begins, so that requests begin in order.
    turn: Arc<Mutex<()>>,
    /// Permits for requests of this WebSocket that have not begun.
    queue_permits: Arc<Semaphore>,
}

/// The maximum number of requests of one WebSocket that have not begun. Each keeps its text in memory.
const MAX_QUEUED: usize = 32;

type Responses = BoxStream<'static, Response>;

impl BoundedSchema {
    /// Adds the limits to a schema and starts the threads. After `stop` is cancelled, requests that are not
    /// validated yet get an error.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn new(
        builder: SchemaBuilder,
        config: &Config,
        stop: CancellationToken,
    ) -> io::Result<BoundedSchema> {
        // `ExecutionLimits` adds its own suggestions, and only to the errors that it returns.
        let builder = builder.disable_suggestions().extension(ExecutionLimits {
            max_complexity: config.max_complexity,
            query_timeout: config.query_timeout,
        });
        Ok(BoundedSchema {
            schema: builder.finish(),
            threads: Arc::new(CheckThreads::start()?),
            query_timeout: config.query_timeout,
            max_depth: config.max_depth as u64,
            stop,
            turn: Arc::default(),
            queue_permits: Arc::new(Semaphore::new(MAX_QUEUED)),
        })
    }

    /// The schema in GraphQL's schema definition language.
    pub(crate) fn sdl(&self) -> String {
        self.schema.sdl()
    }

    /// Occupies the threads until the sender is dropped.
    #[cfg(test)]
    pub(crate) fn block_threads(&self) -> std::sync::mpsc::Sender<()> {
        self.threads.block()
    }

    /// A handle for one WebSocket, with its own order of requests.
    pub(crate) fn for_socket(&self) -> BoundedSchema {
        BoundedSchema {
            turn: Arc::default(),
            queue_permits: Arc::new(Semaphore::new(MAX_QUEUED)),
            ..self.clone()
        }
    }

    /// Waits for `turn`, then checks, validates and executes the request on a check thread up to its first pending
    /// await. The task that polls the responses executes the rest.
    async fn begin<T>(
        &self,
        request: Request,
        turn: impl Future<Output = T>,
        execute: impl FnOnce(&Schema, Request) -> Responses + Send + 'static,
    ) -> Responses {
        let deadline = Instant::now() + self.query_timeout;
        let this = self.clone();
        let runtime = Handle::current();
        let check = move || {
            // Resolvers may start timers and tasks.
            let _runtime = runtime.enter();
            match this.check(request, deadline) {
                Ok(request) => poll_once(execute(&this.schema, request)),
                Err(error) => single_response(Response::from_errors(vec![error])),
            }
        };
        let begin = async {
            let _turn = turn.await;
            match self.threads.run(check) {
                Ok(checked) => match checked.await {
                    Ok(responses) => responses,
                    Err(_) => single_response(error_response(
                        "internal error: validation of the query panicked",
                    )),
                },
                Err(full) => single_response(error_response(full.to_string())),
            }
        };
        tokio::select! {
            responses = begin => responses,
            () = sleep_until(deadline) => single_response(timed_out(self.query_timeout)),
            () = self.stop.cancelled() => single_response(error_response("airdig is shutting down: retry later")),
        }
    }

    /// Checks the limits, and attaches the parsed document to the request, so that it is not parsed again.
    fn check(&self, mut request: Request, deadline: Instant) -> Result<Request, ServerError> {
        let rejected = |error| ServerError::new(format!("{error}"), None);
        tokens::check(&request.query).map_err(rejected)?;
        let document = parse_query(&request.query).map_err(syntax_error)?;
        let sizes = VariableSizes::measure(&document, &request.variables).map_err(rejected)?;
        document::check(&document, &sizes, self.max_depth).map_err(rejected)?;
        if !subscribes(&document, request.operation_name.as_deref()) {
            request = request.data(Deadline(deadline));
        }
        request.set_parsed_query(document);
        Ok(request)
    }
}

impl Executor for BoundedSchema {
    async fn execute(&self, request: Request) -> Response {
        let execute = |schema: &Schema, request| {
            let schema = schema.clone();
            async move { schema.execute(request).await }
                .into_stream()
                .boxed()
        };
        let mut responses = self.begin(request, ready(()), execute).await;
        let response = responses.next().await;
        response.expect("a request that is executed once has one response")
    }

    /// Requests begin in the order of these calls. So a client that subscribes and then queries misses no commit.
    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> Responses {
        let Ok(permit) = self.queue_permits.clone().try_acquire_owned() else {
            let reason = format!(
                "{MAX_QUEUED} requests of this connection are already queued: send fewer at once"
            );
            return single_response(error_response(reason));
        };
        let this = self.clone();
        let mut turn = Box::pin(self.turn.clone().lock_owned());
        let immediate = (&mut turn).now_or_never();
        let turn = async move {
            match immediate {
                Some(turn) => turn,
                None => turn.await,
            }
        };
        let execute = |schema: &Schema, request| {
            schema.execute_stream_with_session_data(request, session.unwrap_or_default())
        };
        async move {
            let _permit = permit;
            this.begin(request, turn, execute).await
        }
        .flatten_stream()
        .boxed()
    }
}

fn single_response(response: Response) -> Responses {
    stream::once(ready(response)).boxed()
}

/// Polls once. This validates the request and executes it up to its first pending await.
fn poll_once(mut responses: Responses) -> Responses {
    // The caller polls the stream again, so the wake-ups that this no-op waker drops are not lost.
    let mut context = Context::from_waker(Waker::noop());
    match responses.poll_next_unpin(&mut context) {
        Poll::Pending => responses,
        Poll::Ready(None) => stream::empty().boxed(),
        Poll::Ready(Some(first)) => single_response(first).chain(responses).boxed(),
    }
}

/// Replaces a long message of the parser: the message quotes the line of the error, which may be the whole query.
fn syntax_error(error: async_graphql::parser::Error) -> ServerError {
    const MAX_MESSAGE_BYTES: usize = 1_000;
    let mut error = ServerError::from(error);
    if error.message.len() > MAX_MESSAGE_BYTES {
        let position = error.locations.first();
        let place = position.map_or_else(String::new, |pos| {
            format!(" at {}:{}", pos.line, pos.column)
        });
        error.message = format!("the query cannot be parsed{place}");
    }
    error
}

/// Whether the requested operation is a subscription.
fn subscribes(document: &ExecutableDocument, name: Option<&str>) -> bool {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => operations.values().next(),
    };
    operation.is_some_and(|operation| operation.node.ty == OperationType::Subscription)
}
