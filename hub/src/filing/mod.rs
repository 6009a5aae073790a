//! Filings of an office that are not cases (杭司〔2012〕122号): reports of major cases, requests for instruction,
//! refusals, complaints and reviews with their outcomes, who answered for a wrong certificate, satisfaction and
//! follow-up, counts of services, special paper, recusal, and the self-assessment of the window. They come through the
//! agent or from a form of the console, and count from the moment they are recorded.
//!
//! | module | holds |
//! |---|---|
//! | [`assessment`] | self-assessments of windows as people look at them |
//! | [`body`] | what each kind says beside its text, and in which form |
//! | [`correct`] | correcting what was counted for a time |
//! | [`deadline`] | when a filing is in time |
//! | [`form`] | what a form asks for |
//! | [`missing`] | periodic filings that never came |
//! | [`score`] | scoring self-assessments again |
//! | [`window`] | the items of a window and what answers to them come to |
//! | `check` | what types alone cannot say of a body |
//! | `content` | a filing as it is handed in, checked |
//! | `error` | why one is not taken |
//! | `kind`, `list` | what is filed, and its code lists |
//! | `submit` | handing one in |

pub mod assessment;
pub mod body;
mod check;
mod content;
pub mod correct;
pub mod day;
pub mod deadline;
mod error;
pub mod form;
mod kind;
mod list;
pub mod missing;
pub mod score;
mod submit;
pub mod window;

pub use content::{Filing, KEY_CHARS, Raw, TEXT_CHARS};
pub(crate) use error::id_taken;
pub use error::{CorrectError, FilingError, SubmitError};
pub use kind::{AboutCase, FilingKind};
pub use submit::{Known, Receipt, submit};
