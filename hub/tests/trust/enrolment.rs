//! What the audit log says of offices' certificates.

use std::net::{IpAddr, Ipv4Addr};

use notary_hub::embedded::testing::fresh_database;
use notary_hub::identity::OfficeIdentity;
use notary_hub::identity::enrolment::EnrolError;
use notary_hub::identity::pki::authority::ProvenKey;
use notary_hub::store;
use serde_json::json;

use crate::approval::{identity, token};
use crate::support::{self, add_office, csr};

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn who_is_enrolled_or_renews_late_is_in_the_audit_log_with_key_and_address() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let (enrolment, _) = support::enrolment(&db, "");
    let token = token(&db.pool).await;
    let none = enrolment.enrol("no token", &csr().1, ADDRESS).await;
    none.unwrap_err();
    let csr = csr().1;
    let enrolled = enrolment.enrol(&token, &csr, ADDRESS).await.unwrap();
    let first = identity(&enrolled.chain[0]);
    enrolment.renew(first, &csr, false).await.unwrap();
    let late = enrolment.renew(first, &csr, true).await.unwrap();
    let late = identity(&late[0]);

    let key = data_encoding::HEXLOWER.encode(&ProvenKey::from_csr(&csr).unwrap().hash());
    let of = |office: OfficeIdentity| json!({ "office": "hzgl", "serial": office.serial.to_string(), "key": key });
    let mut of_first = of(first);
    of_first["address"] = json!("127.0.0.1");
    let log = store::audit::after(&db.pool, 0, 10).await.unwrap();
    let log: Vec<_> = log
        .iter()
        .map(|entry| (entry.actor.as_str(), entry.action.as_str(), &entry.detail))
        .collect();
    assert_eq!(
        log,
        [
            ("office:hzgl", "enrolment.enrol", &of_first),
            ("office:hzgl", "certificate.renew_late", &of(late)),
        ]
    );
}

#[tokio::test]
async fn no_certificate_is_handed_out_that_cannot_be_recorded() {
    let db = fresh_database().await;
    add_office(&db.pool, "hzgl").await;
    let (enrolment, _) = support::enrolment(&db, "");
    let token = token(&db.pool).await;
    let csr = csr().1;
    let sql = async |text: &'static str| sqlx::raw_sql(text).execute(&db.pool).await.unwrap();
    let in_the_way = "CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql
                          AS $$ BEGIN RAISE EXCEPTION 'in the way'; END $$;
                      CREATE TRIGGER in_the_way BEFORE INSERT ON audit_entry
                          FOR EACH ROW EXECUTE FUNCTION in_the_way()";
    sql(in_the_way).await;
    let unrecorded = enrolment.enrol(&token, &csr, ADDRESS).await;
    assert!(matches!(unrecorded, Err(EnrolError::Audit(_))));
    sql("DROP TRIGGER in_the_way ON audit_entry").await;
    let again = enrolment.enrol(&token, &csr, ADDRESS).await.unwrap();

    sql("CREATE TRIGGER in_the_way BEFORE INSERT ON audit_entry
             FOR EACH ROW EXECUTE FUNCTION in_the_way()")
    .await;
    let office = identity(&again.chain[0]);
    let unrecorded = enrolment.renew(office, &csr, true).await;
    assert!(matches!(unrecorded, Err(EnrolError::Audit(_))));
}
