//! One family in the making.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

use crate::model::At;
use crate::watchdog::count::{self, BUCKETS_MS};

/// What a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Counter,
    Gauge,
    Histogram,
}

impl Shape {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The samples of one family.
#[derive(Debug)]
pub(super) struct Samples {
    shape: Shape,
    names: &'static [&'static str],
    metrics: Vec<Metric>,
}

impl Samples {
    pub(super) const fn new(shape: Shape, names: &'static [&'static str]) -> Self {
        Self { shape, names, metrics: Vec::new() }
    }

    /// Adds a sample; `labels` in the order of the family's.
    pub(super) fn add(&mut self, labels: &[&str], value: f64) {
        let mut metric = self.labelled(labels);
        if self.shape == Shape::Counter {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.metrics.push(metric);
    }

    /// Adds a count. Exact up to 2⁵³.
    #[expect(clippy::cast_precision_loss, reason = "samples are floating-point numbers")]
    pub(super) fn count(&mut self, labels: &[&str], count: u64) {
        self.add(labels, count as f64);
    }

    /// Adds a 1 for yes and a 0 for no.
    pub(super) fn flag(&mut self, labels: &[&str], flag: bool) {
        self.add(labels, if flag { 1.0 } else { 0.0 });
    }

    /// Adds an instant in seconds since 1970, and 0 for never.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our age fit 2⁵³")]
    pub(super) fn instant(&mut self, labels: &[&str], at: Option<At>) {
        self.add(labels, at.map_or(0.0, |at| at.as_ms() as f64 / 1000.0));
    }

    /// Adds a histogram, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "samples are floating-point numbers")]
    pub(super) fn histogram(&mut self, labels: &[&str], counted: &count::Histogram) {
        let mut below = 0;
        let buckets = BUCKETS_MS.iter().zip(&counted.buckets).map(|(bound_ms, count)| {
            below += count;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound_ms as f64 / 1000.0);
            bucket.set_cumulative_count(below);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(counted.count());
        histogram.set_sample_sum(counted.sum_ms as f64 / 1000.0);
        let mut metric = self.labelled(labels);
        metric.set_histogram(histogram);
        self.metrics.push(metric);
    }

    fn labelled(&self, labels: &[&str]) -> Metric {
        debug_assert_eq!(labels.len(), self.names.len());
        let pair = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        Metric::from_label(self.names.iter().zip(labels).map(pair).collect())
    }

    /// The family, if it has any sample.
    pub(super) fn family(self, name: &str, help: &str) -> Option<MetricFamily> {
        if self.metrics.is_empty() {
            return None;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(match self.shape {
            Shape::Counter => MetricType::COUNTER,
            Shape::Gauge => MetricType::GAUGE,
            Shape::Histogram => MetricType::HISTOGRAM,
        });
        family.set_metric(self.metrics);
        Some(family)
    }
}
