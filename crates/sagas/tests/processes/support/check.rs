//! The tests that every story of every process passes.

use std::time::Duration;

use domain::Subject;
use futures::{StreamExt, stream};

use super::World;

/// They wait for the disk most of the time.
const WORLDS_AT_ONCE: usize = if crate::ON_POSTGRES { 3 } else { 8 };
/// A story takes a second; one that takes this long hangs, and shall say so instead of holding up all others.
const LONGEST_STORY: Duration = Duration::from_secs(90);

/// The story ends as it should. On a server, where it takes longer, this is seen where it is told [`again`] only.
pub async fn plain<S: Into<Subject>>(tell: impl AsyncFn(&World) -> S, end: &str) {
    if crate::ON_POSTGRES {
        return;
    }
    let world = World::new().await;
    let told = tell(&world).await;
    world.settle().await;
    assert_eq!(world.end_of(told).await, end);
}

/// Every step and every undo is done again by process managers that remember nothing: nothing is appended, no money
/// moves, and they come to rest where they were.
pub async fn again<S: Into<Subject>>(tell: impl AsyncFn(&World) -> S, end: &str) {
    let world = World::new().await;
    let told: Subject = tell(&world).await.into();
    world.settle().await;
    assert_eq!(world.end_of(told).await, end);
    let (head, books) = (world.log.head().await.unwrap(), world.provider.books().await);
    for _ in 0..if crate::ON_POSTGRES { 1 } else { 2 } {
        world.rebirth_from_nothing().await;
        world.settle().await;
        assert_eq!(world.end_of(told).await, end);
        assert_eq!(world.log.head().await.unwrap(), head, "something was appended");
        assert_eq!(world.provider.books().await, books, "the provider did something");
    }
}

/// The process managers are killed behind each event of the story in turn; the commit that was under way is written
/// or lost, and now and then the work store is lost with them: it ends no differently. On a server, where it takes
/// longer, behind some of the events: other ones in every story.
pub async fn killed<S: Into<Subject>>(tell: impl AsyncFn(&World) -> S, end: &str) {
    let every = if crate::ON_POSTGRES { 16 } else { 1 };
    let steps = (end.len() % every..).step_by(every).map(|step| step as u64);
    let deaths = stream::iter(steps).map(|step| killed_at(&tell, end, step)).buffered(WORLDS_AT_ONCE);
    let deaths = deaths.take_while(|died| std::future::ready(*died)).count().await;
    assert!(crate::ON_POSTGRES || deaths >= 3, "the story is told within {deaths} events");
}

/// Tells the story and kills the process managers once `step` events of it are on the log. False if there were no more.
async fn killed_at<S: Into<Subject>>(tell: &impl AsyncFn(&World) -> S, end: &str, step: u64) -> bool {
    let world = World::new().await;
    let beginning = world.log.head().await.unwrap();
    world.store.hold_from(beginning + step);
    let mut died = false;
    let told = {
        let kill = async {
            world.store.held().await;
            let which = world.kill().await;
            world.store.release(step.is_multiple_of(2));
            if step % 3 == 2 {
                world.forget().await;
            }
            world.start(&which).await;
            died = true;
            std::future::pending::<()>().await;
        };
        let to_the_end = async {
            let told = tell(&world).await;
            world.settle().await;
            told
        };
        tokio::select! {
            told = to_the_end => told,
            () = kill => unreachable!("the killer never returns"),
            () = tokio::time::sleep(LONGEST_STORY) => {
                panic!("killed behind event {step} of the story it hangs: {:#?}", world.open().await)
            }
        }
    };
    assert_eq!(world.end_of(told).await, end, "killed behind event {step} of the story");
    died
}

/// A story of an order or a reservation with its end, told three times: undisturbed, then again from nothing, and killed behind each event. One that
/// takes the way of another is `told_twice` and not killed.
macro_rules! story {
    ($name:ident, $world:ident => $tell:block, ends $end:literal) => {
        mod $name {
            crate::support::story!(@told $world, $tell, $end);

            #[tokio::test]
            async fn ends_no_differently_when_killed_anywhere() {
                crate::support::killed(tell, $end).await;
            }
        }
    };
    ($name:ident told_twice, $world:ident => $tell:block, ends $end:literal) => {
        mod $name {
            crate::support::story!(@told $world, $tell, $end);
        }
    };
    (@told $world:ident, $tell:block, $end:literal) => {
        #[allow(unused_imports)]
        use super::*;

        async fn tell($world: &crate::support::World) -> domain::Subject {
            domain::Subject::from($tell)
        }

        #[tokio::test]
        async fn ends_as_it_should() {
            crate::support::plain(tell, $end).await;
        }
        #[tokio::test]
        async fn done_again_from_nothing_does_nothing() {
            crate::support::again(tell, $end).await;
        }
    };
}
pub(crate) use story;
