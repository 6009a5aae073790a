//! Reading folders of exports: what is finished is read, what differs is read again, what is bad is named.

mod changes;
mod csv;
mod export;
mod workbook;
