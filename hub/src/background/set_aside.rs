//! Work that was set aside: whoever runs the hub sees it, and puts it back once what was in its way is gone.

use linkage::office::OfficeId;
use serde::Serialize;
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Cause;
use crate::audit::{Action, Audit, AuditError, Entry, Outcome};
use crate::codes::codes;
use crate::identity::Person;
use crate::store::{job::set_aside as store, scope, tx};

/// Who was at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WorkKind)]
pub enum Kind {
    /// The rules of supervision.
    Supervision,
    /// The linkage of persons.
    Linking,
}

codes!(Kind {
    Supervision = "supervision" "监督规则",
    Linking = "linking" "人员归并",
});

/// Work that failed again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetAside {
    pub work_id: Uuid,
    pub kind: Kind,
    /// None: persons of no office in particular.
    pub office_id: Option<OfficeId>,
    /// None: what the office filed, or persons alone.
    pub source_case_id: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// None: a version before this one set it aside.
    pub cause: Option<Cause>,
}

/// Why work was not put back.
#[derive(Debug, thiserror::Error)]
pub enum PutBackError {
    #[error("no work with this id is set aside")]
    NotFound,
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Puts work back on behalf of a person: it is tried anew, as if it came just now.
pub async fn put_back(
    pool: &PgPool,
    audit: &Audit,
    person: &Person,
    work_id: Uuid,
) -> Result<(), PutBackError> {
    let mut transaction = tx::begin(pool).await?;
    person.scope().narrow(&mut transaction).await?;
    let seen = store::is_there(&mut transaction, work_id).await?;
    scope::widen(&mut transaction).await?;
    let outcome = match seen {
        true => Outcome::Done,
        false if store::is_there(&mut transaction, work_id).await? => Outcome::Denied,
        false => Outcome::NoHit,
    };
    let entry = Entry::by(
        person,
        Action::PutWorkBack,
        outcome,
        json!({ "work": [work_id] }),
    );
    if seen {
        store::put_back(&mut transaction, store::Which::These(&[work_id])).await?;
    }
    audit.append(entry).await?;
    transaction.commit().await?;
    match seen {
        true => Ok(()),
        false => Err(PutBackError::NotFound),
    }
}
