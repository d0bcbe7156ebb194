//! The registry: which builds of a view there are, which one is live, and how far each has come.

use std::time::Duration;

use eventlog::Checkpoint;

use crate::spec::Spec;

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuildState {
    /// Not finished; worthless once nobody builds it any more.
    Building,
    /// Read by queries.
    Live,
    /// Was live; kept for queries that began before the switch.
    Retired,
}

impl BuildState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }

    pub(super) fn of_name(name: &str) -> Self {
        match name {
            "live" => Self::Live,
            "retired" => Self::Retired,
            _ => Self::Building,
        }
    }
}

/// A build in the registry.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) view: String,
    pub(crate) version: u32,
    pub(crate) build: u32,
    pub(crate) state: BuildState,
    /// For how long it has been retired.
    pub(crate) retired_for: Option<Duration>,
    /// How far it is; none for one that was never live.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Registered {
    pub(crate) fn is_of(&self, spec: &Spec) -> bool {
        self.view == spec.name && self.version == spec.version
    }

    /// Whether the time has come to drop it.
    pub(crate) fn is_overdue(&self, keep: Duration) -> bool {
        self.state == BuildState::Retired && self.retired_for.is_some_and(|since| since >= keep)
    }
}
