//! Long work that operators start over HTTP and ask about later: rebuilding and checking views, comparing payments.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::Timestamp;
use projections::Progress;
use sagas::ReconcileProgress;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// So many jobs are remembered.
const REMEMBERED: usize = 64;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Folds views anew.
    Rebuild,
    /// Folds views beside the live ones and compares.
    Verify,
    /// Compares the log with the payment provider's books.
    Reconcile,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Under way.
    Running,
    /// Done; `reports` says what came of it.
    Done,
    /// Ended early; `error` says why.
    Failed,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Job {
    /// Which job.
    pub job_id: Uuid,
    /// What it does.
    pub kind: JobKind,
    /// With what: a view's name, `all`, or `payments`.
    pub name: String,
    /// How far it is.
    pub state: JobState,
    /// How far the folding is.
    pub progress: Option<Progress>,
    /// How far a reconciliation is: events read, the log's head, entries of the books read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub reconciled: Option<ReconcileProgress>,
    /// What came of it: a report per view, or one of the reconciliation.
    #[schema(value_type = Vec<Object>)]
    pub reports: Vec<Value>,
    /// Why it ended early.
    pub error: Option<String>,
    /// When it began.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub started_at: Timestamp,
}

/// The jobs of this process. They are forgotten when it ends.
#[derive(Clone, Default)]
pub struct Jobs {
    jobs: Arc<Mutex<VecDeque<Job>>>,
}

impl Jobs {
    fn locked(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a new job, unless one of the same kind and name is under way: then that one, as an error.
    ///
    /// # Errors
    /// The job that runs.
    pub fn begin(&self, job_id: Uuid, kind: JobKind, name: &str, now: Timestamp) -> Result<Job, Box<Job>> {
        let mut jobs = self.locked();
        let same = |job: &&Job| job.state == JobState::Running && job.kind == kind && job.name == name;
        if let Some(running) = jobs.iter().find(same) {
            return Err(Box::new(running.clone()));
        }
        let job = Job {
            job_id,
            kind,
            name: name.to_owned(),
            state: JobState::Running,
            progress: None,
            reconciled: None,
            reports: Vec::new(),
            error: None,
            started_at: now,
        };
        jobs.push_front(job.clone());
        jobs.truncate(REMEMBERED);
        Ok(job)
    }

    /// The job, if it is remembered.
    #[must_use]
    pub fn get(&self, job_id: Uuid) -> Option<Job> {
        self.locked().iter().find(|job| job.job_id == job_id).cloned()
    }

    /// Notes how far the job is.
    pub fn progress(&self, job_id: Uuid, progress: Progress) {
        self.change(job_id, |job| job.progress = Some(progress));
    }

    /// Notes how far a reconciliation is.
    pub fn reconciled(&self, job_id: Uuid, progress: ReconcileProgress) {
        self.change(job_id, |job| job.reconciled = Some(progress));
    }

    /// Notes how the job ended.
    pub fn end(&self, job_id: Uuid, result: Result<Vec<Value>, String>) {
        self.change(job_id, |job| match result {
            Ok(reports) => (job.state, job.reports) = (JobState::Done, reports),
            Err(error) => (job.state, job.error) = (JobState::Failed, Some(error)),
        });
    }

    fn change(&self, job_id: Uuid, change: impl FnOnce(&mut Job)) {
        if let Some(job) = self.locked().iter_mut().find(|job| job.job_id == job_id) {
            change(job);
        }
    }
}
