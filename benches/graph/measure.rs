//! Measures a case: warm, on a store that has been read before; cold, on a store that was opened for the query.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::figure::{Figure, LIMIT};
use crate::process;
use crate::store::{OpenStore, StoreQuery};

/// Warm-up queries, and their time limit. If a case exceeds the limit, they are its samples.
const WARM_UP: usize = 20;
const WARM_UP_TIME: Duration = Duration::from_secs(3);
/// Time limits for sampling.
const WARM_TIME: Duration = Duration::from_secs(6);
const COLD_TIME: Duration = Duration::from_secs(3);
/// Queries per case that are also measured cold.
const COLD: usize = 20;

/// One figure: the same read with different parameters.
#[derive(Clone, Debug)]
pub(crate) struct ReadCase {
    pub(crate) name: String,
    queries: Vec<StoreQuery>,
}

impl ReadCase {
    /// `query` is called with each number below `samples`.
    pub(crate) fn new(
        name: impl Into<String>,
        samples: u64,
        query: impl Fn(u64) -> StoreQuery,
    ) -> ReadCase {
        ReadCase {
            name: name.into(),
            queries: (0..samples).map(query).collect(),
        }
    }
}

/// Runs reads on separate threads, so that a read that blocks its runtime, and its timers, is still cancelled at the
/// limit.
pub(crate) struct Meter {
    file: PathBuf,
    threads: Handle,
    warm: Arc<OpenStore>,
}

/// Milliseconds and items of each query, and the failure that ended the case early.
#[derive(Default)]
struct Samples {
    times: Vec<f64>,
    items: Vec<f64>,
    failure: Option<ReadFailure>,
}

enum ReadFailure {
    TooSlow,
    Failed(String),
}

impl Meter {
    pub(crate) async fn open(file: &Path, threads: Handle) -> Meter {
        Meter {
            file: file.to_owned(),
            threads,
            warm: Arc::new(OpenStore::open(file).await),
        }
    }

    pub(crate) async fn close(self) {
        close(self.warm).await;
    }

    pub(crate) async fn measure(&mut self, case: &ReadCase) -> Vec<Figure> {
        eprintln!("{}", case.name);
        let first = case.queries.iter().take(WARM_UP);
        let mut samples = Samples::default();
        let start = Instant::now();
        for query in first {
            samples.take(&self.threads, &self.warm, query).await;
            if samples.failure.is_some() || start.elapsed() > WARM_UP_TIME {
                break;
            }
        }
        if start.elapsed() <= WARM_UP_TIME && samples.failure.is_none() {
            samples = Samples::default();
            let start = Instant::now();
            for query in &case.queries {
                samples.take(&self.threads, &self.warm, query).await;
                if samples.failure.is_some() || start.elapsed() > WARM_TIME {
                    break;
                }
            }
        }
        let warm = samples.figure(case, "warm");
        if samples.failure.is_some() {
            // The cancelled statement may still hold a connection.
            process::wait_until_idle().await;
            self.warm = Arc::new(OpenStore::open(&self.file).await);
            return vec![warm];
        }
        vec![warm, self.cold(case).await]
    }

    async fn cold(&self, case: &ReadCase) -> Figure {
        let mut samples = Samples::default();
        let start = Instant::now();
        for query in case.queries.iter().take(COLD) {
            let store = Arc::new(OpenStore::open(&self.file).await);
            samples.take(&self.threads, &store, query).await;
            if samples.failure.is_some() {
                process::wait_until_idle().await;
                break;
            }
            close(store).await;
            if start.elapsed() > COLD_TIME {
                break;
            }
        }
        samples.figure(case, "cold")
    }
}

impl Samples {
    async fn take(&mut self, threads: &Handle, store: &Arc<OpenStore>, query: &StoreQuery) {
        let (store, query) = (store.clone(), query.clone());
        let mut task = threads.spawn(async move {
            let start = Instant::now();
            let items = store.run(&query).await;
            (start.elapsed(), items)
        });
        match tokio::time::timeout(LIMIT, &mut task).await {
            Ok(Ok((took, Ok(items)))) => {
                self.times.push(took.as_secs_f64() * 1e3);
                self.items.push(items as f64);
            }
            Ok(Ok((_, Err(error)))) => {
                self.failure = Some(ReadFailure::Failed(format!("{error}: {:?}", error.source)));
            }
            Ok(Err(panicked)) => self.failure = Some(ReadFailure::Failed(panicked.to_string())),
            Err(_) => {
                task.abort();
                self.failure = Some(ReadFailure::TooSlow);
            }
        }
    }

    fn figure(&self, case: &ReadCase, cache: &str) -> Figure {
        let figure = match &self.failure {
            None => Figure::of_samples(&case.name, "ms", &self.times),
            Some(ReadFailure::TooSlow) => {
                let value = LIMIT.as_secs_f64() * 1e3;
                Figure::too_slow(&case.name, "ms", value, LIMIT)
            }
            Some(ReadFailure::Failed(error)) => {
                eprintln!("{} failed: {error}", case.name);
                Figure::failed(&case.name)
            }
        };
        figure.cached(cache).of(median(&self.items) as usize)
    }
}

/// A cancelled query keeps its store open while it runs; then this does nothing.
async fn close(store: Arc<OpenStore>) {
    if let Ok(store) = Arc::try_unwrap(store) {
        store.close().await;
    }
}

fn median(values: &[f64]) -> f64 {
    Figure::of_samples("", "", values).p50
}
