//! Compiles the contract with protox, so that building needs no `protoc` on the machine.

use std::{env, error::Error, fs, path::PathBuf};

const FILES: [&str; 7] = [
    "notary/hub/v1/common.proto",
    "notary/hub/v1/details.proto",
    "notary/hub/v1/enrollment.proto",
    "notary/hub/v1/filing.proto",
    "notary/hub/v1/lookup.proto",
    "notary/hub/v1/sync.proto",
    "notary/agent/v1/push.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=notary");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(
        out.join("descriptors.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    // The codec knows a message's fields by its name.
    let mut names = tonic_prost_build::Config::new();
    names.enable_type_names();
    tonic_prost_build::configure()
        .codec_path("crate::bounded::BoundedCodec")
        .compile_fds_with_config(descriptors, names)?;
    Ok(())
}
