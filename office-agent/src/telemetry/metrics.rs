//! Names of the agent's metrics with their help texts, in one place. Base units; no label names a person or a case.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

// One line per metric: the constant is what code records under, the table is what gets described.
macro_rules! metrics {
    ($($constant:ident $kind:ident $name:literal $help:literal)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        const ALL: &[(&str, Kind, &str)] = &[$(($name, Kind::$kind, $help),)*];
    };
}

metrics! {
    BUILD_INFO Gauge "office_agent_build_info"
        "Always 1; the label `version` is the running version."
    SYNC_CONNECTED Gauge "office_agent_sync_connected"
        "1 while a stream to the hub is open."
    WAITING_RECORDS Gauge "office_agent_outbox_waiting_records"
        "Records in the outbox that were not sent when it was last looked at."
    STREAMS Counter "office_agent_streams_total"
        "Streams opened to the hub."
    SENT_RECORDS Counter "office_agent_sent_records_total"
        "Records sent to the hub, repeats included."
    ACKED_RECORDS Counter "office_agent_acked_records_total"
        "Records the hub has committed in this outbox's epoch."
    HUB_REJECTS Counter "office_agent_hub_rejects_total"
        "Records the hub put into quarantine."
    NOTICES Counter "office_agent_notices_total"
        "New notices from the hub."
    DRIFT_CASES Gauge "office_agent_drift_cases"
        "Cases in which the hub did not hold what was handed over, when last compared."
    OUTBOX_FAILING Gauge "office_agent_outbox_failing"
        "1 while the outbox cannot be written, most often because the disk is full."
    SOURCE_ROWS Counter "office_agent_source_rows_total"
        "Rows and malformed lines read from a source, repeats included."
    SOURCE_FAILING Gauge "office_agent_source_failing"
        "1 while a source cannot be read."
    CERTIFICATE_END Gauge "office_agent_certificate_end_timestamp_seconds"
        "When the office's certificate ends."
}

/// Installs the recorder of this process.
///
/// # Errors
/// When there is one already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    for (name, kind, help) in ALL {
        match kind {
            Kind::Counter => describe_counter!(*name, *help),
            Kind::Gauge => describe_gauge!(*name, *help),
        }
    }
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!(OUTBOX_FAILING).set(0.0);
    Ok(handle)
}

/// What `/metrics` tells once everything has happened that is counted: every metric, labels aside. For checking what is
/// built on the names.
#[must_use]
pub fn catalogue() -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        for (name, kind, _) in ALL {
            match kind {
                Kind::Counter => counter!(*name).absolute(0),
                Kind::Gauge => gauge!(*name).set(0.0),
            }
        }
    });
    recorder.handle().render()
}
