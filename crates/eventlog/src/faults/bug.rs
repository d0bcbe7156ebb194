//! Bugs that a test plants, to see that the harness finds such a thing: `ORDERSTREAM_BUG=NAME`.

#[cfg(feature = "faults")]
use std::sync::LazyLock;

/// A bug that can be planted. Each is a mistake that this program could really make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// An append is answered before its batch is written.
    AcknowledgeBeforeCommit,
    /// Now and then a position is left out.
    PositionGap,
    /// A refund that is sent again goes under a new key.
    DoubleRefund,
    /// A view's checkpoint is committed ahead of its rows.
    CheckpointAhead,
    /// The log's file is opened with `synchronous=NORMAL`.
    SynchronousNormal,
}

#[cfg(feature = "faults")]
impl Bug {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::AcknowledgeBeforeCommit,
        Self::PositionGap,
        Self::DoubleRefund,
        Self::CheckpointAhead,
        Self::SynchronousNormal,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcknowledgeBeforeCommit => "acknowledge_before_commit",
            Self::PositionGap => "position_gap",
            Self::DoubleRefund => "double_refund",
            Self::CheckpointAhead => "checkpoint_ahead",
            Self::SynchronousNormal => "synchronous_normal",
        }
    }
}

#[cfg(feature = "faults")]
static PLANTED: LazyLock<Option<Bug>> = LazyLock::new(|| {
    let told = std::env::var(super::BUG_VARIABLE).ok().filter(|told| !told.is_empty())?;
    let found = Bug::ALL.into_iter().find(|bug| bug.name() == told);
    let names = Bug::ALL.map(Bug::name);
    Some(found.unwrap_or_else(|| panic!("ORDERSTREAM_BUG names {told:?}, and the bugs are {names:?}")))
});

/// Reads what is asked for.
#[cfg(feature = "faults")]
pub(super) fn read() {
    LazyLock::force(&PLANTED);
}

/// Whether this bug is planted.
#[cfg(feature = "faults")]
#[must_use]
pub fn planted(bug: Bug) -> bool {
    *PLANTED == Some(bug)
}

/// None is, in what is shipped.
#[cfg(not(feature = "faults"))]
#[inline(always)]
#[must_use]
pub const fn planted(_bug: Bug) -> bool {
    false
}
