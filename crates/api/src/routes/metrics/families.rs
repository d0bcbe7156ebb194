//! The families of `/metrics` that are asked for when somebody looks. Those of single requests are in [`crate::web`].

use projections::{ViewState, ViewStatus};
use sagas::{Availability, InstanceState, ProcessStatus};

use super::page::{
    Kind::{Counter, Gauge},
    Page,
};
use crate::{app::App, web::Class};

/// A family with a number for each of many: its name, what it is, the number.
type Column<T> = (&'static str, &'static str, fn(&T) -> u64);

/// What is under way, and how much of it may be.
pub(super) fn requests(page: &mut Page, app: &App) {
    let version = env!("CARGO_PKG_VERSION");
    page.family(Gauge, "orderstream_build_info", "Always 1; the label tells the version.")
        .put(&[("version", version)], 1);
    let admission = &app.admission;
    let help = "Requests under way by class; commands count until their work has ended.";
    let mut under_way = page.family(Gauge, "orderstream_http_requests_under_way", help);
    for class in Class::ALL {
        under_way.put(&[("class", class.name())], admission.of(class).taken());
    }
    let help = "How many requests of a class may be under way.";
    let mut places = page.family(Gauge, "orderstream_http_places", help);
    for class in Class::ALL {
        places.put(&[("class", class.name())], admission.of(class).places());
    }
    page.gauge("orderstream_connections", "Connections that are open.", admission.connections.taken());
    let help = "How many connections may be open.";
    page.gauge("orderstream_connections_places", help, admission.connections.places());
    let help = "Buckets of rates that are remembered, two for each principal.";
    page.gauge("orderstream_rate_buckets", help, admission.buckets.len());
}

pub(super) fn log(page: &mut Page, app: &App) {
    let stats = app.log().stats();
    page.gauge("orderstream_log_head_position", "The last event of the log, as seen here.", app.head());
    let help = "Commits that wait for the log or are being written.";
    page.gauge("orderstream_log_queue_depth", help, stats.queue_depth);
    page.counter("orderstream_log_batches_total", "Batches that this process wrote.", stats.batches);
    page.counter("orderstream_log_commits_total", "Commits answered in them, of any outcome.", stats.commits);
    page.counter("orderstream_log_events_total", "Events that this process appended.", stats.events);
    let help = "1 while the log did not take the last command.";
    page.gauge("orderstream_log_in_trouble", help, u8::from(app.log_trouble().is_some()));
}

/// The guard's figures are those of this process: they are left out where it makes no payments.
pub(super) fn payments(page: &mut Page, app: &App, availability: Option<Availability>) {
    if let Some(availability) = availability {
        let help = "1 while orders that are paid at once are taken, 0 while they are answered 503.";
        let available = u8::from(availability == Availability::Available);
        page.gauge("orderstream_payments_available", help, available);
    }
    let waiting = &app.admission.waiting_for_payment;
    let help = "Requests that wait for the payment provider.";
    page.gauge("orderstream_payments_waiting", help, waiting.taken());
    let help = "How many requests may wait for the payment provider.";
    page.gauge("orderstream_payments_waiting_places", help, waiting.places());
    let figures = app.settings.runs_process("payments").then(|| app.gateway.figures()).flatten();
    let Some(figures) = figures else { return };
    let state = match figures.state {
        "open" => 2,
        "half_open" => 1,
        _ => 0,
    };
    let help = "The circuit breaker: 0 closed, 1 half open, 2 open.";
    page.gauge("orderstream_payments_breaker_state", help, state);
    let help = "How often the circuit breaker opened.";
    page.counter("orderstream_payments_breaker_opened_total", help, figures.opened);
    let help = "Calls that the circuit breaker did not let through.";
    page.counter("orderstream_payments_breaker_refused_total", help, figures.refused);
    let help =
        "Calls that the circuit breaker judges by: all of them, those that failed, those that were slow.";
    let mut window = page.family(Gauge, "orderstream_payments_breaker_window_calls", help);
    for (kind, calls) in
        [("all", figures.window_calls), ("failed", figures.window_failures), ("slow", figures.window_slow)]
    {
        window.put(&[("kind", kind)], calls);
    }
    let help = "Calls to the payment provider under way.";
    page.gauge("orderstream_payments_calls_under_way", help, figures.under_way);
    if let Some(places) = figures.places {
        let help = "How many calls to the payment provider may be under way.";
        page.gauge("orderstream_payments_calls_places", help, places);
    }
    let help = "Tries of charges and refunds that went ahead: first ones, and further ones.";
    let mut tries = page.family(Counter, "orderstream_payments_tries_total", help);
    tries.put(&[("which", "first")], figures.first_tries);
    tries.put(&[("which", "again")], figures.retries);
    let help = "Further tries that were told to wait, since there were too many.";
    page.counter("orderstream_payments_retries_put_off_total", help, figures.retries_put_off);
    let help = "Further tries that the retry budget has left now.";
    page.gauge("orderstream_payments_retries_left", help, figures.retries_left);
}

pub(super) fn processes(page: &mut Page, processes: &[ProcessStatus]) {
    if processes.is_empty() {
        return;
    }
    let gauges: [Column<ProcessStatus>; 4] = [
        ("orderstream_process_position", "The last event that a process manager reacted to.", |it| {
            it.position
        }),
        ("orderstream_process_lag", "Events that a process manager has still to read.", |it| it.lag),
        ("orderstream_process_running", "1 where the process manager runs in this process.", |it| {
            it.running.into()
        }),
        ("orderstream_process_in_trouble", "1 while a process manager cannot go on.", |it| {
            it.trouble.is_some().into()
        }),
    ];
    for (name, help, value) in gauges {
        let mut family = page.family(Gauge, name, help);
        for process in processes {
            family.put(&[("process", &process.name)], value(process));
        }
    }
    let help = "Instances of process managers that are not over, by state.";
    let mut instances = page.family(Gauge, "orderstream_process_instances", help);
    for process in processes {
        for state in InstanceState::ALL.into_iter().filter(|state| *state != InstanceState::Ended) {
            let count =
                process.open.iter().filter(|(of, _)| *of == state).map(|(_, count)| count).sum::<u64>();
            instances.put(&[("process", &process.name), ("state", state.name())], count);
        }
    }
}

pub(super) fn views(page: &mut Page, app: &App) {
    let Some(views) = &app.views else { return };
    let views = views.status();
    let gauges: [Column<ViewStatus>; 2] = [
        ("orderstream_view_position", "The last event that a view shows.", |it| it.position),
        ("orderstream_view_lag", "Events that a view does not show yet.", |it| it.lag),
    ];
    for (name, help, value) in gauges {
        let mut family = page.family(Gauge, name, help);
        for view in &views {
            family.put(&[("view", &view.name)], value(view));
        }
    }
    let help = "1 for the state that a view is in, 0 for the others.";
    let mut states = page.family(Gauge, "orderstream_view_state", help);
    for view in &views {
        for state in ["following", "catching_up", "rebuilding", "stopped"] {
            let is_in = u8::from(state_of(&view.state) == state);
            states.put(&[("view", &view.name), ("state", state)], is_in);
        }
    }
}

fn state_of(state: &ViewState) -> &'static str {
    match state {
        ViewState::Following => "following",
        ViewState::CatchingUp => "catching_up",
        ViewState::Rebuilding => "rebuilding",
        ViewState::Stopped { .. } => "stopped",
    }
}
