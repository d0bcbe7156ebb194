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

/// Whoever runs the database can mend it while we wait; what they need to know is not for clients.
fn cannot_be_used(cause: &dyn std::fmt::Display, code: Code) -> Problem {
    tracing::error!(%cause, "a store cannot be used");
    Problem::new(code, "a store cannot be used at the moment; try again").retry_after(5)
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::new(Code::LogUnavailable, error.to_string()),
            LogError::Full(_) => Self::new(Code::StorageFull, error.to_string()).retry_after(5),
            LogError::Unusable(_) => cannot_be_used(&error, Code::LogUnavailable),
            other => Self::internal(&other),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Busy(_) | StoreError::Fenced => {
                Self::new(Code::Unavailable, format!("{error}; try again"))
            }
            StoreError::TooManyConnections(_)
            | StoreError::Refused(_)
            | StoreError::NoSchema { .. }
            | StoreError::OlderSchema { .. } => cannot_be_used(&error, Code::Unavailable),
            StoreError::Full(_) => Self::new(Code::StorageFull, error.to_string()).retry_after(5),
            StoreError::Closed => Self::new(Code::ShuttingDown, "the program is stopping; try again"),
            StoreError::NewerSchema { .. }
            | StoreError::Corrupt(_)
            | StoreError::Constraint(_)
            | StoreError::Sql(_)
            | StoreError::Panicked(_) => Self::internal(&error),
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::UnknownView { .. } => Self::new(Code::ProjectionNotFound, error.to_string()),
            ViewError::Store(error) => error.into(),
            ViewError::Log(error) => error.into(),
            ViewError::ShuttingDown => Self::new(Code::ShuttingDown, "the program is stopping; try again"),
            ViewError::BeingBuilt { .. } => Self::new(Code::RebuildRunning, error.to_string()),
            // Another process, of the newer release, answers.
            ViewError::Retired { .. } => cannot_be_used(&error, Code::Unavailable),
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
            SagaError::Elsewhere { .. } | SagaError::NotAnswered { .. } => {
                Self::new(Code::Unavailable, error.to_string())
            }
            SagaError::Store(error) => error.into(),
            SagaError::Log(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn is_unavailable(problem: &Problem) -> bool {
        let retry = problem.headers().iter().any(|(name, _)| name == header::RETRY_AFTER);
        problem.code().status().as_u16() == 503 && retry
    }

    #[test]
    fn a_database_that_may_come_back_is_503_with_retry_after_and_says_no_secrets() {
        let text = || "password of shop".to_owned();
        let (schema, part) = ("orderstream".to_owned(), "accounts");
        let passing = [
            StoreError::Unavailable("gone".to_owned()),
            StoreError::Busy("deadlock".to_owned()),
            StoreError::TooManyConnections(text()),
            StoreError::Refused(text()),
            StoreError::NoSchema { schema: schema.clone() },
            StoreError::OlderSchema { schema, part, found: 0, needed: 1 },
            StoreError::Full("disk".to_owned()),
            StoreError::Closed,
        ];
        for error in passing {
            for problem in [
                error.clone().into(),
                ViewError::Store(error.clone()).into(),
                SagaError::Store(error.clone()).into(),
            ] {
                assert!(is_unavailable(&problem), "{error}");
                assert!(!problem.to_json().to_string().contains("password"), "{error}");
            }
        }
        let log: [LogError; 2] =
            [LogError::Unavailable("gone".to_owned()), LogError::Unusable("password of shop".to_owned())];
        for error in log {
            let problem = Problem::from(error.clone());
            assert!(is_unavailable(&problem), "{error}");
            assert!(!problem.to_json().to_string().contains("password"), "{error}");
        }
    }

    #[test]
    fn what_only_we_can_mend_is_500() {
        for error in [StoreError::Corrupt("x".to_owned()), StoreError::NewerSchema { found: 2, known: 1 }] {
            assert_eq!(Problem::from(error).code(), Code::InternalError);
        }
    }
}
