//! The wire contract between offices and the hub, generated from `notary/**/*.proto`.
//! The `.proto` files are the documentation; written by hand is only how much a message may be: [`bounded`].
#![allow(
    missing_debug_implementations,
    unreachable_pub,
    clippy::large_enum_variant
)]

pub mod bounded;

pub mod hub {
    pub mod v1 {
        tonic::include_proto!("notary.hub.v1");
    }
}

pub mod agent {
    pub mod v1 {
        tonic::include_proto!("notary.agent.v1");
    }
}

/// Encoded `FileDescriptorSet` of everything above, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
