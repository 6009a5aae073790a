//! Where an office may take cases from (N6; 公证法 art. 25, 公证程序规则 arts. 14, 15).

use linkage::matter::MatterType;
use linkage::vocabulary::PartyRole;
use serde_json::{Value, json};

use crate::supervision::facts::{CaseFacts, OfficeFacts};

/// Real estate outside of the area, but for the matters that may follow the person.
pub(super) fn real_estate(
    case: &CaseFacts,
    office: &OfficeFacts,
    except: &[MatterType],
) -> Option<Value> {
    let judged = case.state.is_accepted_or_later() && !except.contains(&case.matter_type);
    judged.then_some(())?;
    let outside = |place: &String| !office.covers(place);
    let places: Vec<&String> = case.real_estate.iter().flatten().collect();
    // Several things of one matter may lie apart; one of them within the area is enough to be competent.
    let all_outside = !places.is_empty()
        && places.len() == case.real_estate.len()
        && places.iter().all(|place| outside(place));
    all_outside.then(|| {
        json!({
            "matter_type": case.matter_type.code(),
            "real_estate": places,
            "practice_area": office.practice_area,
        })
    })
}

/// None of the parties whose domicile counts lives in the area.
pub(super) fn parties(
    case: &CaseFacts,
    office: &OfficeFacts,
    matters: &[MatterType],
    roles: &[PartyRole],
) -> Option<Value> {
    let judged = case.state.is_accepted_or_later() && matters.contains(&case.matter_type);
    judged.then_some(())?;
    let places: Option<Vec<&String>> = case
        .parties
        .iter()
        .filter(|party| roles.contains(&party.role))
        .map(|party| party.district.as_ref())
        .collect();
    let places = places.filter(|places| !places.is_empty())?;
    places
        .iter()
        .all(|place| !office.covers(place))
        .then(|| json!({ "parties": places, "practice_area": office.practice_area }))
}

impl OfficeFacts {
    /// Whether a district is in the practice area; everything is where none is fixed.
    fn covers(&self, district: &str) -> bool {
        self.practice_area.is_empty()
            || self
                .practice_area
                .iter()
                .any(|part| district.starts_with(part.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, hits};
    use crate::supervision::facts::{CaseFacts, PartyFacts};
    use linkage::vocabulary::PartyRole;

    fn about_houses(matter: &str, districts: &[&str]) -> CaseFacts {
        CaseFacts {
            matter_type: matter.parse().expect("a matter"),
            fee_charged_fen: 30_000,
            real_estate: districts
                .iter()
                .map(|district| Some((*district).to_owned()))
                .collect(),
            ..sample::case()
        }
    }

    #[test]
    fn a_house_of_another_city_is_outside_and_one_of_the_own_is_not() {
        let elsewhere = about_houses("inheritance", &["330206"]);
        assert_eq!(hits(&elsewhere), ["PRACTICE_AREA"]);
        assert!(hits(&about_houses("inheritance", &["330106"])).is_empty());
        let unknown = CaseFacts {
            real_estate: vec![None],
            ..elsewhere
        };
        assert!(hits(&unknown).is_empty());
    }

    #[test]
    fn a_mandate_about_such_a_house_follows_the_person() {
        assert!(hits(&about_houses("mandate", &["330206"])).is_empty());
        // One of two heirs' houses is here.
        assert_eq!(
            hits(&about_houses("inheritance", &["330206", "330106"])),
            ["MAJOR_NOT_FLAGGED"]
        );
    }

    #[test]
    fn a_will_of_somebody_who_lives_elsewhere_is_a_hint() {
        let mut case = about_houses("will", &[]);
        case.parties[0].district = Some("330206".to_owned());
        assert_eq!(hits(&case), ["PRACTICE_AREA_PARTY"]);
        // Whoever brings the testator here makes nobody competent.
        let related = PartyFacts {
            role: PartyRole::Related,
            district: Some("330106".to_owned()),
            ..case.parties[0].clone()
        };
        case.parties.push(related);
        assert_eq!(hits(&case), ["PRACTICE_AREA_PARTY"]);
        case.parties[0].district = None;
        assert!(hits(&case).is_empty());
    }
}
