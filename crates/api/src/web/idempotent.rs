//! Running a command exactly once, whoever hangs up or repeats.
//!
//! 1. The key is looked up: an answer that is kept is given again, a request under way is 409, another request is 422.
//! 2. `prepare` checks what can be checked without a trace.
//! 3. The key's row and the contact row are put on disk in one commit.
//! 4. The work runs in a task of its own; its answer is kept with the key, unless another try may end otherwise.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};

use domain::{ContactId, CustomerId};
use serde_json::json;
use uuid::Uuid;

use super::{Answer, CommandMeta, Place};
use crate::{
    accounts::{Begin, Begun, ContactKind, KeyState, KeyedRequest, NewContact, RequestIds},
    app::App,
    problem::{Code, Problem},
};

/// Beyond the longest wait of a request: how long its key is taken for running after a crash of its task.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// The ids that a command works under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The ids.
    pub ids: RequestIds,
    /// Whether an earlier run may have done some of the work: then what it did is not held against it.
    pub again: bool,
}

/// What is known before a command is checked.
pub enum Opening {
    /// It runs under this ticket.
    Run(Ticket),
    /// It is answered.
    Answered(Response),
}

/// A command that was checked: what is still to be done.
pub struct Prepared {
    ids: RequestIds,
    contact: Option<NewContact>,
    work: Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>,
}

impl Ticket {
    /// Somebody's reason in their words, to be kept apart from the thing `of` that it is about. Events carry its id.
    #[must_use]
    pub fn reason(self, of: Uuid, owner: &CustomerId, words: Option<String>) -> Option<NewContact> {
        words.map(|reason| NewContact {
            contact_id: ContactId::derived(of, "reason", &self.ids.command_id.to_string()),
            owner: owner.clone(),
            kind: ContactKind::Reason,
            data: json!({"reason": reason}),
        })
    }

    /// The work, to be done under this ticket.
    pub fn then(self, work: impl Future<Output = Result<Answer, Problem>> + Send + 'static) -> Prepared {
        Prepared { ids: self.ids, contact: None, work: Box::pin(work) }
    }
}

impl Prepared {
    /// A contact row that must be on disk before the work begins.
    #[must_use]
    pub fn with_contact(mut self, contact: Option<NewContact>) -> Self {
        self.contact = contact;
        self
    }
}

impl CommandMeta {
    /// Runs a command once: see the module's page.
    ///
    /// # Errors
    /// What `prepare` or the work says, or the accounts store.
    pub async fn once<P, F>(self, app: &App, prepare: P) -> Result<Response, Problem>
    where
        P: FnOnce(Ticket, Self) -> F,
        F: Future<Output = Result<Prepared, Problem>>,
    {
        let ticket = match self.open(app).await? {
            Opening::Run(ticket) => ticket,
            Opening::Answered(response) => return Ok(response),
        };
        let (keyed, place) = (self.keyed.clone(), self.place.clone());
        let Prepared { ids, contact, work } = prepare(ticket, self).await?;
        let lease = app.settings.order_wait().max(app.settings.cancel_wait()) + LEASE_MARGIN;
        let begin = Begin { keyed: keyed.clone(), ids, again: ticket.again, lease, contact };
        if let Begun::Not(state) = app.accounts.begin(begin).await? {
            // Somebody else began while we checked; whatever they do, it is done once.
            return answered(state).unwrap_or_else(|| Err(in_progress()));
        }
        let running = app.tasks.spawn(run_to_the_end(app.clone(), keyed, work, place));
        match running.await {
            Ok(result) => Ok(result.map_or_else(IntoResponse::into_response, IntoResponse::into_response)),
            Err(error) => Err(Problem::internal(&error)),
        }
    }

    async fn open(&self, app: &App) -> Result<Opening, Problem> {
        let ids = RequestIds { command_id: app.ids.next_anywhere(), minted: app.ids.next_anywhere() };
        let Some(request) = &self.keyed else { return Ok(Opening::Run(Ticket { ids, again: false })) };
        match app.accounts.look_up(request).await? {
            KeyState::New => Ok(Opening::Run(Ticket { ids, again: false })),
            KeyState::Again(ids) => Ok(Opening::Run(Ticket { ids, again: true })),
            other => answered(other).unwrap_or_else(|| Err(in_progress())).map(Opening::Answered),
        }
    }
}

/// What a key answers by itself; nothing when the request may run.
fn answered(state: KeyState) -> Option<Result<Response, Problem>> {
    match state {
        KeyState::Answered(answer) => Some(Ok(answer.replayed())),
        KeyState::Running => Some(Err(in_progress())),
        KeyState::OtherRequest => Some(Err(Problem::new(
            Code::IdempotencyKeyReused,
            "this idempotency key was used for another request (method, path or body): use a new key",
        ))),
        KeyState::New | KeyState::Again(_) => None,
    }
}

fn in_progress() -> Problem {
    Problem::new(
        Code::RequestInProgress,
        "a request with this idempotency key is under way: ask again in a moment",
    )
}

/// The task that outlives its caller, and holds the place that it was given.
async fn run_to_the_end(
    app: App,
    keyed: Option<KeyedRequest>,
    work: Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>,
    _place: Option<Arc<Place>>,
) -> Result<Answer, Problem> {
    let result = match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::internal(&error)),
    };
    let Some(request) = keyed else { return result };
    let last_word = match &result {
        Ok(answer) => answer.is_decided().then(|| answer.to_stored()),
        Err(problem) => (!may_end_otherwise(problem)).then(|| problem.to_stored()),
    };
    match last_word {
        Some(answer) => app.accounts.finish(request, answer),
        None => {
            if let Err(error) = app.accounts.release(&request).await {
                tracing::warn!(%error, "an idempotency key was not released: it is taken until its lease ends");
            }
        }
    }
    result
}

/// Whether the same request may end otherwise: such an answer is never kept.
fn may_end_otherwise(problem: &Problem) -> bool {
    let status = problem.code().status();
    status.is_server_error() || status.as_u16() == 429 || problem.code() == Code::Contended
}
