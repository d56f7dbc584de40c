//! Many measurements of one thing.

use std::time::Duration;

#[derive(Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// The value that so many percent of the samples do not exceed; zero without samples.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// The median in milliseconds, the figure most cells are about.
    pub fn p50_ms(&self) -> f64 {
        millis(self.percentile(50))
    }

    pub fn mean(&self) -> Duration {
        self.0.iter().sum::<Duration>() / self.count().max(1)
    }
}

impl IntoIterator for Samples {
    type Item = Duration;
    type IntoIter = std::vec::IntoIter<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Duration> for Samples {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, samples: T) {
        self.0.extend(samples);
    }
}

pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_and_many() {
        assert_eq!(Samples::default().percentile(50), Duration::ZERO);
        let mut samples = Samples::default();
        samples.extend((1..=101).rev().map(Duration::from_millis));
        assert_eq!(samples.percentile(0), Duration::from_millis(1));
        assert_eq!(samples.percentile(50), Duration::from_millis(51));
        assert_eq!(samples.percentile(99), Duration::from_millis(100));
        assert!((samples.p50_ms() - 51.0).abs() < 1e-9);
        assert_eq!(samples.mean(), Duration::from_millis(51));
    }
}
