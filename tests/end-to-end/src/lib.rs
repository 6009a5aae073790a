//! Nothing: the tests are in `tests/city`, what they are made of in the crate `sandbox`.
