//! Commands of any kind, for process managers.

use domain::{
    Aggregate, AnyCommand, Classified, coupon::Coupon, delivery::Delivery, notification::Notification,
    order::Order, payment::Payment, product::Product, refund::Refund, reservation::Reservation,
    resort::Resort, shop::Shop, voucher::Voucher,
};

use super::{AnyError, CommandContext, Executed, Executor, run::Failed};

impl Executor {
    /// Carries out a command of any kind.
    ///
    /// # Errors
    /// As [`Executor::execute`], flattened.
    pub async fn execute_any(&self, command: AnyCommand, ctx: CommandContext) -> Result<Executed, AnyError> {
        match command {
            AnyCommand::Shop { id, command } => self.flat::<Shop>(&id, &command, &ctx).await,
            AnyCommand::Product { id, command } => self.flat::<Product>(&id, &command, &ctx).await,
            AnyCommand::Order { id, command } => self.flat::<Order>(&id, &command, &ctx).await,
            AnyCommand::Payment { id, command } => self.flat::<Payment>(&id, &command, &ctx).await,
            AnyCommand::Delivery { id, command } => self.flat::<Delivery>(&id, &command, &ctx).await,
            AnyCommand::Notification { id, command } => self.flat::<Notification>(&id, &command, &ctx).await,
            AnyCommand::Refund { id, command } => self.flat::<Refund>(&id, &command, &ctx).await,
            AnyCommand::Coupon { id, command } => self.flat::<Coupon>(&id, &command, &ctx).await,
            AnyCommand::Resort { id, command } => self.flat::<Resort>(&id, &command, &ctx).await,
            AnyCommand::Reservation { id, command } => self.flat::<Reservation>(&id, &command, &ctx).await,
            AnyCommand::Voucher { id, command } => self.flat::<Voucher>(&id, &command, &ctx).await,
        }
    }

    async fn flat<A: Aggregate>(
        &self,
        id: &A::Id,
        command: &<A as Aggregate>::Command,
        ctx: &CommandContext,
    ) -> Result<Executed, AnyError> {
        self.run::<A>(id, None, command, ctx).await.map_err(flatten)
    }
}

fn flatten<E: Classified>(failed: Failed<E>) -> AnyError {
    let Failed { error, state } = failed;
    AnyError { code: error.code(), class: error.class(), message: error.to_string(), state }
}
