//! A row of `daily_figures`.

use chrono::NaiveDate;
use domain::{Money, Position, ResortId, ShopId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{RowKey, views::MoneySchema};

/// What a shop or a resort did on a day.
///
/// What is counted is what happened on that day, whenever the order or the reservation was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FiguresRow {
    /// Which shop; nothing for a resort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub shop_id: Option<ShopId>,
    /// Which resort; nothing for a shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub resort_id: Option<ResortId>,
    /// Which day, from midnight to midnight UTC. (Nothing in a row that lists do not show.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = NaiveDate)]
    pub day: Option<NaiveDate>,
    /// Orders, of a shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<OrderFigures>,
    /// Reservations, of a resort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservations: Option<ReservationFigures>,
    /// Coupons, of a shop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupons: Option<CouponFigures>,
    /// Money that was taken, one amount for each currency; what was given back is not taken off.
    #[serde(default)]
    #[schema(value_type = Vec<MoneySchema>)]
    pub revenue: Vec<Money>,
    /// Money that was given back, one amount for each currency.
    #[serde(default)]
    #[schema(value_type = Vec<MoneySchema>)]
    pub refunded: Vec<Money>,
    /// How often money was given back.
    pub refunds: u64,
    /// The last event that touched the row.
    pub position: Position,
}

/// What became of orders on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderFigures {
    /// Placed.
    pub placed: u64,
    /// Paid and taken.
    pub confirmed: u64,
    /// Turned down.
    pub rejected: u64,
    /// Undone.
    pub cancelled: u64,
    /// Done.
    pub completed: u64,
}

/// What became of reservations on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationFigures {
    /// Asked for.
    pub requested: u64,
    /// Nights held.
    pub confirmed: u64,
    /// Nights not to be had.
    pub refused: u64,
    /// Paid.
    pub paid: u64,
    /// Not paid in time.
    pub expired: u64,
    /// Undone.
    pub cancelled: u64,
    /// Over.
    pub completed: u64,
}

/// What became of coupons on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponFigures {
    /// Given to customers.
    pub issued: u64,
    /// Used by orders.
    pub redeemed: u64,
    /// Given back by orders that are off.
    pub released: u64,
    /// Taken back.
    pub revoked: u64,
}

/// Whose day an event counts for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    Shop(ShopId),
    Resort(ResortId),
}

impl FiguresRow {
    /// The row that remembers whose order or reservation it is.
    pub(super) fn owner_row(owner: Owner) -> Self {
        let (shop_id, resort_id) = match owner {
            Owner::Shop(shop) => (Some(shop), None),
            Owner::Resort(resort) => (None, Some(resort)),
        };
        Self {
            shop_id,
            resort_id,
            day: None,
            orders: None,
            reservations: None,
            coupons: None,
            revenue: Vec::new(),
            refunded: Vec::new(),
            refunds: 0,
            position: 0,
        }
    }

    /// A day on which nothing happened yet.
    pub(super) fn empty(owner: Owner, day: NaiveDate) -> Self {
        let of_shop = matches!(owner, Owner::Shop(_));
        Self {
            day: Some(day),
            orders: of_shop.then(OrderFigures::default),
            coupons: of_shop.then(CouponFigures::default),
            reservations: (!of_shop).then(ReservationFigures::default),
            ..Self::owner_row(owner)
        }
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> Option<Owner> {
        self.shop_id.clone().map(Owner::Shop).or(self.resort_id.map(Owner::Resort))
    }
}

impl Owner {
    /// The key of a day.
    pub(super) fn key(&self, day: NaiveDate) -> RowKey {
        let text = match self {
            Self::Shop(shop) => format!("shop/{shop}/{day}"),
            Self::Resort(resort) => format!("resort/{resort}/{day}"),
        };
        RowKey::Text(text.into())
    }
}
