//! What a payment or a message is about: an order or a reservation.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{OrderId, ReservationId};

/// An order or a reservation. Flattened into an event or an answer it is one field, `order_id` or `reservation_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// An order.
    #[serde(rename = "order_id")]
    Order(OrderId),
    /// A reservation.
    #[serde(rename = "reservation_id")]
    Reservation(ReservationId),
}

impl Subject {
    /// The UUID: the correlation id of everything that belongs to it.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Order(id) => id.uuid(),
            Self::Reservation(id) => id.uuid(),
        }
    }

    /// The order, if it is one.
    #[must_use]
    pub fn order_id(self) -> Option<OrderId> {
        match self {
            Self::Order(id) => Some(id),
            Self::Reservation(_) => None,
        }
    }

    /// The reservation, if it is one.
    #[must_use]
    pub fn reservation_id(self) -> Option<ReservationId> {
        match self {
            Self::Order(_) => None,
            Self::Reservation(id) => Some(id),
        }
    }
}

impl From<OrderId> for Subject {
    fn from(id: OrderId) -> Self {
        Self::Order(id)
    }
}
impl From<ReservationId> for Subject {
    fn from(id: ReservationId) -> Self {
        Self::Reservation(id)
    }
}
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(id) => write!(f, "order {id}"),
            Self::Reservation(id) => write!(f, "reservation {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{order_id, reservation_id};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct About {
        what: String,
        #[serde(flatten)]
        subject: Subject,
    }

    fn about(subject: impl Into<Subject>) -> About {
        About { what: "payment".to_owned(), subject: subject.into() }
    }

    #[test]
    fn flattened_it_is_one_field_that_says_what_it_is() {
        let order = json!({ "what": "payment", "order_id": order_id(1) });
        let reservation = json!({ "what": "payment", "reservation_id": reservation_id(1) });
        for (about, stored) in [(about(order_id(1)), order), (about(reservation_id(1)), reservation)] {
            assert_eq!(serde_json::to_value(&about).unwrap(), stored);
            assert_eq!(serde_json::from_value::<About>(stored).unwrap(), about);
        }
        let alone = json!({ "order_id": order_id(1) });
        assert_eq!(serde_json::to_value(Subject::Order(order_id(1))).unwrap(), alone);
    }

    #[test]
    fn without_a_subject_nothing_is_read() {
        for wrong in [json!({ "what": "payment" }), json!({ "what": "payment", "shop_id": "phone" })] {
            assert!(serde_json::from_value::<About>(wrong.clone()).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn it_is_either_an_order_or_a_reservation() {
        let (order, reservation) = (Subject::from(order_id(1)), Subject::from(reservation_id(1)));
        assert_eq!((order.order_id(), order.reservation_id()), (Some(order_id(1)), None));
        assert_eq!((reservation.order_id(), reservation.reservation_id()), (None, Some(reservation_id(1))));
        assert_eq!(order.uuid(), order_id(1).uuid());
        assert_eq!(reservation.uuid(), reservation_id(1).uuid());
        assert_eq!(reservation.to_string(), format!("reservation {}", reservation_id(1)));
    }
}
