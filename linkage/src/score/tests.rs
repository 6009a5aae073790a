use proptest::prelude::*;
use time::macros::date;

use super::*;
use crate::{
    compare::{KnownIdentifier, VerifiedNumber, tests::mention},
    identifier::IdentifierKind,
    token::Token,
};

fn verified(n: u8) -> Option<KnownIdentifier> {
    Some(KnownIdentifier::Verified(VerifiedNumber {
        kind: IdentifierKind::ResidentId,
        token: Token::from([n; 16]),
    }))
}

fn born(name: &str) -> Mention {
    Mention {
        birth: Some(date!(1990 - 03 - 07)),
        ..Mention::named(name)
    }
}

#[test]
fn equal_numbers_decide_whatever_else_differs() {
    let one = Mention {
        identifier: verified(1),
        ..born("张伟")
    };
    let other = Mention {
        identifier: verified(1),
        ..Mention::named("李国强")
    };
    let score = Weights::builtin().score(&one, &other);
    assert_eq!(
        (score.rule, score.decision),
        (Some(Rule::EqualNumbers), Decision::Same)
    );
}

#[test]
fn different_numbers_are_never_linked_however_much_agrees() {
    let phone = Some(Token::from([9; 16]));
    let one = Mention {
        identifier: verified(1),
        phone,
        ..born("诸葛国伟")
    };
    let other = Mention {
        identifier: verified(2),
        ..one.clone()
    };
    let score = Weights::builtin().score(&one, &other);
    assert_eq!(
        (score.rule, score.decision),
        (Some(Rule::DifferentNumbers), Decision::Possible)
    );
    let stranger = Mention {
        identifier: verified(2),
        ..Mention::named("李强")
    };
    assert_eq!(
        Weights::builtin().score(&one, &stranger).decision,
        Decision::Different
    );
}

#[test]
fn a_person_and_a_firm_are_never_one() {
    let person = born("张伟");
    let firm = Mention {
        kind: PartyKind::Legal,
        ..person.clone()
    };
    assert_eq!(
        Weights::builtin().score(&person, &firm).decision,
        Decision::Different
    );
    assert_eq!(
        Weights::builtin().score(&firm, &firm).decision,
        Decision::Possible
    );
}

#[test]
fn a_shared_household_is_counted_once() {
    let weights = Weights::builtin();
    let token = |n| Token::from([n; 16]);
    let with = |phone: Option<u8>, related: &[u8]| Mention {
        phone: phone.map(token),
        related: related.iter().map(|&n| token(n)).collect(),
        ..born("张伟")
    };
    let score = |mention: &Mention| weights.score(mention, mention).weight;
    let (phone, related) = (score(&with(Some(1), &[])), score(&with(None, &[2])));
    assert_eq!(score(&with(Some(1), &[2])), phone.max(related));
}

#[test]
fn more_mentions_make_a_match_at_random_rarer() {
    let weights = Weights::builtin();
    let mentions = weights.provenance().mentions.max(1);
    assert!(weights.clone().scaled_to(10 * mentions).prior() < weights.prior());
    let apart =
        weights.clone().scaled_to(mentions).prior().millibits() - weights.prior().millibits();
    assert!(apart.abs() <= 1);
}

#[test]
fn whose_names_are_unlike_may_be_twins_and_is_never_linked_unasked() {
    let weights = Weights::builtin();
    let household = |name| Mention {
        phone: Some(Token::from([9; 16])),
        ..born(name)
    };
    let score = weights.score(&household("张国强"), &household("张国栋"));
    assert!(score.weight > weights.link());
    assert_eq!(
        (score.rule, score.decision),
        (Some(Rule::UnlikeNames), Decision::Possible)
    );
    let homophone = weights.score(&household("张国强"), &household("张国墙"));
    assert_eq!((homophone.rule, homophone.decision), (None, Decision::Same));
}

#[test]
fn what_both_have_in_place_of_a_number_does_not_make_siblings_one() {
    let filler = KnownIdentifier::Unverified {
        kind: IdentifierKind::ResidentId,
        token: Token::from([3; 16]),
        segments: None,
    };
    let household = |name| Mention {
        phone: Some(Token::from([9; 16])),
        identifier: Some(filler),
        ..born(name)
    };
    let score = Weights::builtin().score(&household("张国强"), &household("张国栋"));
    assert_eq!(
        (score.rule, score.decision),
        (Some(Rule::UnlikeNames), Decision::Possible)
    );
}

