//! Shops and products from a file: loaded at start when they are absent, never overwritten. A new kind of shop is a new
//! entry in `config/shops.toml`.

use domain::{
    Actor, Money, ProductId, ShopId, ShopPolicy, derive_uuid,
    product::{Product, ProductCommand},
    shop::{Shop, ShopCommand},
};
use eventlog::{CommandContext, Executor};
use futures::future::try_join_all;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The built-in sample shops, as they stand in `config/shops.toml`.
pub const SAMPLE_SHOPS: &str = include_str!("../../../config/shops.toml");

/// A file of shops.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopsFile {
    /// The shops.
    #[serde(default, rename = "shop")]
    pub shops: Vec<ShopEntry>,
}

/// One shop of the file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopEntry {
    /// Its id.
    pub id: ShopId,
    /// The name customers see.
    pub name: String,
    /// How it sells.
    pub policy: ShopPolicy,
    /// What it sells.
    #[serde(default, rename = "product")]
    pub products: Vec<ProductEntry>,
}

/// One product of a shop.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductEntry {
    /// Names the product within its shop: its id is derived from it.
    pub slug: String,
    /// The name customers see.
    pub name: String,
    /// Price of one piece.
    pub price: Money,
    /// Pieces in stock; none for a product that is made to order.
    #[serde(default)]
    pub stock: Option<u64>,
}

/// Why shops were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum ShopsError {
    /// The file cannot be read.
    #[error("the shops file {path} cannot be read: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not as it should be.
    #[error("the shops file {path} is wrong: {source}")]
    Format {
        /// The file.
        path: String,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A shop or product was refused.
    #[error("{what} of the shops file was not loaded: {reason}")]
    Refused {
        /// Which entry.
        what: String,
        /// Why.
        reason: String,
    },
}

impl ShopsFile {
    /// What the setting `shops` names: nothing (the built-in file), `none`, or a file.
    ///
    /// # Errors
    /// The file cannot be read or is wrong.
    pub fn load(setting: &str) -> Result<Self, ShopsError> {
        let (path, text) = match setting {
            "" => ("(built in)", SAMPLE_SHOPS.to_owned()),
            "none" => return Ok(Self { shops: Vec::new() }),
            path => {
                let read = std::fs::read_to_string(path);
                (path, read.map_err(|source| ShopsError::Io { path: path.to_owned(), source })?)
            }
        };
        toml::from_str(&text)
            .map_err(|source| ShopsError::Format { path: path.to_owned(), source: Box::new(source) })
    }

    /// Loads whatever is absent. All at once, so that it takes a few commits however many entries there are.
    ///
    /// # Errors
    /// An entry is refused, or the log does not answer.
    pub async fn import(&self, executor: &Executor, now: domain::Timestamp) -> Result<(), ShopsError> {
        try_join_all(self.shops.iter().map(|shop| shop.import(executor, now))).await?;
        let products =
            self.shops.iter().flat_map(|shop| shop.products.iter().map(move |product| (shop, product)));
        try_join_all(products.map(|(shop, product)| product.import(&shop.id, executor, now))).await?;
        Ok(())
    }
}

/// The id of a product of the file.
#[must_use]
pub fn product_id(shop: &ShopId, slug: &str) -> ProductId {
    ProductId::derived(shop.uuid(), "product", slug)
}

impl ShopEntry {
    async fn import(&self, executor: &Executor, now: domain::Timestamp) -> Result<(), ShopsError> {
        let refused =
            |reason: String| ShopsError::Refused { what: format!("shop {:?}", self.id.as_str()), reason };
        let absent = executor.inspect::<Shop, _>(&self.id, |_, shop| *shop == Shop::Absent).await;
        if !absent.map_err(|error| refused(error.to_string()))? {
            return Ok(());
        }
        let command = ShopCommand::PutShop {
            shop_id: self.id.clone(),
            name: self.name.clone(),
            policy: self.policy.clone(),
        };
        let context = context(self.id.uuid(), self.id.uuid(), &format!("{command:?}"), now);
        let done = executor.execute::<Shop>(&self.id, command, context).await;
        done.map(drop).map_err(|error| refused(error.to_string()))
    }
}

impl ProductEntry {
    async fn import(
        &self,
        shop: &ShopId,
        executor: &Executor,
        now: domain::Timestamp,
    ) -> Result<(), ShopsError> {
        let what = || format!("product {:?} of shop {:?}", self.slug, shop.as_str());
        let refused = |reason: String| ShopsError::Refused { what: what(), reason };
        let id = product_id(shop, &self.slug);
        let absent = executor.inspect::<Product, _>(&id, |_, product| *product == Product::Absent).await;
        if !absent.map_err(|error| refused(error.to_string()))? {
            return Ok(());
        }
        // The domain trusts amounts that it is given as such: what a file says is checked here.
        let price = Money::new(self.price.amount_minor, self.price.currency);
        let command = ProductCommand::ListProduct {
            product_id: id,
            shop_id: shop.clone(),
            name: self.name.clone(),
            price: price.map_err(|error| refused(error.to_string()))?,
            stock: self.stock,
        };
        let context = context(id.uuid(), id.uuid(), &format!("{command:?}"), now);
        let done = executor.execute::<Product>(&id, command, context).await;
        done.map(drop).map_err(|error| refused(error.to_string()))
    }
}

/// The command's id follows from its content: the same entry twice is the same command.
fn context(parent: Uuid, correlation_id: Uuid, content: &str, at: domain::Timestamp) -> CommandContext {
    let hash = Sha256::digest(content);
    let ordinal: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    CommandContext {
        command_id: derive_uuid(parent, "import", &ordinal),
        correlation_id,
        causation_id: None,
        actor: Actor::System,
        at,
        traceparent: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_file_has_the_sample_shops_and_their_policies_make_sense() {
        let file = ShopsFile::load("").unwrap();
        let ids: Vec<&str> = file.shops.iter().map(|shop| shop.id.as_str()).collect();
        assert_eq!(ids, ["phone", "books", "kitchen", "pizza"]);
        for shop in &file.shops {
            assert_eq!(shop.policy.check(), Ok(()));
            assert!((3..=5).contains(&shop.products.len()));
        }
    }

    #[test]
    fn no_shops_and_wrong_files_are_told_apart() {
        assert_eq!(ShopsFile::load("none").unwrap().shops, []);
        assert!(matches!(ShopsFile::load("/nowhere.toml"), Err(ShopsError::Io { .. })));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        std::fs::write(&path, "[[shop]]\nid = \"x\"\nnane = \"X\"\n").unwrap();
        let text = ShopsFile::load(path.to_str().unwrap()).unwrap_err().to_string();
        assert!(text.contains("nane"), "{text}");
    }
}
