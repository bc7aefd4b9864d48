//! Counts for an operator's monitoring, in the text format every collector reads.

use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::StatusCode;

use crate::store::Stats;

/// Counts since the start of the process. Labels are few and fixed: no path, user or phone becomes a label.
#[derive(Debug, Default)]
pub struct Metrics {
    answers: [AtomicU64; 5],
    connections: AtomicU64,
    syncs: AtomicU64,
    sync_bytes_in: AtomicU64,
    sync_bytes_out: AtomicU64,
}

/// A connection that is counted while this is held.
#[derive(Debug)]
pub(crate) struct Connected<'a>(&'a Metrics);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Counts an answer by the first digit of its status.
    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(count) = self.answers.get(usize::from(status.as_u16() / 100).wrapping_sub(1)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Counts a connection until the answer is dropped.
    pub(crate) fn connected(&self) -> Connected<'_> {
        self.connections.fetch_add(1, Relaxed);
        Connected(self)
    }

    /// Counts a sync request that was taken.
    pub fn synced(&self, bytes_in: usize, bytes_out: usize) {
        self.syncs.fetch_add(1, Relaxed);
        self.sync_bytes_in.fetch_add(bytes_in as u64, Relaxed);
        self.sync_bytes_out.fetch_add(bytes_out as u64, Relaxed);
    }

    /// The page: this process's counts, the store's, and the cases of the district by outcome.
    pub fn page(&self, store: &Stats, cases: &[(&str, i64)]) -> String {
        let mut page = Page(String::new());
        page.head("http_answers_total", "counter", "Answers by class of status.");
        for (class, count) in (1..).zip(&self.answers) {
            page.line("http_answers_total", &format!("{{class=\"{class}xx\"}}"), count.load(Relaxed));
        }
        page.one("http_connections", "gauge", "Connections open now.", self.connections.load(Relaxed));
        page.one("sync_total", "counter", "Sync requests taken.", self.syncs.load(Relaxed));
        page.one("sync_bytes_in_total", "counter", "Bytes of sync requests.", self.sync_bytes_in.load(Relaxed));
        page.one("sync_bytes_out_total", "counter", "Bytes of sync answers.", self.sync_bytes_out.load(Relaxed));
        page.one("store_flushes_total", "counter", "Commits, each one flush of the disk.", store.flushes);
        page.one("store_writes_total", "counter", "Writes that ran.", store.writes);
        page.one("store_refused_total", "counter", "Writes that failed and were undone.", store.refused);
        page.one("store_failed_commits_total", "counter", "Commits that failed.", store.failed_commits);
        page.one("store_largest_batch", "gauge", "Most writes that shared a commit.", store.largest_batch);
        page.one("store_reads_total", "counter", "Read transactions.", store.reads);
        page.head("cases", "gauge", "Cases of the district by outcome, since the beginning.");
        for (outcome, count) in cases {
            page.line("cases", &format!("{{outcome=\"{outcome}\"}}"), count);
        }
        page.0
    }
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP xunge_{name} {help}\n# TYPE xunge_{name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "xunge_{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(name, "", value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_value_for_every_metric_it_announces() {
        let metrics = Metrics::default();
        metrics.answered(StatusCode::OK);
        metrics.answered(StatusCode::NOT_FOUND);
        metrics.synced(10, 20);
        let held = metrics.connected();
        let page = metrics.page(&Stats::default(), &[("reported", 3)]);
        drop(held);
        for line in [
            "xunge_http_answers_total{class=\"2xx\"} 1",
            "xunge_http_answers_total{class=\"4xx\"} 1",
            "xunge_http_connections 1",
            "xunge_sync_bytes_out_total 20",
            "xunge_cases{outcome=\"reported\"} 3",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in {page}");
        }
        for name in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = name.split(' ').next().unwrap();
            assert!(page.lines().any(|line| line.starts_with(name)), "{name}");
        }
        assert!(metrics.page(&Stats::default(), &[]).contains("xunge_http_connections 0"));
    }
}
