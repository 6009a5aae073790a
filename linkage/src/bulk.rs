//! A whole collection linked at once: a first load, or everything again under new weights.

use std::collections::HashMap;

use crate::{compare::Mention, name::NameShare};

/// Tells each mention how common its name is among all of them. A name that is missing has no share.
pub fn share_names(mentions: &mut [Mention]) {
    let mut bearers: HashMap<u64, u64> = HashMap::new();
    for mention in mentions.iter() {
        *bearers.entry(mention.name.wide_fingerprint()).or_default() += 1;
    }
    let all = mentions.len() as u64;
    for mention in mentions {
        mention.name_share = bearers
            .get(&mention.name.wide_fingerprint())
            .filter(|_| !mention.name.is_missing())
            .map(|&bearers| NameShare::of(bearers, all));
    }
}
