mod delete;
mod guessing;
mod post;
