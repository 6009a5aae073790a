//! sslyze against both doors: what it finds must be what the hub means to offer and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use data_encoding::BASE64;
use sandbox::client::Identity;
use serde::Serialize;
use serde_json::Value;
use tokio::process::Command;

use crate::Door;

/// What sslyze is asked for.
const SCANS: [&str; 14] = [
    "--sslv3",
    "--tlsv1",
    "--tlsv1_1",
    "--tlsv1_2",
    "--tlsv1_3",
    "--resum",
    "--early_data",
    "--compression",
    "--reneg",
    "--elliptic_curves",
    "--heartbleed",
    "--openssl_ccs",
    "--robot",
    "--certinfo",
];
const SUITES: [&str; 3] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];
const CURVES: [&str; 3] = ["X25519", "secp256r1", "secp384r1"];
/// What sslyze says of resumption where there is no TLS 1.2. That TLS 1.3 resumes nothing either, which it does not look
/// at, is a test of the hub's.
const NO_RESUMPTION: [&str; 2] = ["NOT_SUPPORTED", "SERVER_IS_TLS_1_3_ONLY"];

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub door: Door,
    pub what: &'static str,
    pub found: String,
    pub is_well: bool,
}

impl Finding {
    pub fn line(&self) -> String {
        let verdict = if self.is_well { "ok" } else { "FAILED" };
        let door = self.door.name();
        format!("{door:<7} {:<28} {verdict:<7} {}", self.what, self.found)
    }
}

/// A scanner and where it may write.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    /// A Python that has sslyze.
    pub python: &'a Path,
    pub folder: &'a Path,
    pub ca_file: PathBuf,
}

impl Scanner<'_> {
    /// Scans one door, with a client certificate where one is needed.
    ///
    /// # Errors
    /// When sslyze cannot be run or says nothing.
    pub async fn scan(
        &self,
        door: Door,
        address: SocketAddr,
        identity: Option<&Identity>,
    ) -> anyhow::Result<Vec<Finding>> {
        let out = self.folder.join(format!("sslyze-{}.json", door.name()));
        let mut command = Command::new(self.python);
        command
            .args(["-m", "sslyze", "--quiet", "--mozilla_config", "disable"])
            .args(SCANS)
            .arg("--certinfo_ca_file")
            .arg(&self.ca_file)
            .arg("--json_out")
            .arg(&out)
            .args(["--sni", "localhost"]);
        match identity {
            Some(identity) => {
                let [cert, key] = self.write(identity)?;
                command.arg("--cert").arg(cert).arg("--key").arg(key);
            }
            // sslyze fails over SSL 2.0 with a client certificate.
            None => drop(command.arg("--sslv2")),
        }
        let done = command
            .arg(address.to_string())
            .stdin(Stdio::null())
            .output()
            .await
            .context("run sslyze")?;
        let said = || String::from_utf8_lossy(&done.stderr).into_owned();
        let text = fs::read(&out).with_context(|| format!("sslyze said nothing: {}", said()))?;
        let report: Value = serde_json::from_slice(&text)?;
        let server = &report["server_scan_results"][0];
        ensure!(
            server["scan_status"] == "COMPLETED",
            "sslyze did not get through: {server}"
        );
        Ok(findings(door, &server["scan_result"]))
    }

    fn write(&self, (chain, key): &Identity) -> anyhow::Result<[PathBuf; 2]> {
        let cert_file = self.folder.join("scanner.pem");
        let key_file = self.folder.join("scanner.key");
        let chain: String = chain
            .iter()
            .map(|certificate| pem("CERTIFICATE", certificate))
            .collect();
        fs::write(&cert_file, chain)?;
        fs::write(&key_file, pem("PRIVATE KEY", key.secret_der()))?;
        Ok([cert_file, key_file])
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, later) = rest.split_at(rest.len().min(64));
        // Writing to a string does not fail.
        let _ = writeln!(pem, "{line}");
        rest = later;
    }
    pem + &format!("-----END {label}-----\n")
}

