//! A codec that looks at a message before it makes one.
//!
//! An empty element of a repeated field is two bytes on the wire and hundreds in memory, and two million of them fit into
//! the largest message, compressed into one kilobyte. So the elements are counted first, by the descriptors, without
//! making any: a message needs as many bytes as its elements have when they say something.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::LazyLock;

use prost::bytes::Buf;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost::{Message, Name};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstDecoder, ProstEncoder};

use crate::DESCRIPTORS;

/// Elements of any message, however small they are.
const ALWAYS: usize = 4096;
/// Bytes that each element beyond them must have on average. A party with its identity has sixty, a case's digest forty.
const BYTES_EACH: usize = 16;

/// Messages within messages that are looked at; prost refuses what goes deeper.
const DEPTH: usize = 100;

/// prost's encoding, with messages refused that have more elements than content.
#[derive(Clone, Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(ProstDecoder::default())
    }
}

/// Counts, then decodes.
#[derive(Clone, Debug)]
pub struct BoundedDecoder<U>(ProstDecoder<U>);

impl<U: Message + Name + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // A message lies in one piece.
        match is_bounded::<U>(buffer.chunk()) {
            true => self.0.decode(buffer),
            false => Err(Status::resource_exhausted(
                "the message has more elements than content",
            )),
        }
    }
}

/// Whether a message of this type has no more elements than its bytes justify.
pub fn is_bounded<M: Name>(bytes: &[u8]) -> bool {
    let most = ALWAYS + bytes.len() / BYTES_EACH;
    match SHAPES.by_name.get(&M::full_name()) {
        Some(shape) => SHAPES.walk(*shape, bytes, most, DEPTH).is_some(),
        None => true,
    }
}

/// What a field is made of, as far as it makes elements.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// A message of this shape.
    Message(usize),
    /// One of many texts or byte strings.
    Text,
}

/// Of each message type the fields that make elements, by their number.
#[derive(Debug, Default)]
struct Shapes {
    by_name: HashMap<String, usize>,
    fields: Vec<Vec<Option<Part>>>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let set = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors of our own");
    Shapes::of(&set)
});

impl Shapes {
    fn of(set: &FileDescriptorSet) -> Self {
        let mut messages = Vec::new();
        for file in &set.file {
            gather(file.package(), &file.message_type, &mut messages);
        }
        let names = messages.iter().map(|(name, _)| name.clone());
        let mut shapes = Self {
            by_name: names.zip(0..).collect(),
            fields: Vec::new(),
        };
        for (_, message) in messages {
            let fields = shapes.parts(message);
            shapes.fields.push(fields);
        }
        shapes
    }

    fn parts(&self, message: &DescriptorProto) -> Vec<Option<Part>> {
        let mut parts = Vec::new();
        for field in &message.field {
            let number = usize::try_from(field.number()).expect("numbers count from 1");
            let part = match field.r#type() {
                Type::Message => {
                    let name = field.type_name().trim_start_matches('.');
                    self.by_name.get(name).copied().map(Part::Message)
                }
                Type::String | Type::Bytes if field.label() == Label::Repeated => Some(Part::Text),
                _ => None,
            };
            if parts.len() <= number {
                parts.resize(number + 1, None);
            }
            parts[number] = part;
        }
        parts
    }

    /// How many elements more there may be; `None` when there were too many. What is no message at all is left to
    /// prost, which says so, and so is what is deeper than it goes: types may contain themselves.
    fn walk(&self, shape: usize, mut bytes: &[u8], mut left: usize, depth: usize) -> Option<usize> {
        while !bytes.is_empty() {
            let Ok((number, wire_type)) = decode_key(&mut bytes) else {
                break;
            };
            let length = match wire_type {
                WireType::LengthDelimited => decode_varint(&mut bytes).unwrap_or(u64::MAX),
                WireType::Varint => decode_varint(&mut bytes).map_or(u64::MAX, |_| 0),
                WireType::SixtyFourBit => 8,
                WireType::ThirtyTwoBit => 4,
                WireType::StartGroup | WireType::EndGroup => 0,
            };
            let content = usize::try_from(length).ok();
            let Some((content, rest)) = content.and_then(|length| bytes.split_at_checked(length))
            else {
                break;
            };
            bytes = rest;
            if wire_type != WireType::LengthDelimited {
                continue;
            }
            let part = self.fields[shape].get(number as usize).copied().flatten();
            if let Some(part) = part {
                left = left.checked_sub(1)?;
                if let (Part::Message(inner), 1..) = (part, depth) {
                    left = self.walk(inner, content, left, depth - 1)?;
                }
            }
        }
        Some(left)
    }
}

