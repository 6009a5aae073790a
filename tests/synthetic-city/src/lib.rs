//! A synthetic Hangzhou: notary offices with their own systems in four vendor shapes, made from a seed, and the
//! truth about it. Nobody in it exists.
//!
//! [`City::generate`] lays the city out; [`City::cases`] writes an office's cases down one by one;
//! [`City::write`] makes the offices' systems, agents' mappings and `truth.json`; [`City::evolve`] lets time pass;
//! [`wire`] makes hub records without any vendor in between.

mod breach;
mod calendar;
mod case;
mod casting;
mod city;
mod dice;
mod figures;
mod filing;
mod flaw;
mod lifecycle;
mod matter;
mod office;
mod people;
mod plan;
mod planting;
mod scenario;
mod scribe;
mod script;
mod tariff;
mod truth;
pub mod wire;
mod write;

pub use case::{Case, Document, Excused, Party, Quality, Subject};
pub use city::City;
pub use figures::Figures;
pub use filing::Filing;
pub use flaw::Flaw;
pub use office::{Level, Notary, Office, Vendor};
pub use plan::{CityPlan, PlanError};
pub use planting::LookAlikeKind;
pub use truth::{
    BreachTruth, CaseRef, LookAlikePair, OfficeTruth, PlantedKind, PlantedPair, QualityTruth,
    RejectTruth, Truth,
};
pub use write::{Progress, Stores, WriteError};
