//! What every request can reach.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{Aggregate, Position, Timestamp, Version};
use eventlog::{Clock, CommandContext, ExecuteError, Executed, Executor, IdGen, Log};
use projections::Views;
use sagas::{PaymentGateway, Sagas};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::Accounts,
    auth::Keys,
    jobs::Jobs,
    problem::Problem,
    settings::Settings,
    web::{Admission, Meters},
};

/// The parts of the platform, shared by all requests.
pub struct Services {
    /// How the program is set up.
    pub settings: Settings,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Mints ids.
    pub ids: IdGen,
    /// Signs and checks tokens.
    pub keys: Keys,
    /// Carries out commands.
    pub executor: Executor,
    /// Answers queries; none where there is nothing to do with views.
    pub(crate) views: Option<Views>,
    /// The payment provider, behind its guard.
    pub(crate) gateway: Arc<dyn PaymentGateway>,
    /// The process managers.
    pub sagas: Sagas,
    /// Personal data and idempotency keys.
    pub accounts: Accounts,
    /// Long work that operators started.
    pub jobs: Jobs,
    /// Cancelled when the program stops.
    pub stopping: CancellationToken,
    /// What is taken on at once.
    pub(crate) admission: Admission,
    /// What is counted of requests.
    pub(crate) meters: Meters,
    /// What `/metrics` asked for last.
    pub(crate) asked: crate::routes::Asked,
    /// Requests under way, which outlive a client that hangs up.
    pub tasks: TaskTracker,
    /// Why the log did not take the last command, if it did not.
    pub(crate) log_trouble: Mutex<Option<String>>,
}

/// A handle on the services: the state of every route.
pub type App = Arc<Services>;

impl Services {
    /// The views.
    ///
    /// # Panics
    /// In a process that neither folds views nor answers from them: it has no route that could ask.
    #[must_use]
    pub fn views(&self) -> &Views {
        self.views.as_ref().expect("views are open where the interface or a view runs")
    }

    /// The event log.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.executor.log()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The position that everything answered so far is at or below.
    #[must_use]
    pub fn head(&self) -> Position {
        *self.log().subscribe_head().borrow()
    }

    /// Carries out a command, remembering whether the log took it.
    ///
    /// # Errors
    /// The refusal, or why it could not be carried out.
    pub async fn execute<A: Aggregate>(
        &self,
        id: &A::Id,
        expected: Option<Version>,
        command: <A as Aggregate>::Command,
        context: CommandContext,
    ) -> Result<Executed, ExecuteError<<A as Aggregate>::Error>> {
        let result = self.executor.execute_if::<A>(id, expected, command, context).await;
        match &result {
            Err(ExecuteError::Log(error)) => self.note_log_trouble(Some(error.to_string())),
            Ok(_) => self.note_log_trouble(None),
            Err(_) => {}
        }
        result
    }

    /// Reads an aggregate as it is now.
    ///
    /// # Errors
    /// It cannot be loaded.
    pub async fn inspect<A: Aggregate, R: Send>(
        &self,
        id: &A::Id,
        read: impl FnOnce(Version, &A) -> R + Send,
    ) -> Result<R, Problem> {
        Ok(self.executor.inspect::<A, R>(id, read).await?)
    }

    pub(crate) fn note_log_trouble(&self, trouble: Option<String>) {
        *self.log_trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub(crate) fn log_trouble(&self) -> Option<String> {
        self.log_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
