//! Agents and hubs are upgraded one after the other, so each speaks the contract of the version before: whatever a
//! released contract has stays as it is. `proto/released/` holds one file for each minor version.
//!
//! `WRITE_CONTRACT=1 cargo test -p notary-proto` writes the present one, once, when it is released.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// The contract, a fact a line. Names of fields are no matter to the wire, but a renamed field means something else.
fn facts() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(notary_proto::DESCRIPTORS).unwrap();
    let own = set
        .file
        .iter()
        .filter(|file| file.package().starts_with("notary."));
    own.flat_map(of_file).collect()
}

fn of_file(file: &FileDescriptorProto) -> Vec<String> {
    let package = file.package();
    let mut facts = Vec::new();
    for message in &file.message_type {
        of_message(
            &format!("{package}.{}", message.name()),
            message,
            &mut facts,
        );
    }
    for each in &file.enum_type {
        of_enum(&format!("{package}.{}", each.name()), each, &mut facts);
    }
    for service in &file.service {
        for method in &service.method {
            let streams = |streaming: bool| if streaming { "stream of " } else { "" };
            facts.push(format!(
                "rpc {package}.{}/{}: {}{} -> {}{}",
                service.name(),
                method.name(),
                streams(method.client_streaming()),
                method.input_type(),
                streams(method.server_streaming()),
                method.output_type(),
            ));
        }
    }
    facts
}

fn of_message(name: &str, message: &DescriptorProto, facts: &mut Vec<String>) {
    for field in &message.field {
        let repeated = match field.label() {
            Label::Repeated => "repeated ",
            Label::Optional | Label::Required => "",
        };
        let kind = match field.r#type() {
            Type::Message | Type::Enum => field.type_name().to_owned(),
            other => other.as_str_name().to_owned(),
        };
        // Whether a field is absent or empty, and what it excludes.
        let group = match (field.proto3_optional(), field.oneof_index) {
            (true, _) => " optional".to_owned(),
            (false, Some(at)) => {
                format!(
                    " in {}",
                    message.oneof_decl[usize::try_from(at).unwrap()].name()
                )
            }
            (false, None) => String::new(),
        };
        let (number, field) = (field.number(), field.name());
        facts.push(format!(
            "field {name} {number}: {repeated}{kind} {field}{group}"
        ));
    }
    for nested in &message.nested_type {
        of_message(&format!("{name}.{}", nested.name()), nested, facts);
    }
    for each in &message.enum_type {
        of_enum(&format!("{name}.{}", each.name()), each, facts);
    }
}

fn of_enum(name: &str, each: &EnumDescriptorProto, facts: &mut Vec<String>) {
    for value in &each.value {
        facts.push(format!("value {name} {}: {}", value.number(), value.name()));
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("released")
}

#[test]
fn what_was_released_is_still_said_in_the_same_way() {
    let now = facts();
    let version = env!("CARGO_PKG_VERSION").rsplit_once('.').unwrap().0;
    if std::env::var_os("WRITE_CONTRACT").is_some() {
        let text: String = now.iter().map(|fact| format!("{fact}\n")).collect();
        fs::write(folder().join(format!("{version}.txt")), text).unwrap();
    }
    let mut released = 0;
    for file in fs::read_dir(folder()).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let gone: Vec<_> = text.lines().filter(|fact| !now.contains(*fact)).collect();
        assert!(
            gone.is_empty(),
            "agents or hubs out there rely on {gone:#?}"
        );
        released += 1;
    }
    assert!(released > 0);
}
