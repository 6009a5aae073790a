mod bi;
mod get;
mod structure;
