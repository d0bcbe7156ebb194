//! The one who asks, and what they may see.

use domain::{Actor, CustomerId, ShopId};

use crate::problem::{Code, Problem};

/// What a token's bearer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Orders and pays; sees what is theirs.
    Customer,
    /// Sells and ships for one shop; sees what is the shop's.
    Shop,
    /// Ships and delivers, for any shop.
    Courier,
    /// Manages resorts.
    Manager,
    /// Operates the platform; sees everything.
    Admin,
}

impl Role {
    /// The word in tokens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Shop => "shop",
            Self::Courier => "courier",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

/// The bearer of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who: a pseudonym.
    pub sub: CustomerId,
    /// As what.
    pub role: Role,
    /// Whose shop; always there for the role `shop`.
    pub shop: Option<ShopId>,
}

impl Principal {
    /// How events name this principal.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match (self.role, &self.shop) {
            (Role::Customer, _) => Actor::Customer(self.sub.clone()),
            (Role::Shop, Some(shop)) => Actor::Shop(shop.clone()),
            (Role::Courier, _) => Actor::Courier(self.sub.clone()),
            (Role::Manager, _) => Actor::Manager(self.sub.clone()),
            (Role::Admin | Role::Shop, _) => Actor::Admin(self.sub.clone()),
        }
    }

    /// Under which name idempotency keys are kept: keys of two people never meet.
    #[must_use]
    pub fn key_space(&self) -> String {
        let shop = self.shop.as_ref().map_or("", ShopId::as_str);
        format!("{}:{}:{shop}", self.role.name(), self.sub)
    }

    /// Only these roles may go on.
    ///
    /// # Errors
    /// 403 for any other.
    pub fn must_be(&self, roles: &[Role]) -> Result<(), Problem> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let allowed: Vec<&str> = roles.iter().map(|role| role.name()).collect();
        let (role, allowed) = (self.role.name(), allowed.join(" or "));
        Err(Problem::new(
            Code::Forbidden,
            format!("a token of the role {role} cannot do this; it takes {allowed}"),
        ))
    }

    /// Whether something of this customer and this shop (none for a reservation) is theirs to see.
    #[must_use]
    pub fn may_see<'a>(&self, customer: &CustomerId, shop: impl Into<Option<&'a ShopId>>) -> bool {
        match self.role {
            Role::Admin => true,
            Role::Customer => self.sub == *customer,
            Role::Shop => shop.into().is_some_and(|shop| self.shop.as_ref() == Some(shop)),
            Role::Courier | Role::Manager => false,
        }
    }

    /// Whether something of a resort that this manager looks after is theirs to see and to work on.
    #[must_use]
    pub fn looks_after(&self, manager: &CustomerId) -> bool {
        self.role == Role::Admin || (self.role == Role::Manager && self.sub == *manager)
    }

    /// Whether something of this shop is theirs to work on.
    #[must_use]
    pub fn works_for(&self, shop: &ShopId) -> bool {
        match self.role {
            Role::Admin | Role::Courier => true,
            Role::Shop => self.shop.as_ref() == Some(shop),
            Role::Customer | Role::Manager => false,
        }
    }
}
