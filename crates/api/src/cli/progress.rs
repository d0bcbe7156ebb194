//! How far long work is: a bar with rate and time left on a terminal, a plain line now and then elsewhere. On stderr.

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a plain line is printed.
const PLAIN_EVERY: Duration = Duration::from_secs(2);

/// Shows progress of one piece of work. Cheap to clone.
#[derive(Clone)]
pub(super) struct Meter {
    inner: Arc<Inner>,
}

struct Inner {
    bar: Option<ProgressBar>,
    what: String,
    unit: &'static str,
    started: Instant,
    plain: Mutex<Instant>,
}

impl Meter {
    /// Work on `total` events; 0 when nobody knows how many.
    pub(super) fn new(what: &str, total: u64) -> Self {
        Self::counting(what, "events", total)
    }

    /// The same on other things than events.
    pub(super) fn counting(what: &str, unit: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let template = if total == 0 {
                "{msg} {spinner} {human_pos} UNIT  {per_sec}  {elapsed}"
            } else {
                "{msg} [{bar:32}] {human_pos}/{human_len} UNIT  {per_sec}  {eta} left"
            };
            let style = ProgressStyle::with_template(&template.replace("UNIT", unit))
                .expect("the templates above are well formed");
            bar.set_style(style.progress_chars("=> "));
            bar.set_message(what.to_owned());
            bar
        });
        let now = Instant::now();
        let (what, plain) = (what.to_owned(), Mutex::new(now));
        Self { inner: Arc::new(Inner { bar, what, unit, started: now, plain }) }
    }

    /// Work on one view, or on all.
    pub(super) fn of_views(what: &str, view: Option<&str>) -> Self {
        Self::new(&format!("{what} {}", view.unwrap_or("all views")), 0)
    }

    /// So much is done, of so much.
    pub(super) fn at(&self, done: u64, total: u64) {
        if let Some(bar) = &self.inner.bar {
            if total > 0 {
                bar.set_length(total);
            }
            bar.set_position(done);
            return;
        }
        let mut last = self.inner.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= PLAIN_EVERY {
            *last = Instant::now();
            eprintln!("{}", self.plain_line(done, total));
        }
    }

    /// All of it is done.
    pub(super) fn done(&self, total: u64) {
        self.finish(Some(total));
    }

    /// It is over: all of so much is done, or it ended early.
    pub(super) fn finish(&self, total: Option<u64>) {
        match (&self.inner.bar, total) {
            (Some(bar), _) => bar.finish_and_clear(),
            (None, Some(total)) => eprintln!("{}: {total} {}, done", self.inner.what, self.inner.unit),
            (None, None) => {}
        }
    }

    fn plain_line(&self, done: u64, total: u64) -> String {
        let seconds = self.inner.started.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let (rate, left) = (done as f64 / seconds, total.saturating_sub(done) as f64);
        let Inner { what, unit, .. } = &*self.inner;
        if total == 0 || rate < 1.0 {
            return format!("{what}: {done} {unit}, {rate:.0}/s");
        }
        format!("{what}: {done} of {total} {unit}, {rate:.0}/s, {:.0} s left", left / rate)
    }
}
