//! What has to be done now and then: drop builds whose time is over, look up views that run elsewhere.

use std::{sync::Arc, time::Duration};

use super::Shared;
use crate::{ViewError, store::BuildState};

/// How often, when every view runs here.
const SELDOM: Duration = Duration::from_secs(1);
/// How often, when readers wait for views that run elsewhere.
const OFTEN: Duration = Duration::from_millis(100);

pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let here = shared.slots.iter().all(|slot| slot.runs_here());
        let pause = if here { SELDOM.min(shared.options.keep_retired) } else { OFTEN };
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep(pause.max(Duration::from_millis(10))) => {}
        }
        if let Err(error) = round(&shared).await {
            tracing::warn!(%error, "upkeep of the views failed; it is tried again");
        }
    }
}

async fn round(shared: &Shared) -> Result<(), ViewError> {
    let registered = shared.store.registered().await?;
    for slot in shared.slots.iter().filter(|slot| !slot.runs_here()) {
        slot.look_up(&registered);
    }
    for old in registered {
        if old.state == BuildState::Retired && old.is_overdue(shared.options.keep_retired) {
            shared.store.drop_build(&old.view, old.version, old.build).await?;
            tracing::info!(view = old.view, version = old.version, build = old.build, "old build dropped");
        }
    }
    Ok(())
}
