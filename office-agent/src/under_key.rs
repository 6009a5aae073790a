//! Calling under the city's token key. While the city goes over to another one, the hub refuses what is made with the one
//! before, and what was called for is called for again under the key that the city went over to: the next one, which the
//! agent has had since the change began, or one that a running agent gets meanwhile. Nothing is made with a next key
//! before the hub has refused the present one, and one that is not in force either is refused as well.

use std::path::Path;
use std::time::Duration;

use crate::dial::{Refusal, TOKEN_KEY_UNKNOWN};
use crate::identity::{self, Identity};

/// How often the identity is looked at for another key.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often at most: an agent that does not run does not follow.
const LOOKS: usize = 30;

/// The identity to call once more with, when the hub refused the key of this one.
pub(crate) async fn followed(
    data_dir: &Path,
    identity: &Identity,
    refusal: &Refusal,
) -> Option<Identity> {
    if refusal.reason != TOKEN_KEY_UNKNOWN {
        return None;
    }
    let refused = identity.token_key().id();
    for _ in 0..LOOKS {
        // A file that cannot be read now is being replaced, or is none of this call's business.
        let stored = identity::load(data_dir).ok();
        if let Some(other) = stored.and_then(|stored| stored.under_other_key(refused)) {
            return Some(other);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    None
}
