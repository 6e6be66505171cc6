//! `/healthz`, `/readyz` and `/metrics` over HTTP, for those who watch the node.

mod latest;
mod serving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use scp::ScpCounters;
use spool::{Counts, Spool};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::ahead::{AheadAnswers, AheadCounters};
use crate::clock;
use crate::failure::{Failure, Fault, OrFail};
use crate::security::Expiring;
use latest::Latest;
use serving::BOUNDS;

/// What the pages are made from.
#[derive(Clone)]
pub(crate) struct Watched {
    /// The ledger.
    pub(crate) spool: Arc<Spool>,
    /// What the receiving side counted.
    pub(crate) counters: Arc<ScpCounters>,
    /// What became of answers that were made ahead.
    pub(crate) ahead: Arc<AheadAnswers>,
    /// Set when the node stops.
    pub(crate) stopping: Arc<AtomicBool>,
    /// Certificates.
    pub(crate) expiring: Expiring,
    counts: Latest<Result<Arc<Counts>, String>>,
    prometheus: PrometheusHandle,
}

impl Watched {
    /// Installs the metrics recorder.
    pub(crate) fn new(
        spool: Arc<Spool>,
        counters: Arc<ScpCounters>,
        ahead: Arc<AheadAnswers>,
        stopping: Arc<AtomicBool>,
        expiring: Expiring,
    ) -> Result<Self, Failure> {
        let prometheus = PrometheusBuilder::new();
        let prometheus = prometheus.install_recorder().or_fail(Fault::Internal, || "metrics")?;
        let counts = Latest::default();
        Ok(Self { spool, counters, ahead, stopping, expiring, counts, prometheus })
    }

    /// Counts the ledger, or gives what was counted a moment ago: it has no time for everybody who asks.
    async fn counts(&self) -> Result<Arc<Counts>, String> {
        let spool = Arc::clone(&self.spool);
        let count = move || spool.counts().map(Arc::new).map_err(|error| error.to_string());
        self.counts.get(count).await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// Serves the pages until `stop` is set.
pub(crate) async fn serve(listener: TcpListener, watched: Watched, stop: watch::Receiver<bool>) {
    let pages = Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics_page))
        .with_state(watched);
    serving::serve(listener, pages, BOUNDS, stop).await;
}

/// Ready: models are loaded (else the node would not run), the ledger answers, the node is not stopping.
async fn ready(State(watched): State<Watched>) -> (StatusCode, String) {
    if watched.stopping.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into());
    }
    match watched.counts().await {
        Ok(_) => (StatusCode::OK, "ready\n".into()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("ledger: {error}\n")),
    }
}

async fn metrics_page(State(watched): State<Watched>) -> (StatusCode, String) {
    record_counters(&watched.counters);
    record_certificates(&watched.expiring);
    record_ahead(&watched.ahead.counters);
    match watched.counts().await {
        Ok(counts) => record_counts(&counts),
        Err(error) => tracing::warn!(%error, "the ledger cannot be counted"),
    }
    (StatusCode::OK, watched.prometheus.render())
}

fn total(name: &'static str, value: &AtomicU64) {
    metrics::counter!(name).absolute(value.load(Ordering::Relaxed));
}

fn record_ahead(counters: &AheadCounters) {
    total("parsenode_slices_ahead_made_total", &counters.made);
    total("parsenode_slices_ahead_used_total", &counters.used);
    total("parsenode_slices_ahead_thrown_away_total", &counters.thrown_away);
}

fn record_counters(counters: &ScpCounters) {
    #[expect(clippy::cast_precision_loss, reason = "a number of associations")]
    let open = counters.associations_open.load(Ordering::Relaxed) as f64;
    metrics::gauge!("parsenode_associations_open").set(open);
    total("parsenode_associations_accepted_total", &counters.associations_accepted);
    total("parsenode_associations_rejected_total", &counters.associations_rejected);
    total("parsenode_associations_aborted_total", &counters.associations_aborted);
    total("parsenode_tls_handshakes_failed_total", &counters.handshakes_failed);
    total("parsenode_instances_stored_total", &counters.instances_stored);
    total("parsenode_instances_refused_total", &counters.instances_refused);
    total("parsenode_received_bytes_total", &counters.bytes_received);
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double")]
fn record_certificates(expiring: &Expiring) {
    // One a file: a series of a certificate that is no longer there would never end.
    for (file, not_after) in expiring.first(clock::now()) {
        let gauge = metrics::gauge!("parsenode_certificate_expires_seconds", "file" => file);
        gauge.set((not_after / 1000) as f64);
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of rows and bytes")]
fn record_counts(counts: &Counts) {
    metrics::gauge!("parsenode_spool_bytes").set(counts.spool_bytes as f64);
    for (state, count) in &counts.series {
        metrics::gauge!("parsenode_series", "state" => state.clone()).set(*count as f64);
    }
    for (state, count) in &counts.jobs {
        metrics::gauge!("parsenode_jobs", "state" => state.clone()).set(*count as f64);
    }
    for (state, count) in &counts.deliveries {
        metrics::gauge!("parsenode_deliveries", "state" => state.clone()).set(*count as f64);
    }
    for (state, count) in &counts.commitments {
        metrics::gauge!("parsenode_commitments", "state" => state.clone()).set(*count as f64);
    }
    for (state, count) in &counts.requests {
        let gauge = metrics::gauge!("parsenode_commitment_requests", "state" => state.clone());
        gauge.set(*count as f64);
    }
}
