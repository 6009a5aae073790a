//! Servers that tests need and that no other crate has. The tests are in `tests/`, what the city's are made of in the
//! crate `sandbox`.

pub mod mariadb;
