//! Sets of numbers that are added up together: declared once, with their arithmetic and the names of their columns.

/// Declares a set: the struct, its arithmetic, and the columns that hold it.
macro_rules! counts {
    ($(#[$of:meta])* $counts:ident { $($(#[$meta:meta])* $name:ident),+ $(,)? }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
        pub struct $counts {
            $($(#[$meta])* pub $name: i64,)+
        }

        impl $counts {
            /// The names of the columns, in the order of [`Self::values`].
            pub const COLUMNS: &[&str] = &[$(stringify!($name)),+];

            /// The values of the columns.
            pub fn values(&self) -> [i64; Self::COLUMNS.len()] {
                [$(self.$name),+]
            }

            /// Reads the columns back.
            pub fn from_values(values: [i64; Self::COLUMNS.len()]) -> Self {
                let [$($name),+] = values;
                Self { $($name),+ }
            }
        }

        impl std::ops::AddAssign for $counts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }

        impl std::ops::SubAssign for $counts {
            fn sub_assign(&mut self, other: Self) {
                $(self.$name -= other.$name;)+
            }
        }
    };
}
pub(crate) use counts;
