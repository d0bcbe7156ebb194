//! A voucher: what the guest of a paid reservation shows at the resort.
//!
//! ```text
//! (absent) --issue--> Issued --record_sent--> Sent
//!     |                 |                       |      request_send: in both, each time one sending more
//!     \------------- deactivate ----------------/
//!                       v
//!                  Deactivated
//! ```
//! Invariants: its code is drawn at random and never changes; it is issued once at most; one that was deactivated is
//! never issued, sent or good again. A deactivation may come before the issue, which then finds itself superseded.

mod code;
mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use code::VoucherCode;
pub use command::VoucherCommand;
pub use error::{MAX_SENDINGS, VoucherError};
pub use event::{VoucherDeactivated, VoucherEvent, VoucherIssued, VoucherSendRequested, VoucherSent};
pub use state::{Voucher, VoucherDetails};

aggregate!(Voucher, kind: Voucher, id: crate::VoucherId, command: VoucherCommand, event: VoucherEvent, error: VoucherError, fold_version: 1);
