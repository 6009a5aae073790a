//! Recusal (N12; 公证法 art. 23 (3)): a party is the handling notary's declared near relative, or the notary. Tokens
//! alone have been compared; evidence holds the relation and the party's place.

use serde_json::{Value, json};

use crate::supervision::facts::CaseFacts;

pub(super) fn recusal(case: &CaseFacts) -> Option<Value> {
    case.state.is_accepted_or_later().then_some(())?;
    let handler = case.notary_licence_no.as_ref()?;
    let kin: Vec<Value> = case
        .kin
        .iter()
        .filter(|kin| kin.licence_no == *handler)
        .map(|kin| json!({ "party": kin.party, "relation": kin.relation }))
        .collect();
    (!kin.is_empty()).then(|| json!({ "notary_licence_no": handler, "parties": kin }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, hits};
    use crate::supervision::facts::Kin;

    #[test]
    fn a_notarys_own_mother_is_somebody_elses_case() {
        let mut case = sample::case();
        case.kin = vec![Kin {
            party: 0,
            licence_no: "N1".to_owned(),
            relation: "parent".to_owned(),
        }];
        assert_eq!(hits(&case), ["RECUSAL"]);
        case.notary_licence_no = Some("N3".to_owned());
        assert!(hits(&case).is_empty());
    }
}
