mod delete;
mod guessing;
mod password;
mod post;
