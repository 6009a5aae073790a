//! Being a service: signals, and what systemd is told.

use std::io;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;

/// Histograms keep raw samples until somebody takes them in.
const UPKEEP: Duration = Duration::from_secs(5);

/// Stops on SIGTERM and SIGINT.
pub(super) fn stop_on_signals(stop: &CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}

/// Tells systemd that the agent runs, and goes on telling while the outbox answers.
pub(super) async fn tell_the_manager(outbox: Outbox, stop: CancellationToken) {
    notify(NotifyState::Ready);
    let Some(patience) = sd_notify::watchdog_enabled() else {
        stop.cancelled().await;
        notify(NotifyState::Stopping);
        return;
    };
    let mut ticks = tokio::time::interval(patience / 3);
    loop {
        tokio::select! {
            () = stop.cancelled() => break notify(NotifyState::Stopping),
            _ = ticks.tick() => {}
        }
        if outbox.backlog().await.is_ok() {
            notify(NotifyState::Watchdog);
        }
    }
}

/// Without a manager there is nobody to tell, which is no fault.
fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "the service manager was not told");
    }
}

pub(super) async fn upkeep(metrics: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => metrics.run_upkeep(),
        }
    }
}
