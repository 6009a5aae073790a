//! Commands about offices.

use std::fmt::Write;
use std::time::Duration;

use anyhow::anyhow;
use linkage::office::OfficeId;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Failure, OfficeArgs, OfficeChangeArgs, Output, change};
use crate::app::Database;
use crate::audit::Action;
use crate::config::Config;
use crate::identity::{Serial, enrolment};
use crate::local_time::{local_day, local_time};
use crate::statistics::restructure::{self, Belonging, Change};
use crate::store;
use crate::store::office::revocation::Reinstatement;
use crate::store::office::{Level, NewOffice, Office};

pub(super) async fn add(config: &Config, args: OfficeArgs, output: &Output) -> Result<(), Failure> {
    let name = named(&args.name)?;
    let office = NewOffice {
        office_id: args.office_id,
        name,
        level: args.level.into(),
        district: args.district,
    };
    let about = json!({ "office": office.office_id });
    change(config, Action::AddOffice, about, async |database| {
        if !store::office::insert(&database.general, &office).await? {
            return Err(anyhow!("there is an office {} already", office.office_id).into());
        }
        Ok(((), json!({ "office": office.office_id })))
    })
    .await?;
    output.print(&json!({ "office_id": office.office_id }), || {
        format!(
            "added {}; next: notary-hub enroll-token {}",
            office.office_id, office.office_id
        )
    })?;
    Ok(())
}

fn named(name: &str) -> Result<String, Failure> {
    let name = name.trim().to_owned();
    match (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        true => Ok(name),
        false => Err(Failure::Usage("--name: 1 to 64 characters".into())),
    }
}

pub(super) async fn alter(
    config: &Config,
    args: OfficeChangeArgs,
    output: &Output,
) -> Result<(), Failure> {
    let (office_id, on) = (args.office_id, args.on);
    let merged = args.merged_into.map(Belonging::MergedInto);
    let split = args.split_from.map(Belonging::SplitFrom);
    let independent = args.independent.then_some(Belonging::Independent);
    let wanted = Change {
        name: args.name.as_deref().map(named).transpose()?,
        level: args.level.map(Level::from),
        district: args.district,
        belonging: merged.or(split).or(independent),
    };
    let today = local_day(OffsetDateTime::now_utc());
    let about = || json!({ "office": office_id, "on": on.to_string() });
    change(config, Action::ChangeOffice, about(), async |database| {
        restructure::change(&database.general, office_id, on, &wanted, today)
            .await
            .map_err(anyhow::Error::from)?;
        Ok(((), about()))
    })
    .await?;
    output.print(
        &json!({ "office_id": office_id, "on": on.to_string() }),
        || {
            format!(
                "changed {office_id} from {on} on; figures: structure_on of GET /api/v1/statistics"
            )
        },
    )?;
    Ok(())
}

pub(super) async fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let database = Database::open_or_join(config).await?;
    let offices = store::office::list(&database.general).await?;
    database.close().await?;
    output.print(&offices, || table(&offices))?;
    Ok(())
}

fn table(offices: &[Office]) -> String {
    let mut text = format!(
        "{:<16}  {:<9}  {:<8}  {:<20}  {:<20}  name\n",
        "office", "level", "status", "certified until", "renewed late"
    );
    for office in offices {
        let shown = |time: Option<OffsetDateTime>, never: &str| {
            time.map_or_else(|| never.to_owned(), local_time)
        };
        let certified = shown(office.certified_until, "never enrolled");
        let late = match office.late_renewal_refused {
            true => "refused".into(),
            false => shown(office.renewed_late_at, "never"),
        };
        let status = if office.revoked { "revoked" } else { "active" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<16}  {:<9}  {status:<8}  {certified:<20}  {late:<20}  {}",
            office.office_id,
            office.level.code(),
            office.name
        );
    }
    text
}

pub(super) async fn revoke(
    config: &Config,
    office_id: OfficeId,
    output: &Output,
) -> Result<(), Failure> {
    let about = || json!({ "office": office_id });
    change(
        config,
        Action::RevokeOffice,
        about(),
        async |database| match store::office::revoke(&database.general, office_id).await? {
            true => Ok(((), about())),
            false => Err(no_office(office_id)),
        },
    )
    .await?;
    output.print(&json!({ "office_id": office_id, "revoked": true }), || {
        format!("revoked {office_id}; a running hub cuts its streams within 5 seconds")
    })?;
    Ok(())
}

