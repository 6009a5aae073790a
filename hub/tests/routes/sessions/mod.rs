mod busy;
mod crowd;
mod delete;
mod guessing;
mod own;
mod password;
mod post;
mod second_factor;
