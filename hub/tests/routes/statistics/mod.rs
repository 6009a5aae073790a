mod bi;
mod facts;
mod get;
mod structure;
