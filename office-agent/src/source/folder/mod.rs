//! Folders of exports: watched, read file by file, never changed.

mod bad;
mod csv;
mod cursor;
mod encoding;
mod reader;
mod rows;
mod scan;
mod stability;
mod watch;
mod xlsx;

pub use bad::BadFile;
pub use reader::FolderReader;
