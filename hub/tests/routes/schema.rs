//! The description that is served, held against the hub that serves it: schemathesis asks what the description allows
//! and what it does not, and whatever is answered must be as described.

use std::path::PathBuf;
use std::process::Stdio;

use notary_hub::identity::Role;
use tokio::process::Command;

use crate::client::Bureau;
use crate::record::case;
use crate::support::seed::session;

/// Questions for each operation and kind of question.
const EXAMPLES: &str = "5";
/// Signing out ends the session that everything else is asked with; signing in too often is refused by design.
const LEFT_OUT: [&str; 3] = ["signOut", "signIn", "signInByProvider"];
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "make api-test: needs schemathesis"]
async fn what_the_description_says_is_what_the_hub_answers() {
    let bureau = Bureau::open().await;
    let (hub, seed) = (&bureau.hub, &bureau.seed);
    let cases = vec![case("A1").issued("2024-03-20"), case("A2").matter("birth")];
    seed.office(hub, "hangzhou", cases).await;
    seed.office(hub, "xiaoshan", vec![case("X1")]).await;
    let base = format!("https://localhost:{}", hub.app.addresses().people.port());
    let mut command = Command::new(schemathesis());
    let folder = tempfile::tempdir().unwrap();
    command
        .current_dir(folder.path())
        .arg("run")
        .arg(format!("{base}/api/v1/openapi.json"))
        .args([
            "--checks",
            CHECKS,
            "--max-examples",
            EXAMPLES,
            "--seed",
            "2012",
        ])
        .args([
            "--phases",
            "examples,fuzzing",
            "--generation-database",
            "none",
        ])
        .args([
            "--no-color",
            "--no-shrink",
            "--continue-on-failure",
            "--workers",
            "2",
        ])
        .arg("--header")
        .arg(format!(
            "Authorization: Bearer {}",
            session(hub, Role::Supervisor)
        ))
        .arg("--tls-verify")
        .arg(hub.keys.config.pki_dir().join("ca.pem"))
        .stdin(Stdio::null());
    for operation in LEFT_OUT {
        command.args(["--exclude-operation-id", operation]);
    }
    let output = command.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let also = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{also}");
}

/// Where `deploy/setup.sh api` puts it.
fn schemathesis() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache =
        cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    let program = cache.join("notary-hub/tools/schemathesis/bin/schemathesis");
    assert!(
        program.exists(),
        "run `deploy/setup.sh api` first: {} is not there",
        program.display()
    );
    program
}
