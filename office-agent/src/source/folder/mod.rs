//! Folders of exports: watched, read file by file, never changed.

mod bad;
mod csv;
mod cursor;
mod encoding;
mod examine;
mod file;
mod reader;
mod rows;
mod scan;
mod stability;
mod watch;
mod xlsx;

pub use bad::BadFile;
pub use file::FileRows;
pub use reader::FolderReader;
pub(in crate::source) use reader::Order;
