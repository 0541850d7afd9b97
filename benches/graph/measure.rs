//! Times a case: warm on a store that has been read before, cold on one that was opened for the query.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::figure::{Figure, LIMIT};
use crate::process;
use crate::store::{OpenStore, Query};

/// Queries that go before, and how long they may take; of a case that is slower they are the samples.
const WARM_UP: usize = 20;
const WARM_UP_TIME: Duration = Duration::from_secs(3);
/// After this no further sample is taken.
const WARM_TIME: Duration = Duration::from_secs(6);
const COLD_TIME: Duration = Duration::from_secs(3);
/// Queries of a case that are also asked cold.
const COLD: usize = 20;

/// One figure: the same read of different things.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    queries: Vec<Query>,
}

impl Case {
    /// The query of each number up to `samples`.
    pub(crate) fn new(name: impl Into<String>, samples: u64, query: impl Fn(u64) -> Query) -> Case {
        Case {
            name: name.into(),
            queries: (0..samples).map(query).collect(),
        }
    }
}

/// Reads run on threads of their own, so that one that computes without a pause, and lets no timer of
/// its runtime run, is given up all the same.
pub(crate) struct Meter {
    file: PathBuf,
    threads: Handle,
    warm: Arc<OpenStore>,
}

/// Milliseconds and items of each query, and what ended the case early.
#[derive(Default)]
struct Samples {
    times: Vec<f64>,
    items: Vec<f64>,
    failure: Option<Failure>,
}

enum Failure {
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

    pub(crate) async fn measure(&mut self, case: &Case) -> Vec<Figure> {
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
            // Its statement may still hold a connection.
            process::quiet().await;
            self.warm = Arc::new(OpenStore::open(&self.file).await);
            return vec![warm];
        }
        vec![warm, self.cold(case).await]
    }

    async fn cold(&self, case: &Case) -> Figure {
        let mut samples = Samples::default();
        let start = Instant::now();
        for query in case.queries.iter().take(COLD) {
            let store = Arc::new(OpenStore::open(&self.file).await);
            samples.take(&self.threads, &store, query).await;
            if samples.failure.is_some() {
                process::quiet().await;
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
    async fn take(&mut self, threads: &Handle, store: &Arc<OpenStore>, query: &Query) {
        let (store, query) = (store.clone(), query.clone());
        let mut task = threads.spawn(async move {
            let start = Instant::now();
            let found = store.run(&query).await;
            (start.elapsed(), found)
        });
        match tokio::time::timeout(LIMIT, &mut task).await {
            Ok(Ok((took, Ok(items)))) => {
                self.times.push(took.as_secs_f64() * 1e3);
                self.items.push(items as f64);
            }
            Ok(Ok((_, Err(error)))) => {
                self.failure = Some(Failure::Failed(format!("{error}: {:?}", error.source)));
            }
            Ok(Err(panicked)) => self.failure = Some(Failure::Failed(panicked.to_string())),
            Err(_) => {
                task.abort();
                self.failure = Some(Failure::TooSlow);
            }
        }
    }

    fn figure(&self, case: &Case, cache: &str) -> Figure {
        let figure = match &self.failure {
            None => Figure::of_samples(&case.name, "ms", &self.times),
            Some(Failure::TooSlow) => {
                let value = LIMIT.as_secs_f64() * 1e3;
                Figure::too_slow(&case.name, "ms", value, LIMIT)
            }
            Some(Failure::Failed(error)) => {
                eprintln!("{} failed: {error}", case.name);
                Figure::failed(&case.name)
            }
        };
        figure.cached(cache).of(median(&self.items) as usize)
    }
}

/// A query that was given up keeps its store for as long as it runs.
async fn close(store: Arc<OpenStore>) {
    if let Ok(store) = Arc::try_unwrap(store) {
        store.close().await;
    }
}

fn median(values: &[f64]) -> f64 {
    Figure::of_samples("", "", values).p50
}
