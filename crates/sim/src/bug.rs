//! Mistakes planted on purpose: what finds none of them would find no mistake of ours either.

use clap::ValueEnum;

/// A mistake in what stands around the aggregates and the process managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Bug {
    /// The log answers that a commit is written, and it is not.
    LostAppend,
    /// The log leaves a position out.
    PositionGap,
    /// The log takes a commit whatever version it was decided on.
    VersionNotChecked,
    /// A command that comes again is not recognised by its id.
    CommandIdNotDeduplicated,
    /// A refund whose answer did not arrive is sent again under another key.
    RefundUnderNewKey,
    /// A charge whose answer did not arrive is not looked up, and sent again under another key.
    LostAnswerNotLookedUp,
    /// A process manager stores how far it has read before it stores what it makes of it.
    CheckpointAheadOfReaction,
    /// A view stores how far it has read before it stores its rows.
    CheckpointAheadOfRows,
    /// What a holder writes counts, whoever holds the slot now.
    FencingNotChecked,
}

impl Bug {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}
