//! Demos: the scenarios of the sample shops, played over HTTP and told as they happen.
//!
//! A demo starts a platform of its own in a scratch folder, or plays against one that runs elsewhere. Every answer is
//! compared with what the scenario promises; the first that differs ends the demo.

mod actor;
mod books;
mod call;
mod kitchen;
mod narrator;
mod outage;
mod phone;
mod pizza;
mod resort;
mod stage;
mod steps;

use std::path::PathBuf;

pub use actor::Actor;
pub use call::{Call, act, delete, field, get, patch, post};
pub use stage::Stage;

use scratch_postgres::{Binaries, ClusterError};

use crate::{
    StartError,
    auth::{KeyError, TokenError},
    serve::Server,
    settings::Settings,
};

/// Which scenarios to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// The phone shop.
    Phone,
    /// The resorts.
    Resort,
    /// The pizza shop with refunds and coupons.
    Pizza,
    /// The bookstore.
    Books,
    /// The pizza kitchen.
    Kitchen,
    /// Parts that fail by themselves: several processes over one PostgreSQL.
    Outage,
    /// All of them.
    All,
}

/// Where to play.
#[derive(Clone, Debug)]
pub enum Place {
    /// On a platform of its own, gone afterwards.
    Scratch {
        /// The PostgreSQL of the outage demo; one of its own, gone afterwards, without it.
        store: Option<String>,
    },
    /// On a platform that runs.
    Against {
        /// Its address, such as `http://127.0.0.1:8080`.
        url: String,
        /// The folder of its signing key.
        data: PathBuf,
    },
}

/// Why a demo ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// An answer is not what the scenario promises.
    #[error("{who} {what}: {call} was expected to answer with {expected}, but answered {status} {body}")]
    Unexpected {
        /// Who called.
        who: String,
        /// What for.
        what: String,
        /// The call.
        call: String,
        /// What was expected.
        expected: String,
        /// The status that came.
        status: u16,
        /// The body that came.
        body: String,
    },
    /// An answer lacks what the next step needs.
    #[error("the answer has no {field}: {body}")]
    Missing {
        /// Which field.
        field: String,
        /// The answer.
        body: String,
    },
    /// No answer.
    #[error("the platform does not answer: {0}")]
    Http(#[from] reqwest::Error),
    /// No key to make tokens with.
    #[error("there is no signing key in {}: name the data folder of the platform with --data", .0.display())]
    NoKey(PathBuf),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A token cannot be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The outage demo needs a PostgreSQL, and there is none.
    #[error(
        "there is no PostgreSQL for the outage demo: install it (Debian: postgresql), or name one with --store"
    )]
    NoPostgres,
    /// The outage demo starts and kills its parts by itself.
    #[error(
        "the outage demo starts and kills its own parts: it cannot be played against a platform that runs"
    )]
    OwnParts,
    /// Something is not as it should be.
    #[error("it should be so that {what}, but: {found}")]
    NotSo {
        /// What.
        what: &'static str,
        /// What is there instead.
        found: String,
    },
    /// A part of the outage demo.
    #[error(transparent)]
    Part(#[from] outage::PartError),
    /// The scratch server does not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The scratch folder cannot be made or removed.
    #[error("the scratch folder cannot be used: {0}")]
    Scratch(#[from] std::io::Error),
    /// The demo's own platform does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Plays.
///
/// # Errors
/// The first thing that is not as the scenarios promise.
pub async fn run(which: Which, place: Place) -> Result<(), DemoError> {
    match place {
        Place::Against { .. } if which == Which::Outage => Err(DemoError::OwnParts),
        Place::Against { url, data } => {
            if !data.join("signing.key").exists() {
                return Err(DemoError::NoKey(data));
            }
            play(which, &mut Stage::at(&url, &data)?).await
        }
        Place::Scratch { store } if which == Which::Outage => outage::run(store).await,
        Place::Scratch { store } => {
            let folder = tempfile::tempdir()?;
            let server = Server::start(Settings::scratch(folder.path())).await?;
            let played = match Stage::at(&server.url(), folder.path()) {
                Ok(mut stage) => play(which, &mut stage).await,
                Err(error) => Err(error),
            };
            server.stop().await;
            folder.close()?;
            played?;
            match which {
                Which::All if store.is_none() && Binaries::find().is_none() => {
                    println!("\noutage: SKIPPED, {}", DemoError::NoPostgres);
                    Ok(())
                }
                Which::All => outage::run(store).await,
                _ => Ok(()),
            }
        }
    }
}

async fn play(which: Which, stage: &mut Stage) -> Result<(), DemoError> {
    if matches!(which, Which::Phone | Which::All) {
        phone::play(stage).await?;
    }
    if matches!(which, Which::Resort | Which::All) {
        resort::play(stage).await?;
    }
    if matches!(which, Which::Pizza | Which::All) {
        pizza::play(stage).await?;
    }
    if matches!(which, Which::Books | Which::All) {
        books::play(stage).await?;
    }
    if matches!(which, Which::Kitchen | Which::All) {
        kitchen::play(stage).await?;
    }
    Ok(())
}
