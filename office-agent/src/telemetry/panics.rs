//! A defect's own words may quote the value it stumbled over (`byte index 3 is not a char boundary of "张三…"`), and
//! standard error ends in a log. Only the place is told.

use std::io::Write;
use std::panic::set_hook;

/// Tells of panics by their place alone, for the whole process.
pub fn keep_values_out() {
    set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(
            place,
            "a defect of office-agent; report the place. What it did is tried again, by an agent started anew if need be"
        );
        if !tracing::event_enabled!(tracing::Level::ERROR) {
            // Nothing is left to be done when even that cannot be written.
            let _ = writeln!(std::io::stderr(), "office-agent: a defect at {place}");
        }
    }));
}