#[test]
fn a_rare_name_says_more_than_a_common_one() {
    let weights = Weights::builtin().scaled_to(1_000_000);
    let with = |share| Mention {
        name_share: Some(share),
        ..born("张伟")
    };
    let common = weights.score(
        &with(NameShare::of(5_000, 1_000_000)),
        &with(NameShare::of(5_000, 1_000_000)),
    );
    let unknown = weights.score(&born("张伟"), &born("张伟"));
    let rare = weights.score(
        &with(NameShare::of(10, 1_000_000)),
        &with(NameShare::of(10, 1_000_000)),
    );
    assert!(common.weight < unknown.weight && unknown.weight < rare.weight);
}

#[test]
fn an_explanation_names_each_reason_in_both_languages() {
    let weights = Weights::builtin();
    let (one, other) = (born("张伟"), born("章伟"));
    let explanation = weights.explain(&weights.score(&one, &other), &one, &other);
    let english = explanation.to_english();
    assert!(english.starts_with("name 张→章 homophone +"), "{english}");
    assert!(english.contains(", birth equal +"), "{english}");
    let chinese = explanation.to_chinese();
    assert!(chinese.starts_with("姓名 张→章 同音字 +"), "{chinese}");
    assert!(chinese.contains("；出生日期 相同 +"), "{chinese}");
}

#[test]
fn an_explanation_shows_what_differs_and_no_more() {
    let weights = Weights::builtin();
    for (a, b, detail) in [
        ("张国强", "张强", Some("国→∅")),
        ("张国强", "张强国", Some("国强→强国")),
        ("张伟", "張偉", Some("张伟→張偉")),
        ("张伟", "张伟", None),
        ("张伟", "李强", None),
        ("张国国", "张国", Some("国→∅")),
    ] {
        let (a, b) = (born(a), born(b));
        let explanation = weights.explain(&weights.score(&a, &b), &a, &b);
        assert_eq!(
            explanation.contributions[0].detail.as_deref(),
            detail,
            "{explanation:?}"
        );
    }
}

/// A name with its variant forms, worse and worse.
fn variants() -> impl Strategy<Value = (String, String)> {
    (
        "[张陈刘][国伟强华]{2}",
        prop_oneof![Just(0usize), Just(1), Just(2), Just(3), Just(4), Just(5)],
    )
        .prop_map(|(name, how)| {
            let replace = |from: &[char], to: &[char]| -> String {
                name.chars()
                    .map(|c| from.iter().position(|f| *f == c).map_or(c, |at| to[at]))
                    .collect()
            };
            let other = match how {
                0 => replace(
                    &['张', '陈', '刘', '国', '伟'],
                    &['張', '陳', '劉', '國', '偉'],
                ),
                1 => replace(&['伟', '强'], &['炜', '墙']),
                2 => replace(&['张', '陈', '刘'], &['章', '晨', '留']),
                3 => name.chars().take(2).collect(),
                4 => name.chars().take(2).chain(['*']).collect(),
                _ => name.chars().take(2).chain(['军']).collect(),
            };
            (name, other)
        })
}

proptest! {
    #[test]
    fn an_exact_name_never_scores_below_a_variant(
        (name, variant) in variants(), own in 1u64..10_000, others in 1u64..10_000,
        knows in any::<(bool, bool)>(), base in mention(),
    ) {
        let weights = Weights::builtin();
        let with = |name: &str, share: u64, known: bool| Mention {
            name: crate::name::PreparedName::new(name),
            name_share: known.then(|| NameShare::of(share, 10_000)),
            ..base.clone()
        };
        let exact = weights.score(&with(&name, own, knows.0), &with(&name, own, knows.0));
        let other = weights.score(&with(&name, own, knows.0), &with(&variant, others, knows.1));
        prop_assert!(exact.weight >= other.weight, "{name} {variant} {exact:?} {other:?}");
    }

    #[test]
    fn it_does_not_matter_which_mention_comes_first(a in mention(), b in mention(), share in 1u64..100) {
        let weights = Weights::builtin();
        let a = Mention { name_share: Some(NameShare::of(share, 100)), ..a };
        prop_assert_eq!(weights.score(&a, &b), weights.score(&b, &a));
    }

    #[test]
    fn the_parts_of_an_explanation_add_up(a in mention(), b in mention()) {
        let weights = Weights::builtin();
        let score = weights.score(&a, &b);
        let explanation = weights.explain(&score, &a, &b);
        let sum: MatchWeight = explanation.contributions.iter().map(|part| part.weight).sum();
        prop_assert_eq!(sum + explanation.prior, score.weight);
        prop_assert_eq!(explanation.total, score.weight);
    }
}
