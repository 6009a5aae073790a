//! Factors that a provider says were shown: `amr` of an ID token, in the words of RFC 8176. One method is one factor,
//! whichever it is: a PIN or a fingerprint alone is no more than a password alone.

/// What a method rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    Knowledge,
    Possession,
    Inherence,
}

/// `None`: a method that is no factor by itself (`geo`, `user`, `mca`), or none of the RFC.
fn factor(method: &str) -> Option<Factor> {
    match method {
        "kba" | "pin" | "pwd" => Some(Factor::Knowledge),
        "hwk" | "otp" | "sc" | "sms" | "swk" | "tel" => Some(Factor::Possession),
        "face" | "fpt" | "iris" | "retina" | "vbm" => Some(Factor::Inherence),
        _ => None,
    }
}

/// Whether these methods are factors of different kinds, or the provider says so itself (`mfa`).
pub(super) fn are_several(methods: &[String]) -> bool {
    let mut factors = methods.iter().filter_map(|method| factor(method));
    let first = factors.next();
    methods.iter().any(|method| method == "mfa") || factors.any(|other| Some(other) != first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn several(methods: &[&str]) -> bool {
        let methods: Vec<String> = methods.iter().map(|&method| method.to_owned()).collect();
        are_several(&methods)
    }

    #[test]
    fn one_method_is_one_factor_whichever_it_is() {
        for method in [
            "pwd", "pin", "fpt", "otp", "sc", "hwk", "swk", "geo", "", "MFA",
        ] {
            assert!(!several(&[method]), "{method}");
        }
        assert!(!several(&[]));
    }

    #[test]
    fn two_of_one_kind_are_one_factor_and_what_is_no_factor_adds_nothing() {
        for methods in [
            ["pwd", "pin"],
            ["otp", "sms"],
            ["fpt", "face"],
            ["pwd", "geo"],
        ] {
            assert!(!several(&methods), "{methods:?}");
        }
    }

    #[test]
    fn two_of_different_kinds_or_mfa_are_several() {
        for methods in [
            ["pwd", "otp"],
            ["sc", "pin"],
            ["hwk", "fpt"],
            ["geo", "mfa"],
        ] {
            assert!(several(&methods), "{methods:?}");
        }
    }
}
