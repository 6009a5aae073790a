//! What happens to the network.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use sandbox::proxy::{Proxy, Weather};

use super::{Fault, pause};

impl Fault {
    fn weather(self) -> Option<Weather> {
        match self {
            Self::LossyNetwork => Some(Weather::Lossy),
            Self::LateNetwork => Some(Weather::Late),
            Self::TrickleNetwork => Some(Weather::Trickle),
            _ => None,
        }
    }

    pub(super) async fn befall(self, proxy: &Proxy, dice: &mut ChaCha8Rng) {
        if let Some(weather) = self.weather() {
            proxy.turn(weather);
            pause(dice, 1_000..4_000).await;
            return proxy.turn(Weather::Fair);
        }
        match self {
            Self::ResetNetwork => {
                // In the middle of a message, as its bytes are counted.
                proxy.hold_requests_after(dice.random_range(0..20_000));
                pause(dice, 0..500).await;
                proxy.reset();
            }
            Self::DropAnswers => {
                // The next kilobytes of requests arrive; what the hub answers does not.
                proxy.hold_answers_after(dice.random_range(0..20_000));
                pause(dice, 100..1_500).await;
                proxy.cut();
            }
            Self::OneWayNetwork => {
                match dice.random_range(0..2) {
                    0 => proxy.hold_requests_after(0),
                    _ => proxy.hold_answers_after(0),
                }
                pause(dice, 100..2_000).await;
            }
            Self::DarkNetwork => {
                proxy.close();
                pause(dice, 100..2_000).await;
            }
            _ => proxy.cut(),
        }
        proxy.open();
    }
}
