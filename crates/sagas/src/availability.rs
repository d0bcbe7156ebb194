//! Whether payments can be made now: told by whoever calls the provider, asked by whoever takes orders, in one process or
//! another.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    payments::Payments,
    ports::Availability,
    process::Process,
    sagas::{SagaError, Sagas, Shared, locked},
    store::{Backend, Published},
};

/// Under what name it is published.
const NAME: &str = "payments";
/// How often; and how often it is looked whether it has changed, which is told at once.
const EVERY: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a word holds. Somebody who has ended says nothing: then nobody makes payments.
const HOLDS: Duration = Duration::from_secs(3);
/// How long what was read is taken to be so.
const REMEMBERED: Duration = Duration::from_millis(100);
/// When to ask again while nobody makes payments.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Tells the others, until `stop`: each under a name of his own, or whose breaker has opened would be overruled by whose has
/// not, twice a second.
pub(crate) async fn publish(store: Arc<dyn Backend>, shared: Arc<Shared>, stop: CancellationToken) {
    let holder = Uuid::now_v7();
    let say = async |now: Availability, ttl: Duration| {
        if let Err(error) = store.publish(NAME, holder, to_text(now), ttl).await {
            tracing::debug!(%error, "whether payments can be made is not published");
        }
    };
    let can = || shared.effects.gateway.availability() == Availability::Available;
    loop {
        let (could, said) = (can(), Instant::now());
        say(shared.effects.gateway.availability(), HOLDS).await;
        loop {
            if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
                // Whoever ends takes his word back. Should the store be closed already, it runs out by itself.
                say(Availability::Unavailable { retry_after: ASK_AGAIN }, Duration::ZERO).await;
                return;
            }
            if said.elapsed() >= EVERY || can() != could {
                break;
            }
        }
    }
}

impl Sagas {
    /// Whether payments can be made now, as those who make them said last: they can if one of them can, since work is shared.
    /// While nobody makes any (the process manager runs nowhere), they cannot.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn payments_availability(&self) -> Result<Availability, SagaError> {
        if self.runs(Payments::NAME) {
            return Ok(self.shared.effects.gateway.availability());
        }
        let remembered = *locked(&self.shared.availability);
        if let Some((availability, _)) = remembered.filter(|(_, at)| at.elapsed() < REMEMBERED) {
            return Ok(availability);
        }
        let now = from_published(&self.store.published(NAME).await?);
        *locked(&self.shared.availability) = Some((now, Instant::now()));
        Ok(now)
    }
}

fn to_text(availability: Availability) -> String {
    match availability {
        Availability::Available => "available".to_owned(),
        Availability::Unavailable { retry_after } => format!("unavailable {}", retry_after.as_millis()),
    }
}

fn from_published(published: &[Published]) -> Availability {
    let mut least = None;
    for Published { value, left } in published {
        match value.strip_prefix("unavailable ") {
            None => return Availability::Available,
            Some(millis) => {
                // The word is as old as it has lost of its time.
                let said = Duration::from_millis(millis.parse().unwrap_or(0));
                let wait = said.saturating_sub(HOLDS.saturating_sub(*left));
                least = Some(least.map_or(wait, |least: Duration| least.min(wait)));
            }
        }
    }
    Availability::Unavailable { retry_after: least.unwrap_or(ASK_AGAIN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(availability: Availability, left: Duration) -> Published {
        Published { value: to_text(availability), left }
    }

    fn read(availability: Availability, left: Duration) -> Availability {
        from_published(&[said(availability, left)])
    }

    #[test]
    fn what_is_published_is_read_and_grows_older() {
        assert_eq!(read(Availability::Available, HOLDS), Availability::Available);
        let in_two = Availability::Unavailable { retry_after: Duration::from_secs(2) };
        assert_eq!(read(in_two, HOLDS), in_two);
        let in_one = Availability::Unavailable { retry_after: Duration::from_secs(1) };
        assert_eq!(read(in_two, HOLDS - Duration::from_secs(1)), in_one);
    }

    #[test]
    fn silence_means_that_nobody_makes_payments() {
        assert_eq!(from_published(&[]), Availability::Unavailable { retry_after: ASK_AGAIN });
    }

    #[test]
    fn one_who_can_make_payments_is_enough_and_otherwise_the_shortest_wait_counts() {
        let wait = |secs| Availability::Unavailable { retry_after: Duration::from_secs(secs) };
        let [open, shorter, can] = [wait(2), wait(1), Availability::Available].map(|it| said(it, HOLDS));
        assert_eq!(from_published(&[said(wait(2), HOLDS), shorter]), wait(1));
        assert_eq!(from_published(&[open, can]), Availability::Available);
    }
}
