//! Keys and extensions that the hub never certifies, under its own CA's signature.

use rcgen::{
    CustomExtension, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
    SanType,
};

use super::{GOOD, Hub, good, uri};

#[tokio::test]
async fn keys_that_the_hub_never_certifies_stay_outside() {
    let hub = Hub::start().await;
    for (what, key) in [
        ("P-384", KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)),
        ("Ed25519", KeyPair::generate_for(&PKCS_ED25519)),
        (
            "RSA",
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        ),
    ] {
        let key = key.unwrap();
        let leaf = good().signed_by(&key, &hub.ca()).unwrap();
        let identity = (vec![leaf.der().clone()], key.serialize_der());
        assert!(!hub.accepts(Some(identity)).await, "{what}");
    }
}

#[tokio::test]
async fn critical_extensions_that_nobody_here_knows_stay_outside() {
    let hub = Hub::start().await;
    let extensions: [(&str, &[u64], &[u8]); 4] = [
        // permittedSubtrees: a URI host of nowhere.
        (
            "name constraints",
            &[2, 5, 29, 30],
            &[0x30, 0x08, 0xa0, 0x06, 0x30, 0x04, 0x86, 0x02, b'.', b'x'],
        ),
        (
            "policy constraints",
            &[2, 5, 29, 36],
            &[0x30, 0x03, 0x80, 0x01, 0x00],
        ),
        ("inhibit any policy", &[2, 5, 29, 54], &[0x02, 0x01, 0x00]),
        (
            "a private one",
            &[1, 3, 6, 1, 4, 1, 99999, 1],
            &[0x05, 0x00],
        ),
    ];
    for (what, oid, content) in extensions {
        let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
        extension.set_criticality(true);
        let accepted = hub
            .accepts_leaf(|params| params.custom_extensions = vec![extension])
            .await;
        assert!(!accepted, "{what}");
    }
    let huge = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 2], vec![0; 70_000]);
    let accepted = hub
        .accepts_leaf(|params| params.custom_extensions = vec![huge])
        .await;
    assert!(!accepted, "a certificate beyond every size");
}

#[tokio::test]
async fn names_of_other_kinds_beside_the_office_stay_outside() {
    let hub = Hub::start().await;
    let others: [(&str, SanType); 4] = [
        ("an address", SanType::IpAddress([127, 0, 0, 1].into())),
        (
            "a mailbox",
            SanType::Rfc822Name("hzgl@example.org".try_into().unwrap()),
        ),
        (
            "a DNS name",
            SanType::DnsName("localhost".try_into().unwrap()),
        ),
        (
            "another name",
            SanType::OtherName((vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3], GOOD.into())),
        ),
    ];
    for (what, other) in others {
        for names in [
            vec![uri(GOOD), other.clone()],
            vec![other.clone(), uri(GOOD)],
            vec![other.clone()],
        ] {
            let accepted = hub
                .accepts_leaf(|params| params.subject_alt_names = names)
                .await;
            assert!(!accepted, "{what}");
        }
    }
}
