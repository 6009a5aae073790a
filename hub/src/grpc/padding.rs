//! How long an answer is does not tell what was found. What a look-up tells is padded to one of few lengths before it is
//! sent; what stands in every answer alike, such as feeds and receipt, has whatever length it has. Answers are not
//! compressed: that would undo it.

use prost::{Message, length_delimiter_len};

/// What is told of one thing that was asked about takes so many bytes at least: some twenty cases fit.
const ONE: usize = 4 << 10;
/// What each further thing of the same question adds.
const FURTHER: usize = 1 << 10;
/// Each length is so many times the one before.
const TIMES: usize = 4;
/// Bytes of the shortest padding: the field's tag and a length of 0.
const LEAST: usize = 2;

/// The length of an answer before anything is told in it.
pub(super) struct Untold(usize);

impl Untold {
    pub(super) fn of(answer: &impl Message) -> Self {
        Self(answer.encoded_len())
    }

    /// Padding for the answer in which everything is told that there is to tell of `things` that were asked about.
    pub(super) fn padding(&self, answer: &impl Message, things: usize) -> Vec<Vec<u8>> {
        let told = answer.encoded_len() - self.0;
        pieces(length(told, things) - told)
    }
}

/// The least length that has room for what is told.
fn length(told: usize, things: usize) -> usize {
    let mut length = ONE + things.saturating_sub(1) * FURTHER;
    while length < told + LEAST {
        length *= TIMES;
    }
    length
}

/// Padding that takes so many bytes when it is encoded, [`LEAST`] or more. No single piece takes 130: a length of 127 is
/// written in one byte and one of 128 in two.
fn pieces(bytes: usize) -> Vec<Vec<u8>> {
    let content = (1..bytes).find_map(|length_of_length| {
        let content = bytes.checked_sub(1 + length_of_length)?;
        (length_delimiter_len(content) == length_of_length).then_some(content)
    });
    match content {
        Some(content) => vec![vec![0; content]],
        None => [vec![Vec::new()], pieces(bytes - LEAST)].concat(),
    }
}

#[cfg(test)]
mod tests {
    use notary_proto::hub::v1::{CheckApplicationResponse, LookupHit};

    use super::*;

    #[test]
    fn padding_takes_exactly_the_bytes_that_it_should() {
        for bytes in (LEAST..20_000).chain(2_097_100..2_097_200) {
            let answer = CheckApplicationResponse {
                padding: pieces(bytes),
                ..Default::default()
            };
            assert_eq!(answer.encoded_len(), bytes);
        }
    }

    #[test]
    fn however_much_is_told_there_are_few_lengths() {
        let lengths = (0..=100).map(|hits| {
            let mut answer = CheckApplicationResponse::default();
            let untold = Untold::of(&answer);
            let hit = LookupHit {
                office_id: "hzgl".into(),
                office_name: "杭州市国立公证处".into(),
                case_no: "（2024）浙杭国证民字第12345号".into(),
                matter_type: "inheritance".into(),
                accepted_day: Some(19_876),
                matched_on: vec![1],
                masked_names: vec!["张*".into(), "李*".into()],
                ..Default::default()
            };
            answer.hits = vec![hit; hits];
            answer.padding = untold.padding(&answer, 1);
            answer.encoded_len()
        });
        let mut lengths: Vec<usize> = lengths.collect();
        assert_eq!(lengths[0], lengths[20]);
        lengths.dedup();
        assert_eq!(lengths, [ONE, ONE * TIMES]);
    }
}
