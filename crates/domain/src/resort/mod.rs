//! A resort: which nights it offers at what price, and who has which of them.
//!
//! ```text
//! (absent) --register--> Open --retire--> Retired
//!                        hold_nights: NightsHeld or NightsRefused (an event: booking must react to it)
//!                        hold_nights, release_nights: in both states; a retired resort refuses new nights, but
//!                        a reservation that was made before can still be undone
//! ```
//! Invariants: no night belongs to two reservations; a reservation holds at most one stay; a night is only held while
//! the resort is open on it and has not ended there. A stay includes its `check_in` and not its `check_out`, so one guest
//! may arrive on the day on which another leaves.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::ResortCommand;
pub use error::{MAX_CANCEL_DAYS, MAX_NAME_CHARS, ResortError};
pub use event::{
    NightsHeld, NightsRefusal, NightsRefused, NightsReleased, ResortEvent, ResortPolicy, ResortRegistered,
    ResortRetired, ResortRevised,
};
pub use state::{Resort, ResortDetails};

aggregate!(Resort, kind: Resort, id: crate::ResortId, command: ResortCommand, event: ResortEvent, error: ResortError, fold_version: 1);
