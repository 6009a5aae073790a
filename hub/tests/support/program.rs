//! The hub's program with a folder of its own, for tests that run real processes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use notary_proto::hub::v1::EnrollRequest;
use notary_proto::hub::v1::enrollment_service_client::EnrollmentServiceClient;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use tempfile::TempDir;
use tonic::transport::Channel;

use super::hub::ders;
use super::{client, csr};

/// A folder with a configuration, and the hub's data in `data`.
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// `extra` is appended to the configuration file.
    pub fn new(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The private PostgreSQL may run as another user, who must get there.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let config = format!(
            "data_dir = 'data'\nagents.listen = '127.0.0.1:0'\npeople.listen = '127.0.0.1:0'\n\
             metrics.listen = '127.0.0.1:0'\n{extra}"
        );
        fs::write(folder.path().join("hub.toml"), config).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_notary-hub"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.path("hub.toml"));
        command.env_remove("NOTARY_HUB_CONFIG");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command says that does what it should.
    pub fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A hub that serves.
    pub fn serve(&self) -> Child {
        let announced = self.path("data/addresses.json");
        let _ = fs::remove_file(&announced);
        let child = self
            .command(&["serve"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !announced.exists() {
            assert!(Instant::now() < deadline, "the hub does not serve");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// To one of the addresses that the hub announced.
    pub fn channel(&self, listener: &str, identity: Option<client::Identity>) -> Channel {
        let addresses = fs::read(self.path("data/addresses.json")).unwrap();
        let addresses: Value = serde_json::from_slice(&addresses).unwrap();
        let address = addresses[listener].as_str().unwrap().parse().unwrap();
        let ca = CertificateDer::from_pem_file(self.path("data/pki/ca.pem")).unwrap();
        client::channel(address, client::config(ca, identity, &[b"h2"]))
    }

    /// A certificate of the office that is there.
    pub async fn enrol(&self, office: &str) -> client::Identity {
        let join_token = self.said(&["enroll-token", office]);
        let (key, csr_der) = csr();
        let request = EnrollRequest {
            join_token,
            csr_der,
        };
        let enrolled = EnrollmentServiceClient::new(self.channel("people", None))
            .enroll(request)
            .await
            .unwrap();
        let chain = ders(&enrolled.into_inner().certificate_chain_der);
        (chain, key.serialize_der())
    }
}
