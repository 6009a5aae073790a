//! The names of a collection, each prepared once.

use std::collections::HashMap;

use super::PreparedName;

/// Prepared names by how they are written. Preparing a name costs as much as some fifty comparisons, and a city has
/// many more mentions than names.
#[derive(Debug, Default)]
pub struct NameDirectory(HashMap<Box<str>, PreparedName>);

impl NameDirectory {
    /// The name as [`PreparedName::new`] prepares it.
    pub fn prepare(&mut self, name: &str) -> PreparedName {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let prepared = PreparedName::new(name);
        self.0.insert(name.into(), prepared.clone());
        prepared
    }
}
