//! Checkpoints: how far a consumer has come, with enough beside the number to notice that the log went back.

use domain::Position;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Log, LogError};

/// How far a consumer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Of which log.
    pub log_id: Uuid,
    /// The last event that was handled; 0 before the first.
    pub position: Position,
    /// The id of the event at `position`.
    pub event_id: Option<Uuid>,
}

impl Log {
    /// Whether this log still holds what the checkpoint's owner has handled.
    ///
    /// # Errors
    /// [`LogError::WentBack`] for another log, a shorter one, or another event at the position: after a restore or a
    /// failover the consumer must stop and say so rather than skip events. Else when the store does not answer.
    pub async fn verify_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), LogError> {
        let head = self.head().await?;
        let went_back = |reason| Err(LogError::WentBack { checkpoint: checkpoint.position, head, reason });
        if checkpoint.log_id != self.log_id() {
            return went_back(format!(
                "it belongs to log {}, this is log {}",
                checkpoint.log_id,
                self.log_id()
            ));
        }
        if checkpoint.position == 0 {
            return Ok(());
        }
        if head < checkpoint.position {
            return went_back(format!("the log ends at {head}"));
        }
        let Some(expected) = checkpoint.event_id else { return Ok(()) };
        let found = self.store().read_all(checkpoint.position - 1, 1).await?;
        match found.first() {
            Some(event) if event.position == checkpoint.position && event.event_id == expected => Ok(()),
            Some(event) => went_back(format!("event {} stands there instead of {expected}", event.event_id)),
            None => went_back("there is no event".to_owned()),
        }
    }
}
