//! The people of the demo.

use sandbox::{Bureau, NewAccount};

/// Everybody's password: this city is not real, and only this machine can reach it.
pub(super) const PASSWORD: &str = "sandbox-2012-122";
pub(super) const ANALYST: &str = "fenxi";
pub(super) const OPERATOR: &str = "yunwei";
pub(super) const NOTARY: &str = "gongzheng";

/// Login, name, role.
const ACCOUNTS: [(&str, &str, &str); 5] = [
    (ANALYST, "统计科（示例）", "analyst"),
    ("jiandu", "监督科（示例）", "supervisor"),
    // What one supervisor proposes, another confirms.
    ("duban", "监督科二（示例）", "supervisor"),
    (OPERATOR, "运维（示例）", "operator"),
    (NOTARY, "公证员（示例）", "notary"),
];

/// Adds the accounts; the notary works at `office`.
pub(super) async fn add(bureau: &Bureau, office: &str) -> anyhow::Result<()> {
    for (login, display_name, role) in ACCOUNTS {
        bureau
            .add_account(NewAccount {
                login,
                display_name,
                role,
                office: (role == "notary").then_some(office),
                password: PASSWORD,
            })
            .await?;
    }
    Ok(())
}

/// Lines that say who may sign in.
pub(super) fn lines() -> String {
    ACCOUNTS
        .map(|(login, display_name, role)| format!("  {login:<10} {role:<11} {display_name}"))
        .join("\n")
}
