//! Whose the ids in decisions and steps are, as whoever asks may know it.

use linkage::office::OfficeId;
use sqlx::PgPool;
use uuid::Uuid;

use crate::store;
use crate::store::account::Account;

/// What offices know the bureau's people by.
const BUREAU_ZH: &str = "市司法局";

/// What an account is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub account_id: Uuid,
    pub name: String,
}

/// Names that an office, or the bureau where there is none, is told. An office knows its own people, and that the
/// bureau's are the bureau's; nobody of another office.
pub async fn names_told_to(
    pool: &PgPool,
    office: Option<OfficeId>,
) -> Result<Vec<Named>, sqlx::Error> {
    let accounts = store::account::list(pool).await?.into_iter();
    let told = accounts.filter_map(|account| Named::told_to(office, account));
    Ok(told.collect())
}

impl Named {
    fn told_to(office: Option<OfficeId>, account: Account) -> Option<Self> {
        let name = match (office, account.office_id) {
            (None, _) => account.display_name,
            (Some(own), Some(theirs)) if own == theirs => account.display_name,
            (Some(_), None) => BUREAU_ZH.to_owned(),
            (Some(_), Some(_)) => return None,
        };
        Some(Self {
            account_id: account.account_id,
            name,
        })
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::identity::RoleKind;

    fn office(id: &str) -> OfficeId {
        id.parse().expect("an id")
    }

    fn account(of: Option<OfficeId>) -> Account {
        Account {
            account_id: Uuid::nil(),
            login: "login".into(),
            display_name: "name".into(),
            role: match of {
                Some(_) => RoleKind::Notary,
                None => RoleKind::Supervisor,
            },
            office_id: of,
            disabled: false,
            locked: false,
            second_factor: false,
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_office_knows_its_own_people_and_the_bureau_and_nobody_elses() {
        let told = |asks: Option<&str>, of: Option<&str>| {
            Named::told_to(asks.map(office), account(of.map(office))).map(|told| told.name)
        };
        assert_eq!(
            told(Some("hangzhou"), Some("hangzhou")).as_deref(),
            Some("name")
        );
        assert_eq!(told(Some("hangzhou"), None).as_deref(), Some(BUREAU_ZH));
        assert_eq!(told(Some("hangzhou"), Some("xiaoshan")), None);
        assert_eq!(told(None, Some("xiaoshan")).as_deref(), Some("name"));
        assert_eq!(told(None, None).as_deref(), Some("name"));
    }
}
