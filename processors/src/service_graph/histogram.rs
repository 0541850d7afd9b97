//! Exponential histograms of durations, exact at the bounds of their buckets.
//!
//! OTLP's mapping at scale 3: bucket `i` counts the durations, in seconds, in (base^i, base^(i+1)] with base 2^(1/8)
//! (opentelemetry/proto/metrics/v1/metrics.proto, `ExponentialHistogramDataPoint`). Durations are whole nanoseconds, so
//! each bucket has a last whole nanosecond, and [`bucket`] compares integers. A logarithm could be off by one for a
//! duration equal to a bound, such as 1 s.

/// The `scale` of OTLP.
pub(super) const SCALE: i32 = 3;

/// The bucket of 1 ns.
const FIRST: i32 = -240;
/// The number of buckets, up to that of `u64::MAX` ns.
const BUCKETS: usize = 513;
const NANOS: u128 = 1_000_000_000;

/// 2^(n/8) as fixed-point numbers with 63 fractional bits, rounded down.
const ROOTS: [u64; 8] = [
    0x8000_0000_0000_0000,
    0x8b95_c1e3_ea8b_d6e6,
    0x9837_f051_8db8_a96f,
    0xa5fe_d6a9_b151_38ea,
    0xb504_f333_f9de_6484,
    0xc567_2a11_5506_dadd,
    0xd744_fcca_d69d_6af4,
    0xeac0_c6e7_dd24_392e,
];

/// The longest duration in each bucket, in nanoseconds, starting with the bucket [`FIRST`].
static LAST: [u64; BUCKETS] = last_nanoseconds();
/// The index in [`LAST`] of the first possible bucket of a duration, by the number of its leading zero bits.
static START: [u16; 65] = starts();

const fn last_nanoseconds() -> [u64; BUCKETS] {
    let mut all = [0; BUCKETS];
    let mut bucket = 0;
    while bucket < BUCKETS {
        // The bucket ends at 2^(eighths / 8) seconds.
        let eighths = FIRST + bucket as i32 + 1;
        let root = ROOTS[eighths.rem_euclid(8) as usize] as u128;
        let nanos = (root * NANOS) >> (63 - eighths.div_euclid(8));
        all[bucket] = if nanos > u64::MAX as u128 {
            u64::MAX
        } else {
            nanos as u64
        };
        bucket += 1;
    }
    all
}

const fn starts() -> [u16; 65] {
    let mut all = [0; 65];
    let mut zeros = 0;
    while zeros < 64 {
        let least = 1 << (63 - zeros);
        let mut bucket = 0;
        while LAST[bucket] < least {
            bucket += 1;
        }
        all[zeros] = bucket as u16;
        zeros += 1;
    }
    all
}

/// The bucket of a duration of at least one nanosecond.
pub(super) fn bucket(nanos: u64) -> i32 {
    let mut bucket = usize::from(START[nanos.leading_zeros() as usize]);
    while LAST[bucket] < nanos {
        bucket += 1;
    }
    FIRST + bucket as i32
}

/// The count of each bucket, from the first to the last bucket that is not empty.
#[derive(Clone, Debug, Default)]
pub(super) struct ExponentialBuckets {
    /// The number of the first bucket in `counts`.
    pub(super) offset: i32,
    pub(super) counts: Vec<u64>,
}

impl ExponentialBuckets {
    /// Counts a duration in its bucket. A duration of zero is in no bucket.
    pub(super) fn add(&mut self, nanos: u64) {
        if nanos == 0 {
            return;
        }
        let bucket = bucket(nanos);
        if self.counts.is_empty() {
            self.offset = bucket;
        }
        if bucket < self.offset {
            let missing = (self.offset - bucket) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.offset = bucket;
        }
        let index = (bucket - self.offset) as usize;
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, ExponentialBuckets, FIRST, LAST, bucket};

    /// A bucket's upper bound in nanoseconds, by the formula of the proto.
    fn upper(index: i32) -> f64 {
        f64::exp2(f64::from(index + 1) / 8.0) * 1e9
    }

    #[test]
    fn a_duration_equal_to_a_bound_is_in_the_lower_bucket() {
        // 2^0 s, 2^-9 s and 2^4 s are whole nanoseconds.
        for (nanos, exponent) in [(1_000_000_000, 0), (1_953_125, -9), (16_000_000_000, 4)] {
            assert_eq!(bucket(nanos), exponent * 8 - 1, "{nanos}");
            assert_eq!(bucket(nanos + 1), exponent * 8, "{nanos}");
            assert_eq!(bucket(nanos - 1), exponent * 8 - 1, "{nanos}");
        }
    }

    #[test]
    fn every_bucket_ends_at_its_upper_bound() {
        for (index, &last) in (FIRST..).zip(&LAST[..BUCKETS - 1]) {
            let bound = upper(index);
            let near = bound.mul_add(1e-14, 1.0);
            assert!(
                (last as f64 - bound).abs() <= near,
                "{index}: {last} {bound}"
            );
            if LAST[(index - FIRST + 1) as usize] > last && last > 0 {
                assert!(bucket(last) <= index && bucket(last + 1) > index, "{index}");
            }
        }
    }

    #[test]
    fn every_duration_has_a_bucket() {
        assert_eq!(bucket(1), FIRST);
        assert_eq!(bucket(u64::MAX), FIRST + BUCKETS as i32 - 1);
        assert!(LAST.is_sorted());
    }

    #[test]
    fn a_histogram_grows_in_both_directions_and_ignores_zero_durations() {
        let mut buckets = ExponentialBuckets::default();
        for nanos in [1_000_000_000, 0, 2_000_000_000, 500_000_000, 2_000_000_000] {
            buckets.add(nanos);
        }
        assert_eq!(buckets.offset, -9);
        assert_eq!(buckets.counts.len(), 17);
        assert_eq!(buckets.counts[0], 1);
        assert_eq!(buckets.counts[8], 1);
        assert_eq!(buckets.counts[16], 2);
    }
}
