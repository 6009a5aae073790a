//! The `[[source]]` part of an agent's configuration for an office's system.
use std::path::Path;

use super::layout::Child;
use super::mapping::quoted;
use super::workbook::CASE_SHEET;
use crate::office::Vendor;

/// A database's part; `url` is as the agent takes it.
pub(super) fn sql(vendor: Vendor, url: &str) -> String {
    let (query, watermark, key) = match vendor {
        Vendor::Flat => ("SELECT * FROM GZ_AJ", "GXSJ", "AJBH"),
        _ => ("SELECT * FROM notary_case", "updated_at", "case_id"),
    };
    let mut text = format!(
        "[[source]]\nname = \"cases\"\nkind = \"sql\"\nurl = {}\nmapping = \"mapping.toml\"\nquery = {}\n\
         watermark = {}\nkey = {}\npoll = \"2s\"\npage_rows = 1000\n",
        quoted(url),
        quoted(query),
        quoted(watermark),
        quoted(key),
    );
    if vendor.is_linked() {
        for child in Child::ALL {
            let [parent_key, order] = child.key_columns(vendor);
            text += &format!(
                "\n[source.children.{}]\nquery = \"SELECT * FROM {}\"\nparent_key = {}\norder_by = {}\n",
                child.name(),
                child.table(vendor),
                quoted(parent_key),
                quoted(order),
            );
        }
    }
    text
}

/// URL of an SQLite file.
pub(super) fn sqlite_url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// A folder's part.
pub(super) fn folder(vendor: Vendor, folder: &Path) -> String {
    let mut text = format!(
        "[[source]]\nname = \"export\"\nkind = \"folder\"\npath = {}\n",
        quoted(&folder.display().to_string()),
    );
    match vendor {
        Vendor::Workbook => {
            text += &format!("pattern = \"*.xlsx\"\nsheet = {}\n", quoted(CASE_SHEET))
        }
        _ => text += "pattern = \"*.csv\"\nencoding = \"auto\"\n",
    }
    text += "rescan = \"5s\"\nmapping = \"mapping.toml\"\n";
    if vendor.is_linked() {
        for child in Child::ALL {
            let [parent_key, _] = child.key_columns(vendor);
            text += &format!(
                "\n[source.children.{}]\nsheet = {}\nparent_key = {}\n",
                child.name(),
                quoted(child.table(vendor)),
                quoted(parent_key),
            );
        }
    }
    text
}
