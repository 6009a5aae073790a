//! Enums that are stored and sent as codes, some with what people call each value.

/// A text that is none of the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such code")]
pub struct UnknownCode;

/// Gives an enum its codes both ways, and `label_zh` where each code has a label behind it.
macro_rules! codes {
    ($name:ident { $($variant:ident = $code:literal),+ $(,)? }) => {
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The form in which it is stored and sent.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::codes::UnknownCode;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                match code {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::codes::UnknownCode),
                }
            }
        }
    };
    ($name:ident { $($variant:ident = $code:literal $label:literal),+ $(,)? }) => {
        $crate::codes::codes!($name { $($variant = $code),+ });

        impl $name {
            /// What people call it.
            pub const fn label_zh(self) -> &'static str {
                match self { $(Self::$variant => $label),+ }
            }
        }
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    use super::UnknownCode;
    use crate::jobs::Kind;

    #[test]
    fn every_code_reads_back_and_no_other_text_does() {
        for kind in Kind::ALL {
            assert_eq!(kind.code().parse(), Ok(*kind));
        }
        for text in ["", "Export", "export ", "导出"] {
            assert_eq!(text.parse::<Kind>(), Err(UnknownCode));
        }
        assert_eq!(Kind::Export.label_zh(), "导出");
    }
}
