//! Names of the agent's metrics with their help texts, in one place. Base units; no label names a person or a case.

use metrics::{describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

// One line per metric: the constant is what code records under, the table is what gets described.
macro_rules! metrics {
    ($($constant:ident $kind:ident $name:literal $help:literal)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        fn describe() {
            $($kind!($constant, $help);)*
        }
    };
}

metrics! {
    BUILD_INFO describe_gauge "office_agent_build_info"
        "Always 1; the label `version` is the running version."
    SYNC_CONNECTED describe_gauge "office_agent_sync_connected"
        "1 while a stream to the hub is open."
    WAITING_RECORDS describe_gauge "office_agent_outbox_waiting_records"
        "Records in the outbox that were not sent when it was last looked at."
    STREAMS describe_counter "office_agent_streams_total"
        "Streams opened to the hub."
    SENT_RECORDS describe_counter "office_agent_sent_records_total"
        "Records sent to the hub, repeats included."
    ACKED_RECORDS describe_counter "office_agent_acked_records_total"
        "Records the hub has committed in this outbox's epoch."
    HUB_REJECTS describe_counter "office_agent_hub_rejects_total"
        "Records the hub put into quarantine."
    NOTICES describe_counter "office_agent_notices_total"
        "New notices from the hub."
    SOURCE_ROWS describe_counter "office_agent_source_rows_total"
        "Rows and malformed lines read from a source, repeats included."
    SOURCE_FAILING describe_gauge "office_agent_source_failing"
        "1 while a source cannot be read."
    CERTIFICATE_END describe_gauge "office_agent_certificate_end_timestamp_seconds"
        "When the office's certificate ends."
}

/// Installs the recorder of this process.
///
/// # Errors
/// When there is one already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    describe();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}
