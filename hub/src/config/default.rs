//! What holds where the configuration says nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use super::{
    Audit, Background, Database, Exports, Identity, Ingest, Limits, Linking, Listener, Log,
    LogFormat, Lookup, LookupAlarm, Oidc, People, Span, TrustDomain,
};

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            max_connections: 32,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2000,
            connections_per_address: 256,
            connection_age: Span::hours(1),
            drain: Span::seconds(20),
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            trust_domain: TrustDomain::default(),
            names: vec!["localhost".into(), "127.0.0.1".into()],
            certificate_ttl: Span::hours(24),
            renewal_grace: Span::hours(30 * 24),
            renewals: NonZeroU32::new(24).expect("not 0"),
            approve_enrolment: false,
            session_ttl: Span::minutes(15),
            second_factor: Vec::new(),
        }
    }
}

impl Oidc {
    /// Debian's bundle of public authorities.
    pub(super) fn ca_file() -> PathBuf {
        "/etc/ssl/certs/ca-certificates.crt".into()
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Self { writers: 2 }
    }
}

impl Default for Linking {
    fn default() -> Self {
        Self { workers: 2 }
    }
}

impl Default for Background {
    fn default() -> Self {
        Self {
            share_percent: NonZeroU32::new(10).expect("not 0"),
        }
    }
}

impl Default for Lookup {
    /// A busy counter asks a few times a minute; a case system that checks its own intake asks more.
    fn default() -> Self {
        let count = |count| NonZeroU32::new(count).expect("not 0");
        Self {
            // Room for a full batch of a hundred.
            person_per_minute: count(120),
            office_per_minute: count(600),
            alarm: LookupAlarm::default(),
        }
    }
}

impl Default for LookupAlarm {
    /// Above what the busiest counter comes to in an hour, twelve intakes of five parties and things, and a full batch
    /// of a hundred beside it.
    fn default() -> Self {
        let count = |count| NonZeroU32::new(count).expect("not 0");
        Self {
            window: "1h".parse().expect("a length of time"),
            person_subjects: count(300),
            person_misses: count(200),
            reference_subjects: count(150),
            office_subjects: count(2000),
            blocks: false,
        }
    }
}

impl Default for Exports {
    fn default() -> Self {
        Self {
            keep: Span::hours(24),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            checkpoint_dir: None,
            checkpoint_every: Span::minutes(1),
            checkpoint_entries: NonZeroU32::new(10_000).expect("not 0"),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            format: LogFormat::Json,
            filter: "info".into(),
        }
    }
}

impl Default for People {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8443)),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Listener {
    pub(super) fn agents() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 7443)),
        }
    }

    pub(super) fn metrics() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9464)),
        }
    }
}
