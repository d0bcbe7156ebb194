//! Why a product refuses.

use super::MAX_STOCK;
use crate::{Class, Classified, Currency};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProductError {
    /// There is no such product.
    #[error("there is no such product")]
    NotFound,
    /// It is listed already, under other terms.
    #[error("the product is listed already")]
    AlreadyListed,
    /// It is off sale.
    #[error("the product is withdrawn and cannot be changed any more")]
    Withdrawn,
    /// The name cannot be shown.
    #[error("a product's name has 1 to 120 characters and no control characters")]
    Name,
    /// Another currency.
    #[error("the price is in {given}, but the product is sold in {sold}: list a new product instead")]
    OtherCurrency {
        /// The new price's currency.
        given: Currency,
        /// The product's currency.
        sold: Currency,
    },
    /// Made to order, so there is no stock to change.
    #[error("the product is made to order and keeps no stock")]
    NoStock,
    /// Nothing, or more than fits.
    #[error("the quantity {quantity} would leave the range of 1 to {MAX_STOCK} pieces")]
    Quantity {
        /// What was asked.
        quantity: u64,
    },
}

impl Classified for ProductError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::AlreadyListed | Self::Withdrawn | Self::NoStock => Class::Rejected,
            Self::Name | Self::OtherCurrency { .. } | Self::Quantity { .. } => Class::Invalid,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "product_not_found",
            Self::AlreadyListed => "already_listed",
            Self::Withdrawn => "product_withdrawn",
            Self::Name => "invalid_name",
            Self::OtherCurrency { .. } => "currency_mismatch",
            Self::NoStock => "stock_not_kept",
            Self::Quantity { .. } => "invalid_quantity",
        }
    }
}
