//! Names of all metrics with their help texts, in one place, so that alerts and boards can be checked
//! against it. Base units; labels have few values: an office is one, a person or a case never is.

use metrics::Unit;

/// What a metric measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One metric as announced to Prometheus.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub help: &'static str,
}

// One line per metric: the constant is what code records under, the table is what gets described.
macro_rules! metrics {
    ($($constant:ident $kind:ident $unit:ident $name:literal $help:literal)*) => {
        $(#[doc = $help] pub const $constant: &str = $name;)*

        /// Every metric of the hub.
        pub const ALL: &[Metric] = &[
            $(Metric { name: $name, kind: Kind::$kind, unit: Unit::$unit, help: $help },)*
        ];
    };
}

metrics! {
    BUILD_INFO Gauge Count "notary_hub_build_info"
        "Always 1; the label `version` is the running version."

    CONNECTIONS_OPEN Gauge Count "notary_hub_connections_open"
        "Open TLS connections, by `listener`."
    CONNECTIONS_REFUSED Counter Count "notary_hub_connections_refused_total"
        "Connections closed before the handshake, by `listener` and `reason` (total, address)."
    HANDSHAKES_FAILED Counter Count "notary_hub_handshakes_failed_total"
        "TLS handshakes that failed, by `listener` and `reason` (timeout, tls, peer)."
    ACCEPT_ERRORS Counter Count "notary_hub_accept_errors_total"
        "Errors of accept(2), e.g. no file descriptor left, by `listener`."

    RPC_SECONDS Histogram Seconds "notary_hub_rpc_duration_seconds"
        "Time until a gRPC call's response headers, by `service` and `code`."
    HTTP_SECONDS Histogram Seconds "notary_hub_http_duration_seconds"
        "Time of an HTTP request, by `route` and `status`."

    CERTIFICATES_ISSUED Counter Count "notary_hub_certificates_issued_total"
        "Certificates given to offices, by `occasion` (enrol, renew, renew_late)."
    ENROLMENTS_REFUSED Counter Count "notary_hub_enrolments_refused_total"
        "Enrolments refused, by `reason`."
    SIGN_INS Counter Count "notary_hub_sign_ins_total"
        "Attempts to sign in, by `outcome` (granted, refused, code_required, busy, failed)."
    DENIALS_COUNTED Counter Count "notary_hub_denials_counted_total"
        "Denials of callers who were denied too often to have each recorded by itself."
    OFFICE_MISMATCHES Counter Count "notary_hub_office_mismatches_total"
        "Calls in which an office spoke for another one, by `office` of the certificate. Any is an alarm."
    REVOCATIONS_AGE Gauge Seconds "notary_hub_revocations_age_seconds"
        "Time since the list of revoked offices, certificates and sessions was last read."

    STATISTICS_DIFFERENCES Gauge Count "notary_hub_statistics_differences"
        "Cells of the statistics that were not what the cases come to, at the last nightly verification. Any is an alarm."
    STATISTICS_UNFOLDED Gauge Count "notary_hub_statistics_unfolded"
        "Changes of the statistics that are not added to their cells yet; figures count them all the same."
    STATISTICS_VERIFIED Gauge Seconds "notary_hub_statistics_verified_timestamp_seconds"
        "When the statistics were last verified, as Unix time."

    WORKING_DAYS_END Gauge Seconds "notary_hub_working_days_end_timestamp_seconds"
        "End of the last year whose working days this version knows, as Unix time; later weekdays all count."

    BACKGROUND_WAIT_SECONDS Histogram Seconds "notary_hub_background_wait_seconds"
        "Time that a chunk of background work stood back for look-ups and batches, by `work` (linking, supervision, figures)."
    WORKER_RESTARTS Counter Count "notary_hub_worker_restarts_total"
        "Times a worker, or the piece of work it was at, was ended by a defect, by `worker`. Any is a fault of the hub's."
    TX_RETRIES Counter Count "notary_hub_tx_retries_total"
        "Transactions run again after a serialization failure or deadlock, by `tx`."
    POOL_CONNECTIONS Gauge Count "notary_hub_pool_connections"
        "Database connections, by `pool` and `state` (idle, used)."
    WAL_KEPT Gauge Bytes "notary_hub_wal_kept_bytes"
        "Write-ahead log that the database keeps for a replication slot, until it was taken, by `slot`."
    SLOT_TAKEN Gauge Count "notary_hub_slot_taken"
        "1 while somebody takes the write-ahead log from a replication slot, else 0, by `slot`."
    BASE_BACKUP Gauge Seconds "notary_hub_base_backup_timestamp_seconds"
        "When the last whole copy of the database was finished, as Unix time; not there before the first."

    SYNC_STREAMS Gauge Count "notary_hub_sync_streams"
        "Open sync streams."
    SYNC_STREAMS_ENDED Counter Count "notary_hub_sync_streams_ended_total"
        "Sync streams that ended, by `reason`: a reason of the error list, a gRPC code, or `done`."
    SYNC_RESENDS Counter Count "notary_hub_sync_resends_total"
        "Gaps after which an agent was asked to go back, by `office`."
    SYNC_PAUSES Counter Count "notary_hub_sync_pauses_total"
        "Times an agent was asked to wait because its batch found no room before the writer."
    AGENT_CLOCK_SKEW Gauge Seconds "notary_hub_agent_clock_skew_seconds"
        "Agent's clock minus the hub's when its stream was opened, by `office`."
    FEED_DRIFT Gauge Count "notary_hub_feed_drift_cases"
        "Cases in which an office and the hub differed when its agent last compared, by `office`."
    NEXT_TOKENS_LACKING Gauge Count "notary_hub_next_tokens_lacking_cases"
        "Cases that have no tokens yet under the key that is to follow the token key, by `office`; only during a change."
    INGEST_RECORDS Counter Count "notary_hub_ingest_records_total"
        "Records committed, by `effect` (new, changed, unchanged, rejected)."
    INGEST_BATCH_SECONDS Histogram Seconds "notary_hub_ingest_batch_seconds"
        "Time of one ingest transaction, retries included."
    INGEST_BATCH_RECORDS Histogram Count "notary_hub_ingest_batch_records"
        "Records of one ingest transaction."
    INGEST_QUEUE Gauge Count "notary_hub_ingest_queue_records"
        "Records decoded and waiting for a writer, by `writer`."
    REJECTS Counter Count "notary_hub_rejects_total"
        "Records put into quarantine, by `found_by` (agent, hub) and `rule`."
    REVISION_CONFLICTS Counter Count "notary_hub_revision_conflicts_total"
        "Records of an equal revision with other content, by `office`. Any is an alarm."
    FINDINGS Counter Count "notary_hub_duplicate_findings_total"
        "Duplicate findings opened, by `severity`."
    CANDIDATES_CUT Counter Count "notary_hub_duplicate_candidates_cut_total"
        "Matter keys behind which more cases stand than are judged: live and newly accepted ones were."

    SUPERVISION_WAITING Gauge Count "notary_hub_supervision_waiting"
        "Cases that wait for the rules of supervision."
    SUPERVISION_LAG Gauge Seconds "notary_hub_supervision_lag_seconds"
        "Age of the oldest case that waits for the rules of supervision."
    SUPERVISION_SET_ASIDE Gauge Count "notary_hub_supervision_set_aside"
        "Rows of work that the rules of supervision failed on again and again; `notary-hub work set-aside` lists them."
    SUPERVISION_FINDINGS Counter Count "notary_hub_supervision_findings_total"
        "Findings of supervision that were opened, or opened again because the facts changed."

    LINKING_LAG Gauge Seconds "notary_hub_linking_lag_seconds"
        "Age of the oldest case that waits for person linkage."
    LINKING_WAITING Gauge Count "notary_hub_linking_waiting_cases"
        "Cases that wait for person linkage."
    LINKING_CASES Counter Count "notary_hub_linking_cases_total"
        "Cases whose parties were linked."
    LINKING_PAIRS Counter Count "notary_hub_linking_pairs_total"
        "Pairs of nodes compared."
    LINKING_PERSONS_CHANGED Counter Count "notary_hub_linking_persons_changed_total"
        "Persons of several nodes that were clustered anew."
    LINKING_CHUNK_SECONDS Histogram Seconds "notary_hub_linking_chunk_seconds"
        "Time of linking one chunk of cases."
    LINKING_SET_ASIDE Gauge Count "notary_hub_linking_set_aside"
        "Rows of work that person linkage failed on again and again; `notary-hub work set-aside` lists them."
    LINKING_FAILURES Counter Count "notary_hub_linking_failures_total"
        "Chunks that could not be linked and are tried again."
    LINKING_OVERFULL_KEYS Gauge Count "notary_hub_linking_overfull_keys"
        "Blocking keys left out of comparison because too many nodes have them."
    LINKING_OVERSIZE_COMPONENTS Counter Count "notary_hub_linking_oversize_components_total"
        "Times a component had too many nodes to be clustered by its links."
    LINKING_POSSIBLE_PAIRS Gauge Count "notary_hub_linking_possible_pairs"
        "Pairs of nodes that are for people to decide."

    LOOKUPS Counter Count "notary_hub_lookups_total"
        "Look-ups answered, by `outcome` (hit, no_hit, denied)."
    ALARMS Counter Count "notary_hub_lookup_alarms_total"
        "Look-ups that raised an alarm, by `kind` (honey, many_subjects, many_misses, one_reference, office_subjects). Any is for the bureau to look at."
    LOOKUP_SECONDS Histogram Seconds "notary_hub_lookup_seconds"
        "Time of one look-up, audit included."
    AUDIT_APPEND_SECONDS Histogram Seconds "notary_hub_audit_append_seconds"
        "Time until an audit entry was durable."
    AUDIT_CHECKPOINTS Counter Count "notary_hub_audit_checkpoints_total"
        "Attempts to sign a checkpoint of the audit log, by `outcome` (signed, failed, inconsistent). Any `inconsistent` is an alarm."
    AUDIT_BATCH_ENTRIES Histogram Count "notary_hub_audit_batch_entries"
        "Audit entries made durable by one commit."
}

/// Announces every metric to the installed recorder.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.unit, metric.help),
        }
    }
}

/// Counts nothing under every name.
pub(super) fn touch() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => metrics::counter!(metric.name).absolute(0),
            Kind::Gauge => metrics::gauge!(metric.name).set(0.0),
            Kind::Histogram => metrics::histogram!(metric.name).record(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        for metric in ALL {
            let name = metric.name;
            assert!(name.starts_with("notary_hub_"), "{name}");
            assert_eq!(
                metric.kind == Kind::Counter,
                name.ends_with("_total"),
                "{name}"
            );
            assert_eq!(
                metric.unit == Unit::Seconds,
                name.ends_with("_seconds"),
                "{name}"
            );
            assert!(metric.help.ends_with('.'), "{name}");
        }
    }
}
