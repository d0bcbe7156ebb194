//! What kind of request it is, as far as method and route tell: nothing else is looked at before it is let in.

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
};

use crate::settings::Admission;

/// Whose places a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Changes something.
    Commands,
    /// Reads.
    Reads,
    /// Goes on for as long as its client listens.
    Streams,
    /// An operator's, or of those who watch over the process.
    Operators,
}

impl Class {
    pub(crate) const ALL: [Self; 4] = [Self::Commands, Self::Reads, Self::Streams, Self::Operators];

    pub(super) fn of(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let watched = ["/livez", "/readyz", "/metrics"].contains(&route);
        match Kind::of(request.method()) {
            _ if watched || route.starts_with("/v1/admin") => Self::Operators,
            Kind::Reads if route.ends_with("/stream") => Self::Streams,
            Kind::Reads => Self::Reads,
            Kind::Commands => Self::Commands,
        }
    }

    /// Its name in problems, logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::Reads => "reads",
            Self::Streams => "streams",
            Self::Operators => "operators",
        }
    }

    pub(super) fn places(self, bounds: &Admission) -> usize {
        match self {
            Self::Commands => bounds.commands,
            Self::Reads => bounds.reads,
            Self::Streams => bounds.streams,
            Self::Operators => bounds.operators,
        }
    }
}

/// Whether a request changes something: what its principal's rate goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Commands,
    Reads,
}

impl Kind {
    pub(super) fn of(method: &Method) -> Self {
        if method.is_safe() { Self::Reads } else { Self::Commands }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Commands => Class::Commands.name(),
            Self::Reads => Class::Reads.name(),
        }
    }
}
