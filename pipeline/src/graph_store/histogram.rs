//! Exponential histograms.

use std::collections::BTreeMap;

/// An exponential histogram in the form of OTLP: bucket `i` counts the values in (base^i, base^(i+1)], where base is
/// 2^(2^-scale).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    pub scale: i32,
    /// The counts by bucket index.
    pub counts: BTreeMap<i32, u64>,
    /// The number of values that are zero.
    pub zeros: u64,
}

impl Histogram {
    /// A histogram of `total` values, with consecutive buckets from the index `first` on. The values that are in no
    /// bucket are zero.
    pub fn of(scale: i32, first: i32, counts: &[u64], total: u64) -> Histogram {
        let buckets = (first..).zip(counts).filter(|(_, count)| **count > 0);
        Histogram {
            scale,
            counts: buckets.map(|(index, count)| (index, *count)).collect(),
            zeros: total.saturating_sub(counts.iter().sum()),
        }
    }

    /// Adds the values of another histogram. The result has the coarser scale: for each step between the scales, two
    /// neighbouring buckets become one (OTLP, exponential histograms).
    pub fn add(&mut self, mut other: Histogram) {
        if self.counts.is_empty() && self.zeros == 0 {
            self.scale = other.scale;
        }
        let scale = self.scale.min(other.scale);
        self.coarsen(scale);
        other.coarsen(scale);
        self.zeros += other.zeros;
        for (index, count) in other.counts {
            *self.counts.entry(index).or_default() += count;
        }
    }

    /// The same as [`Histogram::add`] of [`Histogram::of`], but without an intermediate histogram. A map of all
    /// services calls this for each edge and minute.
    pub fn add_buckets(&mut self, scale: i32, first: i32, counts: &[u64], total: u64) {
        if self.counts.is_empty() && self.zeros == 0 {
            self.scale = scale;
        }
        self.coarsen(self.scale.min(scale));
        let steps = scale.abs_diff(self.scale).min(31);
        for (index, count) in (first..).zip(counts).filter(|(_, count)| **count > 0) {
            *self.counts.entry(index >> steps).or_default() += count;
        }
        self.zeros += total.saturating_sub(counts.iter().sum());
    }

    fn coarsen(&mut self, scale: i32) {
        let steps = self.scale.abs_diff(scale);
        self.scale = scale;
        if steps > 0 {
            let counts = std::mem::take(&mut self.counts);
            for (index, count) in counts {
                *self.counts.entry(index >> steps.min(31)).or_default() += count;
            }
        }
    }

    /// The value that a share (0 to 1) of all values do not exceed, interpolated logarithmically within its bucket;
    /// `None` if the histogram is empty.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.zeros + self.counts.values().sum::<u64>();
        if total == 0 {
            return None;
        }
        let rank = share.clamp(0.0, 1.0) * total as f64;
        let mut below = self.zeros as f64;
        if rank <= below {
            return Some(0.0);
        }
        let width = f64::exp2(f64::from(-self.scale));
        for (&index, &count) in &self.counts {
            let here = count as f64;
            if rank <= below + here {
                return Some(f64::exp2(
                    (f64::from(index) + (rank - below) / here) * width,
                ));
            }
            below += here;
        }
        self.counts
            .last_key_value()
            .map(|(&last, _)| f64::exp2(f64::from(last + 1) * width))
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn histograms_of_two_scales_add_up_in_the_coarser_scale() {
        let mut sum = Histogram::of(3, -2, &[1, 0, 2, 4], 9);
        sum.add(Histogram::of(2, -1, &[10, 20], 30));
        let mut same = Histogram::default();
        same.add_buckets(3, -2, &[1, 0, 2, 4], 9);
        same.add_buckets(2, -1, &[10, 20], 30);
        assert_eq!(same, sum);
        let counts: Vec<(i32, u64)> = sum.counts.into_iter().collect();
        assert_eq!((sum.scale, sum.zeros), (2, 2));
        assert_eq!(counts, [(-1, 11), (0, 26)]);
    }

    #[test]
    fn a_quantile_is_within_its_bucket() {
        let base = f64::exp2(0.125);
        let mut histogram = Histogram {
            scale: 3,
            ..Histogram::default()
        };
        for index in 0..100 {
            *histogram.counts.entry(index).or_default() += 1;
        }
        let p95 = histogram.quantile(0.95).unwrap();
        assert!((p95 / base.powi(95) - 1.0).abs() < 1e-9, "{p95}");
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!(
            Histogram {
                zeros: 3,
                ..Histogram::default()
            }
            .quantile(0.5),
            Some(0.0)
        );
    }
}
