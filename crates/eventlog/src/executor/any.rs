//! Commands of any kind, for process managers.

use domain::{
    Aggregate, AnyCommand, Classified, Position, Version, delivery::Delivery, notification::Notification,
    order::Order, payment::Payment, product::Product, shop::Shop,
};

use super::{AnyError, CommandContext, Effect, Executor, run::Failed};

/// What a command of any kind led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyExecuted {
    /// See [`Executed`](super::Executed).
    pub version: Version,
    /// See [`Executed`](super::Executed).
    pub position: Position,
    /// What happened.
    pub effect: Effect,
}

impl Executor {
    /// Carries out a command of any kind.
    ///
    /// # Errors
    /// As [`Executor::execute`], flattened.
    pub async fn execute_any(
        &self,
        command: AnyCommand,
        ctx: CommandContext,
    ) -> Result<AnyExecuted, AnyError> {
        match command {
            AnyCommand::Shop { id, command } => self.flat::<Shop>(&id, &command, &ctx).await,
            AnyCommand::Product { id, command } => self.flat::<Product>(&id, &command, &ctx).await,
            AnyCommand::Order { id, command } => self.flat::<Order>(&id, &command, &ctx).await,
            AnyCommand::Payment { id, command } => self.flat::<Payment>(&id, &command, &ctx).await,
            AnyCommand::Delivery { id, command } => self.flat::<Delivery>(&id, &command, &ctx).await,
            AnyCommand::Notification { id, command } => self.flat::<Notification>(&id, &command, &ctx).await,
        }
    }

    async fn flat<A: Aggregate>(
        &self,
        id: &A::Id,
        command: &<A as Aggregate>::Command,
        ctx: &CommandContext,
    ) -> Result<AnyExecuted, AnyError> {
        match self.run::<A>(id, None, command, ctx, false).await {
            Ok(done) => {
                Ok(AnyExecuted { version: done.version, position: done.position, effect: done.effect })
            }
            Err(failed) => Err(flatten(failed)),
        }
    }
}

fn flatten<E: Classified>(failed: Failed<E>) -> AnyError {
    let Failed { error, state } = failed;
    AnyError { code: error.code(), class: error.class(), message: error.to_string(), state }
}
