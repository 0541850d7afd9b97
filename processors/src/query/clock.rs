//! Functions that are constant during a run: `now()`, and the bounds of the window.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use pipeline::component::UnixNanos;

/// The times of the current run of a query. The plan is made once, so its functions read the times from here.
#[derive(Debug, Default)]
pub(super) struct RunClock {
    /// Nanoseconds since 1970, indexed by [`RunTime`].
    times: [AtomicI64; 3],
}

/// A window of event time: `start` is inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowBounds {
    pub start: UnixNanos,
    pub end: UnixNanos,
}

impl RunClock {
    /// Sets the times of the next run. Without a window, the times of the window do not change.
    pub(super) fn set(&self, now: UnixNanos, window: Option<WindowBounds>) {
        self.put(RunTime::Now, now);
        if let Some(window) = window {
            self.put(RunTime::WindowStart, window.start);
            self.put(RunTime::WindowEnd, window.end);
        }
    }

    fn put(&self, run_time: RunTime, time: UnixNanos) {
        self.times[run_time as usize].store(time.timestamp(), Ordering::Relaxed);
    }

    fn get(&self, run_time: RunTime) -> i64 {
        self.times[run_time as usize].load(Ordering::Relaxed)
    }
}

/// A time that is constant during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum RunTime {
    Now,
    WindowStart,
    WindowEnd,
}

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A function without arguments that returns a time of the run.
#[derive(Debug)]
struct ClockFunction {
    clock: Arc<RunClock>,
    run_time: RunTime,
    part: TimePart,
    /// Other names of the function.
    aliases: Vec<String>,
    signature: Signature,
}

/// The part of a time that a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum TimePart {
    Whole,
    Day,
    TimeOfDay,
}

impl PartialEq for ClockFunction {
    fn eq(&self, other: &ClockFunction) -> bool {
        Arc::ptr_eq(&self.clock, &other.clock) && self.name() == other.name()
    }
}

impl Eq for ClockFunction {}

impl Hash for ClockFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// `now()` and similar functions; `window_start()` and `window_end()` only if there is a window.
pub(super) fn functions(clock: &Arc<RunClock>, has_window: bool) -> Vec<ScalarUDF> {
    let function = |run_time, part, aliases: &[&str]| {
        ScalarUDF::from(ClockFunction {
            clock: clock.clone(),
            run_time,
            part,
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            // DataFusion evaluates a function that is not volatile when it plans the query.
            signature: Signature::nullary(Volatility::Volatile),
        })
    };
    let mut functions = vec![
        function(RunTime::Now, TimePart::Whole, &["current_timestamp"]),
        function(RunTime::Now, TimePart::Day, &["today"]),
        function(RunTime::Now, TimePart::TimeOfDay, &[]),
    ];
    if has_window {
        functions.push(function(RunTime::WindowStart, TimePart::Whole, &[]));
        functions.push(function(RunTime::WindowEnd, TimePart::Whole, &[]));
    }
    functions
}

impl ScalarUDFImpl for ClockFunction {
    fn name(&self) -> &'static str {
        match (self.run_time, self.part) {
            (RunTime::Now, TimePart::Whole) => "now",
            (RunTime::Now, TimePart::Day) => "current_date",
            (RunTime::Now, TimePart::TimeOfDay) => "current_time",
            (RunTime::WindowStart, _) => "window_start",
            (RunTime::WindowEnd, _) => "window_end",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.part {
            TimePart::Whole => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            TimePart::Day => DataType::Date32,
            TimePart::TimeOfDay => DataType::Time64(TimeUnit::Nanosecond),
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let nanos = self.clock.get(self.run_time);
        Ok(ColumnarValue::Scalar(match self.part {
            TimePart::Whole => ScalarValue::TimestampNanosecond(Some(nanos), Some("UTC".into())),
            TimePart::Day => {
                ScalarValue::Date32(i32::try_from(nanos.div_euclid(NANOS_PER_DAY)).ok())
            }
            TimePart::TimeOfDay => {
                ScalarValue::Time64Nanosecond(Some(nanos.rem_euclid(NANOS_PER_DAY)))
            }
        }))
    }
}
