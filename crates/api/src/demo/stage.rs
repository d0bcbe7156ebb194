//! Where a demo plays: the platform, the people with their tokens, and which scenario is being shown.

use std::{path::Path, sync::Arc, time::Duration};

use chrono::Utc;

use super::{
    DemoError,
    actor::{Actor, Platform},
};
use crate::auth::{Keys, Role, TokenRequest};

/// How long the tokens of a demo are good for.
const TOKEN_TTL: Duration = Duration::from_secs(3600);

/// A demo that is being played.
pub struct Stage {
    platform: Arc<Platform>,
    keys: Keys,
    /// Keeps the customers of two runs against one platform apart.
    run: String,
    demo: &'static str,
    scenarios: u32,
    shown: u32,
}

impl Stage {
    /// A stage at the platform that listens at `base` and keeps its signing key in the folder `data`.
    ///
    /// # Errors
    /// When there is no key or no HTTP client.
    pub fn at(base: &str, data: &Path) -> Result<Self, DemoError> {
        let keys = Keys::open_or_create(data)?;
        let random = uuid::Uuid::now_v7().simple().to_string();
        Ok(Self {
            platform: Arc::new(Platform::at(base)?),
            keys,
            run: random[random.len() - 6..].to_owned(),
            demo: "",
            scenarios: 0,
            shown: 0,
        })
    }

    /// Somebody who orders.
    ///
    /// # Errors
    /// When no token can be made.
    pub fn customer(&self, name: &str) -> Result<Actor, DemoError> {
        self.actor(name, &format!("{name}-{}", self.run), Role::Customer, None)
    }

    /// The staff of a shop.
    ///
    /// # Errors
    /// When no token can be made.
    pub fn shop(&self, name: &str, shop: &str) -> Result<Actor, DemoError> {
        self.actor(name, &format!("staff-of-{shop}"), Role::Shop, Some(shop))
    }

    /// Somebody who carries goods.
    ///
    /// # Errors
    /// When no token can be made.
    pub fn courier(&self, name: &str) -> Result<Actor, DemoError> {
        self.actor(name, &format!("{name}-{}", self.run), Role::Courier, None)
    }

    /// Somebody who looks after resorts.
    ///
    /// # Errors
    /// When no token can be made.
    pub fn manager(&self, name: &str) -> Result<Actor, DemoError> {
        self.actor(name, &format!("{name}-{}", self.run), Role::Manager, None)
    }

    /// Somebody who operates the platform.
    ///
    /// # Errors
    /// When no token can be made.
    pub fn admin(&self, name: &str) -> Result<Actor, DemoError> {
        self.actor(name, &format!("{name}-{}", self.run), Role::Admin, None)
    }

    fn actor(&self, name: &str, sub: &str, role: Role, shop: Option<&str>) -> Result<Actor, DemoError> {
        let request =
            TokenRequest { sub: sub.to_owned(), role, shop: shop.map(str::to_owned), ttl: TOKEN_TTL };
        let token = self.keys.issue(&request, Utc::now())?;
        let name = format!("{name} ({})", role.name());
        Ok(Actor { name, token, platform: self.platform.clone() })
    }

    /// A demo of so many scenarios begins.
    pub fn begin(&mut self, demo: &'static str, title: &str, scenarios: u32) {
        (self.demo, self.scenarios, self.shown) = (demo, scenarios, 0);
        self.platform.narrator.title(&format!("=== {demo}: {title} ==="));
    }

    /// The next scenario begins; the one before it is shown.
    pub fn scenario(&mut self, number: u32, text: &str) {
        self.shown += 1;
        debug_assert_eq!(number, self.shown, "scenarios are shown in order");
        self.platform.narrator.title(&format!("{} {number}. {text}", self.demo));
    }

    /// A remark between two deeds.
    pub fn remark(&self, text: &str) {
        self.platform.narrator.remark(text);
    }

    /// A table or another block of text.
    pub fn print(&self, text: &str) {
        self.platform.narrator.print(text);
    }

    /// The demo ends.
    pub fn end(&self) {
        let (demo, shown, all) = (self.demo, self.shown, self.scenarios);
        self.platform.narrator.print(&format!("\n{demo}: {shown} of {all} scenarios shown"));
    }
}
