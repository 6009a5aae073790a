//! A record's tokens under the key that is to follow the city's token key: each has to stand where the record has its
//! like under the present one, for it will be put in its place.

use linkage::token::Token;
use notary_proto::hub::v1 as wire;

use super::content_hash;
use super::field::{Checked, each, segments, token};
use crate::case::{NextTokens, PartyTokens};

/// Reads them, and takes them off the record.
pub(super) fn take(record: &mut wire::CaseRecord) -> Checked<Option<NextTokens>> {
    let Some(next) = record.next_tokens.take() else {
        return Ok(None);
    };
    read(record, next).map(Some).map_err(in_next_tokens)
}

fn in_next_tokens(field: String) -> String {
    format!("next_tokens.{field}")
}

fn read(record: &wire::CaseRecord, next: wire::NextTokens) -> Checked<NextTokens> {
    let key_id = i32::try_from(next.key_id).map_err(|_| "key_id")?;
    if next.parties.len() != record.parties.len() {
        return Err("parties".to_owned());
    }
    if next.subjects.len() != record.subjects.len() {
        return Err("subjects".to_owned());
    }
    let mut moved = record.clone();
    put_in_place(&mut moved, &next);
    Ok(NextTokens {
        key_id,
        content_hash: content_hash(&mut moved),
        parties: each(
            record.parties.iter().zip(next.parties).collect(),
            "parties",
            |(party, next)| of_party(party, &next),
        )?,
        subjects: each(next.subjects, "subjects", |bytes| token(&bytes, "token"))?,
    })
}

/// The record as its office will send it under the next key.
fn put_in_place(record: &mut wire::CaseRecord, next: &wire::NextTokens) {
    for (party, next) in record.parties.iter_mut().zip(&next.parties) {
        if let Some(identifier) = &mut party.identifier {
            identifier.token.clone_from(&next.identifier);
            identifier.segment_tokens.clone_from(&next.segments);
        }
        party.phone_token.clone_from(&next.phone);
    }
    for (subject, next) in record.subjects.iter_mut().zip(&next.subjects) {
        subject.token.clone_from(next);
    }
}

fn of_party(party: &wire::Party, next: &wire::PartyTokens) -> Checked<PartyTokens> {
    let empty = wire::IdentifierToken::default();
    let identifier = party.identifier.as_ref().unwrap_or(&empty);
    if identifier.segment_tokens.len() != next.segments.len() {
        return Err("segments".to_owned());
    }
    Ok(PartyTokens {
        identifier: like(&identifier.token, &next.identifier, "identifier")?,
        segments: segments(&next.segments, "segments")?,
        phone: like(&party.phone_token, &next.phone, "phone")?,
    })
}

/// A token that is there when, and only when, its like is.
fn like(present: &[u8], next: &[u8], field: &str) -> Checked<Option<Token>> {
    match (present, next) {
        ([], []) => Ok(None),
        ([], _) => Err(field.to_owned()),
        (_, next) => token(next, field).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> wire::CaseRecord {
        let identified = wire::Party {
            identifier: Some(wire::IdentifierToken {
                token: vec![1; 16],
                segment_tokens: vec![vec![2; 16]; 3],
                ..Default::default()
            }),
            phone_token: vec![3; 16],
            ..Default::default()
        };
        wire::CaseRecord {
            revision: 7,
            parties: vec![identified, wire::Party::default()],
            subjects: vec![wire::Subject {
                token: vec![4; 16],
                ..Default::default()
            }],
            next_tokens: Some(wire::NextTokens {
                key_id: 2,
                parties: vec![
                    wire::PartyTokens {
                        identifier: vec![11; 16],
                        segments: vec![vec![12; 16]; 3],
                        phone: vec![13; 16],
                    },
                    wire::PartyTokens::default(),
                ],
                subjects: vec![vec![14; 16]],
            }),
            ..Default::default()
        }
    }

    #[test]
    fn the_hash_to_come_is_that_of_the_record_with_its_next_tokens_alone() {
        let mut sent = record();
        let next = take(&mut sent).expect("good").expect("there");
        assert!(sent.next_tokens.is_none());
        let mut later = record();
        let tokens = later.next_tokens.take().expect("there");
        put_in_place(&mut later, &tokens);
        later.revision = 9;
        assert_eq!(next.content_hash, content_hash(&mut later));
        assert_ne!(next.content_hash, content_hash(&mut sent));
    }

    #[test]
    fn tokens_that_do_not_fit_the_record_are_refused_by_name() {
        type Spoil = fn(&mut wire::NextTokens);
        let spoilt: [(Spoil, &str); 7] = [
            (|next| next.parties.truncate(1), "parties"),
            (|next| next.subjects.clear(), "subjects"),
            (
                |next| next.parties[0].identifier.clear(),
                "parties[0].identifier",
            ),
            (
                |next| next.parties[0].segments.truncate(2),
                "parties[0].segments",
            ),
            (
                |next| next.parties[1].phone = vec![9; 16],
                "parties[1].phone",
            ),
            (|next| next.subjects[0] = vec![9; 15], "subjects[0].token"),
            (|next| next.key_id = u32::MAX, "key_id"),
        ];
        for (spoil, field) in spoilt {
            let mut record = record();
            spoil(record.next_tokens.as_mut().expect("there"));
            let refused = take(&mut record).expect_err("refused");
            assert_eq!(refused, format!("next_tokens.{field}"));
        }
    }
}
