//! The schema behind the check.

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

use super::extension::Deadline;
use super::limits::{error_response, timed_out};
use super::threads::CheckThreads;
use super::values::VariableSizes;
use super::{document, tokens};
use crate::graphql::config::Config;
use crate::graphql::schema::Schema;

/// Executes requests that are within the bounds. Parsing and validation run on threads that serve no receiver.
#[derive(Clone)]
pub(crate) struct BoundedSchema {
    schema: Schema,
    threads: Arc<CheckThreads>,
    query_timeout: Duration,
    max_depth: u64,
    stop: CancellationToken,
    /// Held by the request of a WebSocket that begins.
    turn: Arc<Mutex<()>>,
    /// Permits for the requests of a WebSocket that have not begun.
    waiting: Arc<Semaphore>,
}

/// Requests of a WebSocket that wait for those before them: each keeps its text.
const WAITING: usize = 32;

type Responses = BoxStream<'static, Response>;

impl BoundedSchema {
    /// After `stop`, a request that is not validated yet gets an error.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub(crate) fn new(
        schema: Schema,
        config: &Config,
        stop: CancellationToken,
    ) -> io::Result<BoundedSchema> {
        Ok(BoundedSchema {
            schema,
            threads: Arc::new(CheckThreads::start()?),
            query_timeout: config.query_timeout,
            max_depth: config.max_depth as u64,
            stop,
            turn: Arc::default(),
            waiting: Arc::new(Semaphore::new(WAITING)),
        })
    }

    pub(crate) fn sdl(&self) -> String {
        self.schema.sdl()
    }

    /// Occupies the threads until the sender is dropped.
    #[cfg(test)]
    pub(crate) fn block_threads(&self) -> std::sync::mpsc::Sender<()> {
        self.threads.block()
    }

    /// The schema for one more WebSocket.
    pub(crate) fn for_socket(&self) -> BoundedSchema {
        BoundedSchema {
            turn: Arc::default(),
            waiting: Arc::new(Semaphore::new(WAITING)),
            ..self.clone()
        }
    }

    /// Checks the request when it is its turn, validates it, and executes it until it first waits for the store:
    /// all of that on a thread of its own. The rest runs where the responses are polled.
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
            // For resolvers that start a timer or a task.
            let _runtime = runtime.enter();
            match this.check(request, deadline) {
                Ok(request) => poll_once(execute(&this.schema, request)),
                Err(error) => one(Response::from_errors(vec![error])),
            }
        };
        let begin = async {
            let _turn = turn.await;
            match self.threads.run(check) {
                Ok(checked) => match checked.await {
                    Ok(responses) => responses,
                    Err(_) => one(error_response("the query could not be checked")),
                },
                Err(full) => one(error_response(full.to_string())),
            }
        };
        tokio::select! {
            responses = begin => responses,
            () = sleep_until(deadline) => one(timed_out(self.query_timeout)),
            () = self.stop.cancelled() => one(error_response("airdig stops: ask again")),
        }
    }

    /// The request with its document, which is not parsed again.
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

    /// Requests begin in the order of these calls: a query that follows a subscription misses nothing between them.
    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> Responses {
        let Ok(waits) = self.waiting.clone().try_acquire_owned() else {
            let reason =
                format!("{WAITING} requests of this connection wait already: send fewer at once");
            return one(error_response(reason));
        };
        let this = self.clone();
        let mut turn = Box::pin(self.turn.clone().lock_owned());
        let free = (&mut turn).now_or_never();
        let turn = async move {
            match free {
                Some(turn) => turn,
                None => turn.await,
            }
        };
        let execute = |schema: &Schema, request| {
            schema.execute_stream_with_session_data(request, session.unwrap_or_default())
        };
        async move {
            let _waits = waits;
            this.begin(request, turn, execute).await
        }
        .flatten_stream()
        .boxed()
    }
}

fn one(response: Response) -> Responses {
    stream::once(ready(response)).boxed()
}

/// Polls once: that validates and executes until the first wait.
fn poll_once(mut responses: Responses) -> Responses {
    // The stream is polled again wherever it moves to, so no wake is lost.
    let mut context = Context::from_waker(Waker::noop());
    match responses.poll_next_unpin(&mut context) {
        Poll::Pending => responses,
        Poll::Ready(None) => stream::empty().boxed(),
        Poll::Ready(Some(first)) => one(first).chain(responses).boxed(),
    }
}

/// The parser's message quotes the line of the error, which may be the whole query.
fn syntax_error(error: async_graphql::parser::Error) -> ServerError {
    const LONGEST: usize = 1_000;
    let mut error = ServerError::from(error);
    if error.message.len() > LONGEST {
        let at = error.locations.first();
        let at = at.map_or_else(String::new, |at| format!(" at {}:{}", at.line, at.column));
        error.message = format!("the query cannot be parsed{at}");
    }
    error
}

/// Whether the operation that is asked for is a subscription.
fn subscribes(document: &ExecutableDocument, name: Option<&str>) -> bool {
    let operation = match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => operations.values().next(),
    };
    operation.is_some_and(|operation| operation.node.ty == OperationType::Subscription)
}
