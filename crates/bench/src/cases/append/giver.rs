//! The commands that are measured: a product is listed, or restocked. One command gives one event.

use std::sync::Arc;

use domain::{Actor, AnyCommand, Currency, Money, Partition, ProductId, ShopId, product::ProductCommand};
use eventlog::{AnyError, CommandContext, Executor, IdGen, SystemClock};

/// Makes commands, for whoever carries them out.
#[derive(Clone)]
pub(super) struct Maker {
    ids: IdGen,
    shop: ShopId,
}

impl Maker {
    pub(super) fn new() -> Self {
        let shop = "phone".parse().expect("it is a slug");
        Self { ids: IdGen::new(Arc::new(SystemClock::new())), shop }
    }

    /// A product that is not there yet.
    pub(super) fn product(&self) -> ProductId {
        ProductId::from_uuid(self.ids.next(self.shop.partition()))
    }

    pub(super) fn list(&self, product_id: ProductId) -> ProductCommand {
        let price = Money { amount_minor: 12_000, currency: Currency::KRW };
        let (shop_id, name) = (self.shop.clone(), "a phone with a long name".to_owned());
        ProductCommand::ListProduct { product_id, shop_id, name, price, stock: Some(1) }
    }

    pub(super) fn restock() -> ProductCommand {
        ProductCommand::Restock { quantity: 1 }
    }

    pub(super) fn context(&self, id: ProductId) -> CommandContext {
        CommandContext {
            command_id: self.ids.next(Partition::of(id.uuid())),
            correlation_id: id.uuid(),
            causation_id: None,
            actor: Actor::Shop(self.shop.clone()),
            at: self.ids.clock().now(),
            traceparent: None,
        }
    }
}

/// Gives commands to an executor.
#[derive(Clone)]
pub(super) struct Giver {
    executor: Executor,
    maker: Maker,
}

impl Giver {
    pub(super) fn new(executor: Executor, maker: Maker) -> Self {
        Self { executor, maker }
    }

    /// Lists a new product.
    pub(super) async fn list(&self) -> Result<ProductId, AnyError> {
        let product = self.maker.product();
        self.give(product, self.maker.list(product)).await?;
        Ok(product)
    }

    pub(super) async fn restock(&self, product: ProductId) -> Result<(), AnyError> {
        self.give(product, Maker::restock()).await
    }

    async fn give(&self, id: ProductId, command: ProductCommand) -> Result<(), AnyError> {
        let ctx = self.maker.context(id);
        self.executor.execute_any(AnyCommand::Product { id, command }, ctx).await?;
        Ok(())
    }
}
