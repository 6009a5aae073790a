//! A release as it is packed and signed, and what `verify-release.sh` says of one that somebody has had a hand in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const LISTS: [&str; 3] = [
    "notary-hub.cdx.json",
    "office-agent.cdx.json",
    "console.cdx.json",
];

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name)
}

/// What is published, with the key that it may be known by.
struct Release {
    work: TempDir,
}

impl Release {
    fn signed() -> Self {
        let work = tempfile::tempdir().unwrap();
        let release = Self { work };
        let (stage, sbom) = (release.at("stage"), release.at("sbom"));
        fs::create_dir_all(stage.join("bin")).unwrap();
        fs::write(stage.join("bin/notary-hub"), "a program").unwrap();
        fs::create_dir(&sbom).unwrap();
        for list in LISTS {
            fs::write(sbom.join(list), "{}").unwrap();
        }
        release.key("key");
        release.pack("release");
        release
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn published(&self, name: &str) -> PathBuf {
        self.at("release").join(name)
    }

    fn archive(&self) -> PathBuf {
        let files = fs::read_dir(self.at("release")).unwrap();
        let mut paths = files.map(|file| file.unwrap().path());
        paths
            .find(|path| path.extension().is_some_and(|end| end == "gz"))
            .unwrap()
    }

    fn key(&self, name: &str) {
        let (key, public) = (self.at(name), self.at(&format!("{name}.pub")));
        let make = ["genpkey", "-algorithm", "ed25519", "-out"];
        done(Command::new("openssl").args(make).arg(&key));
        let tell = ["pkey", "-pubout", "-in"];
        done(
            Command::new("openssl")
                .args(tell)
                .arg(&key)
                .arg("-out")
                .arg(public),
        );
    }

    fn pack(&self, out: &str) {
        let mut pack = Command::new(script("release-pack.sh"));
        let places = ["stage", "sbom", "key", out].map(|name| self.at(name));
        done(
            pack.args(places)
                .arg("1.2.3")
                .env("SOURCE_DATE_EPOCH", "1700000000"),
        );
    }

    /// Signs what stands there now with another key, as whoever has the folder could.
    fn sign_with(&self, key: &str) {
        let sign = ["pkeyutl", "-sign", "-rawin", "-inkey"];
        done(
            Command::new("openssl")
                .args(sign)
                .arg(self.at(key))
                .arg("-in")
                .arg(self.published("SHA256SUMS"))
                .arg("-out")
                .arg(self.published("SHA256SUMS.sig")),
        );
    }

    fn verified(&self) -> Output {
        let folder = self.at("release");
        let mut verify = Command::new(script("verify-release.sh"));
        verify.arg(folder).arg(self.at("key.pub")).output().unwrap()
    }
}

/// What is said of it, and what was done.
type Tampering = (&'static str, fn(&Release));

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

fn append(file: &Path) {
    let mut content = fs::read(file).unwrap();
    content.push(b'x');
    fs::write(file, content).unwrap();
}

#[test]
fn a_release_is_what_was_signed_and_is_packed_the_same_twice() {
    let release = Release::signed();
    let verified = release.verified();
    assert!(verified.status.success(), "{verified:?}");
    release.pack("again");
    let name = release.archive();
    let again = release.at("again").join(name.file_name().unwrap());
    assert_eq!(fs::read(name).unwrap(), fs::read(again).unwrap());
}

#[test]
fn a_release_that_somebody_had_a_hand_in_is_refused() {
    let tamperings: [Tampering; 10] = [
        ("is not the one", |release| append(&release.archive())),
        ("is not the one", |release| {
            append(&release.published("notary-hub.cdx.json"));
        }),
        ("is not the one", |release| {
            fs::remove_file(release.published("console.cdx.json")).unwrap();
        }),
        ("not signed with this key", |release| {
            append(&release.published("SHA256SUMS"));
        }),
        ("not signed with this key", |release| {
            append(&release.published("SHA256SUMS.sig"));
        }),
        ("signature is missing", |release| {
            fs::remove_file(release.published("SHA256SUMS.sig")).unwrap();
        }),
        ("not signed with this key", |release| {
            append(&release.archive());
            let sums = "cd release && sha256sum -- *.tar.gz *.cdx.json >SHA256SUMS";
            let mut shell = Command::new("sh");
            done(shell.args(["-c", sums]).current_dir(release.work.path()));
            release.key("other");
            release.sign_with("other");
        }),
        ("was not signed", |release| {
            fs::write(release.published("install.sh"), "#!/bin/sh").unwrap();
        }),
        ("was not signed", |release| {
            fs::write(release.published("..install.sh"), "#!/bin/sh").unwrap();
        }),
        // With the operator's own key, by mistake.
        ("strange", |release| {
            let sums = format!("{}  ../stage/bin/notary-hub\n", "0".repeat(64));
            fs::write(release.published("SHA256SUMS"), sums).unwrap();
            release.sign_with("key");
        }),
    ];
    for (place, (why, tamper)) in tamperings.into_iter().enumerate() {
        let release = Release::signed();
        tamper(&release);
        let refused = release.verified();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{place}: {said}");
        assert!(said.contains(why), "{place}: {why} not in {said}");
    }
}

/// Targets of the links of a document that are no addresses.
fn named(document: &str) -> Vec<&str> {
    let links = document.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#']).next()?;
        (!target.is_empty() && !target.contains("://")).then_some(target)
    });
    links.collect()
}

/// The documents of a release, in a folder that ends with the first.
fn staged() -> (TempDir, Vec<PathBuf>) {
    let work = tempfile::tempdir().unwrap();
    let stage = work.path().join("stage");
    done(Command::new(script("release-stage.sh")).arg(&stage));
    let (mut folders, mut documents) = (vec![stage], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|end| end == "md") => documents.push(path),
                false => {}
            }
        }
    }
    (work, documents)
}

/// A blank line within a table makes text of the rows behind it.
#[test]
fn no_table_of_a_document_is_cut_in_two() {
    let (_work, documents) = staged();
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (place, row) in lines.iter().enumerate() {
            let is_row = |line: &&str| line.starts_with('|');
            let first = place == 0 || !is_row(&lines[place - 1]);
            if is_row(row) && first {
                let next = lines.get(place + 1).copied().unwrap_or_default();
                assert!(next.starts_with("|--"), "{}: {row}", document.display());
            }
        }
    }
}

/// Whoever has a release has no checkout.
#[test]
fn what_the_documents_of_a_release_lead_to_is_in_it() {
    let (work, documents) = staged();
    let stage = work.path().join("stage");
    let mut followed = 0;
    for document in &documents {
        let text = fs::read_to_string(document).unwrap();
        for link in named(&text) {
            let target = document.parent().unwrap().join(link);
            assert!(target.exists(), "{}: {link}", document.display());
            followed += 1;
        }
    }
    assert!(followed > 40, "{followed} links");
    for document in ["operator", "integrator", "alerts", "upgrading", "rules"] {
        let text = fs::read_to_string(stage.join(format!("docs/{document}.md"))).unwrap();
        let files = text.split('`').skip(1).step_by(2).filter(|word| {
            ["deploy/", "office-agent/", "hub/rules/"]
                .iter()
                .any(|folder| word.starts_with(folder))
        });
        for file in files {
            let file = file.split(' ').next().unwrap();
            assert!(stage.join(file).exists(), "docs/{document}.md: {file}");
        }
    }
}