/// Everything that must hold; what sslyze could not find out does not.
fn findings(door: Door, scan: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |what, is_well, found: String| {
        findings.push(Finding {
            door,
            what,
            found,
            is_well,
        });
    };
    let result = |name: &str| &scan[name]["result"];
    for (what, name) in [
        ("no SSL 3.0", "ssl_3_0_cipher_suites"),
        ("no TLS 1.0", "tls_1_0_cipher_suites"),
        ("no TLS 1.1", "tls_1_1_cipher_suites"),
        ("no TLS 1.2", "tls_1_2_cipher_suites"),
    ] {
        let is_offered = &result(name)["is_tls_version_supported"];
        find(what, is_offered == false, format!("offered: {is_offered}"));
    }
    if door == Door::People {
        let is_offered = &result("ssl_2_0_cipher_suites")["is_tls_version_supported"];
        find(
            "no SSL 2.0",
            is_offered == false,
            format!("offered: {is_offered}"),
        );
    }
    let suites = names(
        &result("tls_1_3_cipher_suites")["accepted_cipher_suites"],
        |suite| &suite["cipher_suite"]["name"],
    );
    find(
        "TLS 1.3, strong suites",
        all_of(&suites, &SUITES),
        suites.join(" "),
    );
    let curves = names(&result("elliptic_curves")["supported_curves"], |curve| {
        &curve["name"]
    });
    find("strong curves", all_of(&curves, &CURVES), curves.join(" "));
    for (what, field) in [
        ("no session ids resumed", "session_id_resumption_result"),
        ("no tickets resumed", "tls_ticket_resumption_result"),
    ] {
        let found = &result("session_resumption")[field];
        let is_none = found
            .as_str()
            .is_some_and(|found| NO_RESUMPTION.contains(&found));
        find(what, is_none, found.to_string());
    }
    for (what, name, field) in [
        ("no early data", "tls_1_3_early_data", "supports_early_data"),
        ("no compression", "tls_compression", "supports_compression"),
        (
            "no renegotiation by clients",
            "session_renegotiation",
            "is_vulnerable_to_client_renegotiation_dos",
        ),
        ("no Heartbleed", "heartbleed", "is_vulnerable_to_heartbleed"),
        (
            "no CCS injection",
            "openssl_ccs_injection",
            "is_vulnerable_to_ccs_injection",
        ),
    ] {
        let found = &result(name)[field];
        find(what, found == false, found.to_string());
    }
    let robot = &result("robot")["robot_result"];
    let no_oracle = robot
        .as_str()
        .is_some_and(|robot| robot.starts_with("NOT_VULNERABLE"));
    find("no ROBOT", no_oracle, robot.to_string());
    certificate(
        &result("certificate_info")["certificate_deployments"],
        &mut find,
    );
    findings
}

fn certificate(deployments: &Value, find: &mut impl FnMut(&'static str, bool, String)) {
    let deployment = &deployments[0];
    let leaf = &deployment["received_certificate_chain"][0];
    let algorithm = &leaf["signature_hash_algorithm"]["name"];
    find(
        "certificate's signature",
        algorithm == "sha256",
        algorithm.to_string(),
    );
    let key = &leaf["public_key"];
    let strong = key["ec_curve_name"] == "secp256r1" && key["key_size"] == 256;
    find(
        "certificate's key",
        strong,
        key["ec_curve_name"].to_string(),
    );
    let is_trusted = deployment["path_validation_results"]
        .as_array()
        .is_some_and(|results| {
            results
                .iter()
                .any(|result| result["was_validation_successful"] == true)
        });
    find(
        "chain to the hub's own CA",
        is_trusted,
        is_trusted.to_string(),
    );
    let in_order = &deployment["received_chain_has_valid_order"];
    find("chain in order", in_order == true, in_order.to_string());
}

fn names(list: &Value, name: impl Fn(&Value) -> &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|item| name(item).as_str().map(str::to_owned))
        .collect()
}

/// Some, and none but these.
fn all_of(found: &[String], allowed: &[&str]) -> bool {
    !found.is_empty() && found.iter().all(|name| allowed.contains(&name.as_str()))
}
