//! What can be asked of a reservation.

use serde::{Deserialize, Serialize};

use crate::{
    Actor, ContactId, CustomerId, Money, ReservationId, ResortId, Stay, TimeZone, Timestamp,
    resort::{NightsRefusal, ResortPolicy},
};

/// A command to a reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationCommand {
    /// A customer wants nights.
    RequestReservation {
        /// The new reservation's id.
        reservation_id: ReservationId,
        /// At which resort.
        resort_id: ResortId,
        /// The resort's name just now.
        resort_name: String,
        /// Who looks after the resort.
        manager_id: CustomerId,
        /// Who wants to stay.
        customer_id: CustomerId,
        /// Which nights.
        stay: Stay,
        /// Price of one night, taken from the resort just now.
        nightly_price: Money,
        /// The total that the customer saw, if they said so.
        expected_total: Option<Money>,
        /// Where the resort's days begin.
        time_zone: TimeZone,
        /// The resort's policy just now.
        policy: ResortPolicy,
        /// Where the guest stands.
        contact_id: ContactId,
        /// Now; the payment's deadline follows from it.
        at: Timestamp,
    },
    /// The nights are held.
    ConfirmReservation,
    /// The nights are not to be had.
    RefuseReservation {
        /// Why.
        reason: NightsRefusal,
    },
    /// The money is there.
    RecordPaid,
    /// Somebody wants it undone.
    RequestCancellation {
        /// Who.
        by: Actor,
        /// Where the reason in their words stands.
        reason_id: Option<ContactId>,
        /// Now.
        at: Timestamp,
    },
    /// Everything is undone.
    FinishCancellation,
    /// It was not paid in time.
    ExpireReservation,
    /// The stay may be over.
    CompleteReservation {
        /// Now.
        at: Timestamp,
    },
}
