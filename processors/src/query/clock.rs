//! What is the same for all rows of a run: `now()`, and the ends of its window.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use pipeline::component::UnixNanos;

/// Of one query. A plan is made once, so what differs from run to run is read from here.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// In nanoseconds since 1970, by [`What`].
    times: [AtomicI64; 3],
}

/// The stretch of time that a query looks at: from `start` on, before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: UnixNanos,
    pub end: UnixNanos,
}

impl Clock {
    pub(super) fn set(&self, now: UnixNanos, window: Option<Span>) {
        self.put(What::Now, now);
        if let Some(window) = window {
            self.put(What::WindowStart, window.start);
            self.put(What::WindowEnd, window.end);
        }
    }

    fn put(&self, what: What, time: UnixNanos) {
        self.times[what as usize].store(time.timestamp(), Ordering::Relaxed);
    }

    fn get(&self, what: What) -> i64 {
        self.times[what as usize].load(Ordering::Relaxed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What {
    Now,
    WindowStart,
    WindowEnd,
}

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A function without arguments.
#[derive(Debug)]
struct Reading {
    clock: Arc<Clock>,
    what: What,
    /// The day alone, or the time of day alone.
    part: Part,
    aliases: Vec<String>,
    signature: Signature,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Whole,
    Day,
    TimeOfDay,
}

impl PartialEq for Reading {
    fn eq(&self, other: &Reading) -> bool {
        Arc::ptr_eq(&self.clock, &other.clock) && self.name() == other.name()
    }
}

impl Eq for Reading {}

impl Hash for Reading {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

/// `now()` and its like; those of the window only where there is one.
pub(super) fn functions(clock: &Arc<Clock>, has_window: bool) -> Vec<ScalarUDF> {
    let reading = |what, part, aliases: &[&str]| {
        ScalarUDF::from(Reading {
            clock: clock.clone(),
            what,
            part,
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            // What is not volatile is evaluated when the plan is made.
            signature: Signature::nullary(Volatility::Volatile),
        })
    };
    let mut functions = vec![
        reading(What::Now, Part::Whole, &["current_timestamp"]),
        reading(What::Now, Part::Day, &["today"]),
        reading(What::Now, Part::TimeOfDay, &[]),
    ];
    if has_window {
        functions.push(reading(What::WindowStart, Part::Whole, &[]));
        functions.push(reading(What::WindowEnd, Part::Whole, &[]));
    }
    functions
}

impl ScalarUDFImpl for Reading {
    fn name(&self) -> &'static str {
        match (self.what, self.part) {
            (What::Now, Part::Whole) => "now",
            (What::Now, Part::Day) => "current_date",
            (What::Now, Part::TimeOfDay) => "current_time",
            (What::WindowStart, _) => "window_start",
            (What::WindowEnd, _) => "window_end",
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
            Part::Whole => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            Part::Day => DataType::Date32,
            Part::TimeOfDay => DataType::Time64(TimeUnit::Nanosecond),
        })
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let nanos = self.clock.get(self.what);
        Ok(ColumnarValue::Scalar(match self.part {
            Part::Whole => ScalarValue::TimestampNanosecond(Some(nanos), Some("UTC".into())),
            Part::Day => ScalarValue::Date32(i32::try_from(nanos.div_euclid(NANOS_PER_DAY)).ok()),
            Part::TimeOfDay => ScalarValue::Time64Nanosecond(Some(nanos.rem_euclid(NANOS_PER_DAY))),
        }))
    }
}
