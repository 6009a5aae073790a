//! Asking under the city's token key. While the city goes over to another one, the hub refuses what is asked under the one
//! before; the agent that runs follows within seconds, and what was asked is asked again.

use std::path::Path;
use std::time::Duration;

use super::LookupError;
use crate::dial::TOKEN_KEY_UNKNOWN;
use crate::identity::{self, Identity};

/// How often the identity is looked at for another key.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often at most: an agent that does not run does not follow.
const LOOKS: usize = 30;

/// The identity to ask once more with, when the hub refused the key of this one and the agent has another meanwhile.
pub(super) async fn followed<T>(
    data_dir: &Path,
    identity: &Identity,
    answer: &Result<T, LookupError>,
) -> Option<Identity> {
    match answer {
        Err(LookupError::Refused(refusal)) if refusal.reason == TOKEN_KEY_UNKNOWN => {}
        _ => return None,
    }
    for _ in 0..LOOKS {
        // A file that cannot be read now is being replaced, or is none of this call's business.
        if let Ok(newer) = identity::load(data_dir)
            && newer.token_key().id() != identity.token_key().id()
        {
            return Some(newer);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    None
}
