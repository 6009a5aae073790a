pub mod agent;
pub mod authority;
pub mod hub;

pub use agent::Agent;
pub use hub::Hub;
