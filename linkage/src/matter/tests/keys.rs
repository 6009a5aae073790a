//! What keys are made of, and what they do not depend on.

use PartyRole::*;
use SubjectKind::*;
use proptest::prelude::*;

use super::*;

#[test]
fn keys_never_change_while_rules_and_facts_stay() {
    // Stored at the hub: a changed derivation needs a migration that derives all keys again.
    let rules = shipped();
    let gift = case("gift").party(Donor, 1).subject(RealEstateUnit, 9);
    let birth = case("birth").party(Applicant, 1).used_in("US");
    let keys = [gift.keys(&rules), birth.keys(&rules)].concat();
    insta::assert_debug_snapshot!(keys);
}

#[test]
fn several_holders_have_a_key_each_and_a_poisoned_case_has_few() {
    let rules = shipped();
    let estate = case("inheritance")
        .party(Decedent, 1)
        .party(Decedent, 2)
        .party(Decedent, 1);
    let per_decedent = 5; // the estate, and the decedent's will, what is kept, mandates, and being alive
    assert_eq!(estate.keys(&rules).len(), 2 * per_decedent);
    let poisoned = (0..64).fold(case("mandate"), |case, i| {
        case.party(Principal, i).subject(RealEstateUnit, i)
    });
    assert_eq!(poisoned.keys(&rules).len(), MAX_KEYS);
}

proptest! {
    #[test]
    fn keys_do_not_depend_on_the_order_of_parties_and_subjects(one in any_case()) {
        let rules = shipped();
        let mut reversed = one.clone();
        reversed.parties.reverse();
        reversed.subjects.reverse();
        let keys = one.keys(&rules);
        prop_assert_eq!(reversed.keys(&rules), keys.clone());
        prop_assert!(keys.is_sorted_by(|a, b| a < b), "sorted and distinct");
    }
}
