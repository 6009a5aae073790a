//! The office's own systems. Each source reads rows with a cursor of its own and hands both on together, so that
//! the cursor never runs ahead of what is durable.

pub mod row;
