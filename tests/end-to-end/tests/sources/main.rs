//! The agent's readers against real systems: PostgreSQL, MariaDB, and everything the synthetic city writes.

mod city;
mod kept;
mod mariadb;
mod postgres;
