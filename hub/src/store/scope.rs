//! On whose behalf something is read, as the database itself is told. Behind the application's own checks stands
//! row-level security (`migrations/0043_row_security.sql`): a transaction of a [`Scope`] takes a role that owns
//! nothing and sees the rows of that person or agent alone, so that a check forgotten elsewhere shows nobody else's.
//!
//! What an agent or a notary says of the own office is written as that, too: how far its feed is, its next certificate, a
//! filing, an intent, a standing question. The rest of what is written follows from what was read so, and the hub writes it as itself.
//!
//! Role and settings go with the BEGIN, in one round trip, and end with the transaction. A notary's look-up that opens no
//! will, as nearly every one, has nothing more to tell: it searches over connections that never were anything else.

use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

use data_encoding::HEXLOWER;
use linkage::office::OfficeId;
use linkage::token::Token;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, PgTransaction, Postgres, query};
use uuid::Uuid;

use super::{pool, tx};
use crate::identity::{Role, RoleKind};

/// What a person or an agent may read, whatever is asked for. It follows from the verified session or certificate and
/// from nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    reader: Reader,
    office_id: Option<OfficeId>,
    /// Whose account it is, where it is a person's.
    account_id: Option<Uuid>,
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reader {
    Person(RoleKind),
    /// An office's agent: its own office's rows alone.
    Agent,
}

impl Reader {
    /// As the policies name it.
    const fn code(self) -> &'static str {
        match self {
            Self::Person(role) => role.code(),
            Self::Agent => "agent",
        }
    }
}

impl Scope {
    pub const fn of(role: Role) -> Self {
        Self {
            reader: Reader::Person(role.kind()),
            office_id: role.office_id(),
            account_id: None,
        }
    }

    /// The same for what is of one account alone.
    pub const fn of_account(role: Role, account_id: Uuid) -> Self {
        Self {
            account_id: Some(account_id),
            ..Self::of(role)
        }
    }

    pub const fn of_agent(office_id: OfficeId) -> Self {
        Self {
            reader: Reader::Agent,
            office_id: Some(office_id),
            account_id: None,
        }
    }

    /// Whether it is the office's, whose cases are no other's to the reader.
    pub fn is_of(&self, office_id: OfficeId) -> bool {
        self.office_id == Some(office_id)
    }

    /// A transaction that reads as that, and sees one moment of the database. It is over when it is dropped.
    pub async fn read(self, pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
        tx::begin_with(
            pool,
            AssertSqlSafe(format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}",
                self.taken()
            )),
        )
        .await
    }

    /// A transaction that reads and writes as that: what policies for writing let an office say of itself.
    pub async fn write(self, pool: &PgPool) -> Result<PgTransaction<'static>, sqlx::Error> {
        let begin = format!("BEGIN; {}", self.taken());
        tx::begin_with(pool, AssertSqlSafe(begin)).await
    }

    /// For the search of a look-up: every office's cases, and of wills those of `opened` alone. To whoever is no notary
    /// there is none.
    pub async fn look_up(
        self,
        Searches(pool): &Searches,
        opened: &[Token],
    ) -> Result<Search, sqlx::Error> {
        match self.reader == LOOKER && opened.is_empty() {
            true => Ok(Search::Sealed(pool.acquire().await?)),
            false => Ok(Search::Told(self.begin_look_up(pool, opened).await?)),
        }
    }

    async fn begin_look_up(
        self,
        pool: &PgPool,
        opened: &[Token],
    ) -> Result<PgTransaction<'static>, sqlx::Error> {
        let begin = format!("BEGIN READ ONLY; {}", self.look_up_taken(opened));
        tx::begin_with(pool, AssertSqlSafe(begin)).await
    }

    /// Lets a transaction that reads more search as [`Self::look_up`], until [`widen`].
    pub async fn narrow_to_look_up(
        self,
        connection: &mut PgConnection,
        opened: &[Token],
    ) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(self.look_up_taken(opened)))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Lets a transaction that is to write go on as that, until [`widen`].
    pub async fn narrow(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(self.taken()))
            .execute(connection)
            .await?;
        Ok(())
    }

    /// All are of types whose texts need no escaping.
    fn taken(self) -> String {
        let office = self.office_id.as_ref().map_or("", OfficeId::as_str);
        let mut taken = format!(
            "SET LOCAL ROLE notary_hub_people; SET LOCAL notary_hub.role = '{}'; SET LOCAL notary_hub.office = '{office}'",
            self.reader.code(),
        );
        if let Some(account_id) = self.account_id {
            // Writing to a string does not fail.
            let _ = write!(taken, "; SET LOCAL notary_hub.account = '{account_id}'");
        }
        taken
    }

    /// The reader's code and the tokens need no escaping either.
    fn look_up_taken(self, opened: &[Token]) -> String {
        let mut taken = format!(
            "SET LOCAL ROLE {LOOK_UP}; SET LOCAL notary_hub.role = '{}'",
            self.reader.code(),
        );
        if !opened.is_empty() {
            let tokens: Vec<String> = opened
                .iter()
                .map(|token| HEXLOWER.encode(token.as_bytes()))
                .collect();
            // Writing to a string does not fail.
            let _ = write!(
                taken,
                "; SET LOCAL notary_hub.opened = '{}'",
                tokens.join(",")
            );
        }
        taken
    }
}

/// The role of the search of a look-up.
const LOOK_UP: &str = "notary_hub_look_up";
/// Who searches so.
const LOOKER: Reader = Reader::Person(RoleKind::Notary);

/// Connections of the searches of look-ups: they are a notary's search from their beginning, so that one that opens no will
/// costs its statements and nothing around them.
#[derive(Clone, Debug)]
pub struct Searches(PgPool);

/// What a look-up searches over.
#[derive(Debug)]
pub enum Search {
    /// A notary's, and of wills none.
    Sealed(PoolConnection<Postgres>),
    /// Whose it is, and of wills which, is told to the transaction.
    Told(PgTransaction<'static>),
}

impl Searches {
    pub fn open(url: &str, connections: u32) -> Result<Self, sqlx::Error> {
        let session = [("role", LOOK_UP), ("notary_hub.role", LOOKER.code())];
        Ok(Self(pool::searches(url, connections, session)?))
    }

    pub fn pool(&self) -> &PgPool {
        &self.0
    }
}

impl Deref for Search {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Sealed(connection) => connection,
            Self::Told(transaction) => transaction,
        }
    }
}

impl DerefMut for Search {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Sealed(connection) => connection,
            Self::Told(transaction) => transaction,
        }
    }
}

/// Lets a transaction go on as the hub itself.
pub async fn widen(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    query!("SET LOCAL ROLE NONE").execute(connection).await?;
    Ok(())
}

/// Whether the hub's own role may take the roles of the scopes. A database that was restored to another server lacks
/// them, and an error now is better than one at every request.
pub async fn check(pool: &PgPool) -> Result<(), sqlx::Error> {
    let nobody = Scope::of(Role::Operator);
    nobody.begin_look_up(pool, &[]).await?.rollback().await?;
    nobody.read(pool).await?.rollback().await
}
