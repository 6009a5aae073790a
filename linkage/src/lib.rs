//! What the city's notary offices mean by "the same": the same number, the same person, the same thing,
//! the same matter. Pure: no input or output, no clock, no global state.
//!
//! Every module turns raw text into a type that cannot be wrong, once, at the edge:
//!
//! | module | holds | standard or law |
//! |---|---|---|
//! | [`vocabulary`] | closed code lists: case states and their order, roles, reasons, why a record is refused | 公证法, 公证程序规则 |
//! | [`identifier`] | numbers of identity documents | GB 11643, GB 32100, travel and residence permits |
//! | [`subject`] | numbers of what a matter is about | GB/T 37346 |
//! | [`phone`], [`case_no`], [`place`], [`office`] | the smaller numbers and codes | E.164, GB/T 2260 |
//! | [`token`] | keyed tokens that stand for numbers outside an office | RFC 2104, GB/T 32905 |
//! | [`name`] | names, normalised for matching and masked for showing, and how two names differ | 通用规范汉字表 |
//! | [`block`], [`compare`], [`weights`], [`score`], [`train`] | whether two mentions are one person | Fellegi and Sunter 1969 |
//! | [`node`] | the mentions of one number as one, for a hub that holds millions | – |
//! | [`cluster`] | persons out of scored pairs and people's decisions | – |
//! | [`quality`] | what is wrong with a case that is taken all the same | 公证法 26 |
//! | [`shape`] | the shape of a value that may not be shown | – |
//! | [`long_number`] | whether a text holds what could be somebody's number | – |
//! | [`matter`] | the catalogue of matters and what makes two cases the same matter | 公证法 11, 12; 公证程序规则 16 |
//!
//! From a number to the key under which another office would hold the same matter:
//!
//! ```
//! use linkage::{
//!     identifier::{IdentifierKind, ParsedIdentifier},
//!     matter::{MatterFacts, RuleSet},
//!     token::{TokenAlgorithm, TokenKey},
//!     vocabulary::PartyRole,
//! };
//!
//! // At the office, which alone sees the number:
//! let parsed = ParsedIdentifier::parse(IdentifierKind::ResidentId, " 11010519491231002x ")?;
//! let decedent = parsed.verified().expect("an example of GB 11643 keeps GB 11643");
//! assert_eq!(decedent.masked_tail(), "002X");
//! let key = TokenKey::new(1, TokenAlgorithm::HmacSha256, [7; 32]);
//! let token = key.identifier(decedent);
//!
//! // At the hub, which sees the token:
//! let rules = RuleSet::parse(
//!     r#"
//!     version = "1"
//!     [[rule]]
//!     id = "INHERITANCE_SAME_DECEDENT"
//!     severity = "duplicate"
//!     matters = ["inheritance"]
//!     party = ["decedent"]
//!     window_days = 3653
//!     notice_zh = "另一公证处已有同一被继承人的继承公证。"
//!     "#,
//! )?;
//! let keys = rules.keys(&MatterFacts {
//!     matter_type: "inheritance".parse()?,
//!     parties: &[(PartyRole::Decedent, Some(token))],
//!     subjects: &[],
//!     place_of_use: None,
//! });
//! assert_eq!(keys.len(), 1, "the estate");
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod block;
pub mod bulk;
pub mod case_no;
pub mod cluster;
pub mod compare;
pub mod identifier;
pub mod long_number;
pub mod matter;
pub mod name;
pub mod node;
pub mod office;
pub mod phone;
pub mod place;
pub mod quality;
pub mod score;
pub mod shape;
pub mod subject;
mod text;
pub mod token;
pub mod train;
pub mod vocabulary;
pub mod weights;
mod work;
