//! Process managers: they carry the work across aggregates and undo it when it must be undone.
//!
//! Each process is a folder with a table that can be read in one glance (`mod`: state, `react`) and its tests. `react` is
//! pure: it says what is to be done next, and the [runner](crate::runner) does it, exactly once for everything on our own
//! log, however often the program is killed in between.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod availability;
pub mod booking;
pub mod cancellation;
pub mod channels;
pub mod checkout;
pub mod fulfilment;
mod listing;
pub mod loyalty;
pub mod notifications;
mod operate;
pub mod payments;
pub mod ports;
pub mod process;
pub mod reconcile;
pub mod returns;
mod runner;
mod sagas;
pub mod store;
#[cfg(test)]
mod testing;
pub mod vouchers;

pub use channels::LogChannel;
pub use listing::{InstanceCursor, InstanceCursorError, InstanceFilter, InstancePage};
pub use ports::{
    Availability, CarriedVoucher, Channel, ChannelError, ChargeOutcome, GatewayError, GatewayFigures,
    Message, PaymentGateway, PortError, RefundAnswer, Tokens, Try, VoidOutcome,
};
pub use process::{Action, Awaiting, EffectCall, Input, Process, Reaction, Step};
pub use reconcile::{ReconcileError, ReconcileOptions, ReconcileProgress, ReconcileReport, mend, reconcile};
#[doc(hidden)]
pub use runner::completed;
pub use sagas::{Effects, ProcessStatus, SagaError, SagaOptions, Sagas, process_names};
pub use store::{InstanceDetails, InstanceState, InstanceSummary, WORK, WorkStore};
