//! What may be shown of two mentions that are compared: masks, and an explanation that says no more than they do.

use linkage::compare::{Field, Mention};
use linkage::name::mask_as;
use linkage::score::Explanation;
use linkage::vocabulary::PartyKind;
use linkage::weights::Weights;

/// Why linkage holds two mentions to be possibly one person. Which characters of the names differ is said only where
/// the masked names show them: 张→章 stands in both, 伟→玮 would undo the mask.
pub fn explain(weights: &Weights, a: &Mention, b: &Mention) -> Explanation {
    let score = weights.score(a, b);
    let mut explanation = weights.explain(&score, a, b);
    let shown = format!("{}→{}", shown(a), shown(b));
    for contribution in &mut explanation.contributions {
        if contribution.field == Field::Name {
            contribution.detail.take_if(|detail| *detail != shown);
        }
    }
    explanation
}

/// The characters of a name that its mask shows.
fn shown(mention: &Mention) -> String {
    let name: String = mention.name.written().collect();
    let mask = mask(mention.kind, &name);
    mask.chars().take_while(|&c| c != '*').collect()
}

/// A name as it is shown.
pub fn mask(kind: PartyKind, name: &str) -> String {
    mask_as(kind, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(one: &str, other: &str) -> String {
        let (one, other) = (Mention::named(one), Mention::named(other));
        explain(&Weights::builtin(), &one, &other).to_chinese()
    }

    #[test]
    fn what_the_masks_show_is_explained() {
        assert!(explained("张国强", "章国强").starts_with("姓名 张→章 "));
    }

    #[test]
    fn what_the_masks_hide_is_not() {
        for (one, other) in [("张伟", "张玮"), ("王小明", "王晓明"), ("张国强", "张强")]
        {
            let said = explained(one, other);
            assert!(said.starts_with("姓名 "), "{said}");
            for hidden in one
                .chars()
                .chain(other.chars())
                .skip(1)
                .filter(|c| !"张王".contains(*c))
            {
                assert!(!said.contains(hidden), "{said}");
            }
        }
    }
}