pub(super) async fn reinstate(
    config: &Config,
    office_id: OfficeId,
    output: &Output,
) -> Result<(), Failure> {
    let about = json!({ "office": office_id });
    let revoked = change(config, Action::ReinstateOffice, about, async |database| {
        match store::office::revocation::reinstate(&database.general, office_id).await? {
            Reinstatement::Done { certificates } => {
                let detail = json!({ "office": office_id, "certificates": certificates });
                Ok((certificates, detail))
            }
            Reinstatement::NotRevoked => {
                Err(anyhow!("{office_id} is not revoked; nothing was changed").into())
            }
            Reinstatement::NoOffice => Err(no_office(office_id)),
        }
    })
    .await?;
    let value =
        json!({ "office_id": office_id, "revoked": false, "revoked_certificates": revoked });
    output.print(&value, || {
        format!(
            "reinstated {office_id}; its certificates and join tokens of before stay revoked; \
             next: notary-hub enroll-token {office_id}"
        )
    })?;
    Ok(())
}

pub(super) async fn revoke_certificates(
    config: &Config,
    office_id: OfficeId,
    since: Option<Serial>,
    output: &Output,
) -> Result<(), Failure> {
    let since_text = since.map(|serial| serial.to_string());
    let about = json!({ "office": office_id, "since": since_text });
    let revoked = change(
        config,
        Action::RevokeCertificates,
        about,
        async |database| {
            let taken =
                store::office::revocation::take_back(&database.general, office_id, since).await?;
            let revoked =
                taken.ok_or_else(|| anyhow!("{office_id} was given no such certificate"))?;
            let detail = json!({ "office": office_id, "since": since_text, "count": revoked });
            Ok((revoked, detail))
        },
    )
    .await?;
    let value = json!({ "office_id": office_id, "since": since_text, "revoked": revoked });
    output.print(&value, || {
        format!(
            "revoked {revoked} certificates of {office_id}; a running hub cuts their streams within 5 seconds; \
             next: notary-hub enroll-token {office_id}"
        )
    })?;
    Ok(())
}

fn no_office(office_id: OfficeId) -> Failure {
    anyhow!("there is no office {office_id}; see: notary-hub office list").into()
}

pub(super) async fn refuse_late_renewal(
    config: &Config,
    office_id: OfficeId,
    refuse: bool,
    output: &Output,
) -> Result<(), Failure> {
    let action = match refuse {
        true => Action::RefuseLateRenewal,
        false => Action::AllowLateRenewal,
    };
    let about = || json!({ "office": office_id });
    change(
        config,
        action,
        about(),
        async |database| match store::office::refuse_late_renewal(
            &database.general,
            office_id,
            refuse,
        )
        .await?
        {
            true => Ok(((), about())),
            false => Err(no_office(office_id)),
        },
    )
    .await?;
    let value = json!({ "office_id": office_id, "late_renewal_refused": refuse });
    output.print(&value, || match refuse {
        true => format!("{office_id} cannot renew a certificate that has ended"),
        false => format!("{office_id} can renew a certificate that has ended, within the grace"),
    })?;
    Ok(())
}

pub(super) async fn enroll_token(
    config: &Config,
    office_id: OfficeId,
    ttl: Duration,
    output: &Output,
) -> Result<(), Failure> {
    let expires_at = OffsetDateTime::now_utc() + ttl;
    let about = || json!({ "office": office_id });
    let token = change(config, Action::MakeJoinToken, about(), async |database| {
        let token = enrolment::make_join_token(&database.general, office_id, ttl).await?;
        let token = token.ok_or_else(|| {
            anyhow!("there is no office {office_id}, or it is revoked; see: notary-hub office list")
        })?;
        Ok((token, about()))
    })
    .await?
    .reveal();
    let value = json!({
        "office_id": office_id,
        "join_token": token,
        "expires_at": expires_at.format(&Rfc3339)?,
    });
    // The token alone, so that a script can take it as it is.
    output.print(&value, || token.clone())?;
    Ok(())
}
