//! `office-agent check-config`.

use super::{Failure, Output};
use crate::config::{Config, Source};
use crate::mapping::Mapping;
use crate::source::folder::FolderReader;
use crate::source::sql::can_be_meant;

/// The configuration was read, so its keys and values are right; what is left is what they point at, and what would stop
/// `run`.
pub(super) fn check_config(config: &Config, output: &Output) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for source in &config.sources {
        let name = source.name();
        if let Err(error) = Mapping::load(source.mapping()) {
            missing.push(format!("source `{name}`: {error}"));
        }
        if let Source::Folder(folder) = source
            && let Err(error) = FolderReader::new(folder.clone())
        {
            missing.push(format!("source `{name}`: {error}"));
        }
        match source {
            Source::Folder(folder) if !folder.path.is_dir() => missing.push(format!(
                "source `{name}`: there is no folder {}",
                folder.path.display()
            )),
            Source::Sql(sql) => {
                if let Err(error) = can_be_meant(sql) {
                    missing.push(format!("source `{name}`: url: {error}"));
                }
            }
            _ => {}
        }
    }
    if !missing.is_empty() {
        return Err(Failure::Usage(missing.join("\n")));
    }
    if config.sources.is_empty() {
        return Err(Failure::Usage(
            "no [[source]] is configured: nothing would be sent".to_owned(),
        ));
    }
    let text = toml::to_string(config)?;
    output.print(config, || text)?;
    Ok(())
}