/// Messages by their full names, those within others as well.
fn gather<'a>(
    scope: &str,
    messages: &'a [DescriptorProto],
    gathered: &mut Vec<(String, &'a DescriptorProto)>,
) {
    for message in messages {
        let name = format!("{scope}.{}", message.name());
        gather(&name, &message.nested_type, gathered);
        gathered.push((name, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::v1::PushRowsRequest;
    use crate::hub::v1::sync_request::Message as Payload;
    use crate::hub::v1::{
        Batch, CaseRecord, CheckApplicationRequest, IdentifierToken, Party, Record, SyncRequest,
        record,
    };

    fn request(records: Vec<Record>) -> Vec<u8> {
        let batch = Batch {
            first_sequence: 1,
            records,
            backlog: 0,
        };
        let message = Some(Payload::Batch(batch));
        SyncRequest { message }.encode_to_vec()
    }

    fn record(parties: Vec<Party>) -> Record {
        let case = CaseRecord {
            source_case_id: "2025-000001".to_owned(),
            revision: 1,
            matter_type: "mandate".to_owned(),
            parties,
            ..CaseRecord::default()
        };
        Record {
            payload: Some(record::Payload::Case(case)),
        }
    }

    fn party() -> Party {
        Party {
            role: 1,
            kind: 1,
            name: "张三".to_owned(),
            identifier: Some(IdentifierToken {
                kind: 1,
                token: vec![7; 16],
                verified: true,
                ..IdentifierToken::default()
            }),
            ..Party::default()
        }
    }

    #[test]
    fn a_full_batch_of_cases_is_bounded() {
        let records = vec![record(vec![party(); 5]); 2000];
        assert!(is_bounded::<SyncRequest>(&request(records)));
        let crowded = vec![record(vec![party(); 64]); 1000];
        assert!(is_bounded::<SyncRequest>(&request(crowded)));
    }

    #[test]
    fn elements_without_content_are_not_at_whatever_depth() {
        let empty = vec![Record::default(); 100_000];
        assert!(!is_bounded::<SyncRequest>(&request(empty)));
        let crowded = record(vec![Party::default(); 100_000]);
        assert!(!is_bounded::<SyncRequest>(&request(vec![crowded])));
        let mut someone = party();
        let texts = vec![Vec::new(); 100_000];
        someone.identifier.get_or_insert_default().segment_tokens = texts;
        let crowded = record(vec![someone]);
        assert!(!is_bounded::<SyncRequest>(&request(vec![crowded])));
        let parties = [0x22, 0x00].repeat(100_000);
        assert!(!is_bounded::<CheckApplicationRequest>(&parties));
    }

    #[test]
    fn rows_within_rows_are_left_to_prost_which_refuses_them() {
        // Each level is a row, in a list, in an entry of the children's map.
        let mut nested = Vec::new();
        let mut levels = Vec::new();
        let mut length = 0;
        for field in [0x0a, 0x12, 0x12].into_iter().cycle().take(180_000) {
            let mut level = vec![field];
            prost::encoding::encode_varint(length, &mut level);
            length += level.len() as u64;
            levels.push(level);
        }
        nested.push(0x12);
        prost::encoding::encode_varint(length, &mut nested);
        nested.extend(levels.into_iter().rev().flatten());
        assert!(is_bounded::<PushRowsRequest>(&nested));
        let error = PushRowsRequest::decode(nested.as_slice()).expect_err("too deep");
        assert!(error.to_string().contains("recursion"), "{error}");
    }

    #[test]
    fn what_is_no_message_is_left_to_prost() {
        assert!(is_bounded::<SyncRequest>(b"\xff\xff\xff"));
        assert!(is_bounded::<SyncRequest>(&[0x12; 100]));
        assert!(is_bounded::<SyncRequest>(&[0x7b; 100_000]));
    }

    #[test]
    fn every_type_of_the_contract_is_known() {
        for name in [
            SyncRequest::full_name(),
            CheckApplicationRequest::full_name(),
        ] {
            assert!(SHAPES.by_name.contains_key(&name), "{name}");
        }
    }
}
