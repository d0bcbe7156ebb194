//! What the errors of the crates below mean over HTTP: one place decides.

use domain::{Class, Classified};
use eventlog::{AppendError, ExecuteError, LogError, StoreError};
use projections::ViewError;
use sagas::SagaError;

use super::{Code, Problem};

/// The code that a class has when the error's own is not documented.
fn general(class: Class) -> Code {
    match class {
        Class::Invalid => Code::InvalidRequest,
        Class::Rejected => Code::Refused,
        Class::NotFound => Code::NotFound,
        Class::Conflict => Code::Contended,
        Class::Transient => Code::Unavailable,
        Class::Bug => Code::InternalError,
    }
}

/// A refusal of an aggregate.
#[must_use]
pub fn refusal(error: &impl Classified) -> Problem {
    let class = error.class();
    if class == Class::Bug {
        return Problem::internal(error);
    }
    Problem::new(Code::from_name(error.code()).unwrap_or_else(|| general(class)), error.to_string())
}

impl<E: Classified> From<ExecuteError<E>> for Problem {
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Refused(refused) => refusal(&refused),
            ExecuteError::VersionMismatch { expected, actual } => Self::new(
                Code::VersionMismatch,
                format!("If-Match wants version {expected}, but it is at version {actual}: read it again"),
            ),
            ExecuteError::Contended { .. } => Self::new(Code::Contended, error.to_string()),
            ExecuteError::CommandIdReused { .. } => Self::internal(&error),
            ExecuteError::Log(error) => error.into(),
            ExecuteError::Load(error) => error.into(),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Unavailable(_) => Self::new(Code::LogUnavailable, error.to_string()),
            AppendError::Full(_) => Self::new(Code::StorageFull, error.to_string()).retry_after(5),
            AppendError::ShuttingDown => Self::new(Code::ShuttingDown, "the program is stopping; try again"),
            AppendError::Conflict { .. } => Self::new(Code::Contended, error.to_string()),
            AppendError::CommandIdReused { .. } => Self::internal(&error),
        }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::new(Code::LogUnavailable, error.to_string()),
            LogError::Full(_) => Self::new(Code::StorageFull, error.to_string()).retry_after(5),
            other => Self::internal(&other),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Busy(_) => {
                Self::new(Code::Unavailable, format!("the accounts store: {error}; try again"))
            }
            StoreError::Full(_) => Self::new(Code::StorageFull, error.to_string()).retry_after(5),
            StoreError::Closed => Self::new(Code::ShuttingDown, "the program is stopping; try again"),
            other => Self::internal(&other),
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::UnknownView { .. } => Self::new(Code::ProjectionNotFound, error.to_string()),
            other => Self::internal(&other),
        }
    }
}

impl From<SagaError> for Problem {
    fn from(error: SagaError) -> Self {
        match error {
            SagaError::UnknownProcess { .. } | SagaError::UnknownInstance { .. } => {
                Self::new(Code::InstanceNotFound, error.to_string())
            }
            SagaError::NotStuck { .. } => Self::new(Code::NotStuck, error.to_string()),
            other => Self::internal(&other),
        }
    }
}
