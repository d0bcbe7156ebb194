//! What goes wrong: how likely in a history, and how often it did.

use rand::{Rng, rngs::StdRng};

macro_rules! faults {
    ($($(#[$doc:meta])* $fault:ident = $name:literal, $base:literal;)*) => {
        /// Something that goes wrong in a history.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[$doc])* $fault),* }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Self] = &[$(Self::$fault),*];

            /// Its name in tables.
            #[must_use]
            pub fn name(self) -> &'static str { match self { $(Self::$fault => $name),* } }

            /// How likely it is where it can happen, in a history that is neither good nor bad. 0: it follows from others.
            fn base(self) -> f64 { match self { $(Self::$fault => $base),* } }
        }
    };
}

faults! {
    /// A node dies with a batch that it has not sent.
    CrashBeforeAppend = "crash_before_append", 0.004;
    /// A node dies when its batch is on the log, and nobody has an answer.
    CrashAfterAppend = "crash_after_append", 0.004;
    /// The log does not answer, and has not written the batch: it is sent again.
    OutcomeUnknownNotWritten = "outcome_unknown_not_written", 0.01;
    /// The log does not answer, and has written the batch: it is sent again.
    OutcomeUnknownWritten = "outcome_unknown_written", 0.01;
    /// A command was recognised by its id, and got its first answer.
    CommandRepeated = "command_repeated", 0.0;
    /// A commit lost against another node and was decided again.
    VersionConflict = "version_conflict", 0.0;
    /// A node dies when it has reacted to events, and has stored nothing of it.
    CrashBeforeStore = "crash_before_store", 0.004;
    /// A node dies when its reactions are stored, and nothing of them is done.
    CrashAfterStore = "crash_after_store", 0.004;
    /// An event reached an instance of a process manager that had been handed it before.
    DuplicateDelivery = "duplicate_delivery", 0.06;
    /// An event reached a process manager long after it was written.
    LateDelivery = "late_delivery", 0.01;
    /// A charge was made, and its answer did not arrive.
    TimeoutCharged = "gateway_timeout_charged", 0.15;
    /// A charge did not reach the provider, and nobody knows.
    TimeoutNotCharged = "gateway_timeout_not_charged", 0.08;
    /// A request reached the provider after its sender had given up waiting.
    LateRequest = "gateway_late_request", 0.05;
    /// A refund was made or refused, and its answer did not arrive.
    RefundAnswerLost = "gateway_refund_answer_lost", 0.15;
    /// The provider declined a charge.
    Decline = "gateway_decline", 0.2;
    /// The provider refused a refund, which is tried again later.
    RefundFailed = "gateway_refund_failed", 0.3;
    /// A charge that counted as not made was made after all.
    LateCapture = "late_capture_found", 0.0;
    /// A lease ended, and another node took the slot.
    LeaseTaken = "lease_taken", 0.0;
    /// A node stood still for longer than its leases last.
    Pause = "node_paused", 0.004;
    /// What a former holder wrote changed nothing.
    FencedWrite = "fenced_write", 0.0;
    /// An event was written with an earlier time than the one before it.
    ClockBack = "clock_back", 0.004;
    /// A timer fired before its time, by a clock that was ahead.
    ClockAhead = "clock_ahead", 0.004;
    /// A node died at any moment, and lost whatever was not stored.
    NodeCrash = "node_crash", 0.004;
    /// A node was stopped in order, and gave its work away.
    NodeStop = "node_stop", 0.001;
    /// Everything that a process manager had stored was lost, and it read the log anew.
    MemoryLoss = "memory_loss", 0.002;
    /// A client did not get its answer, and asked again with the same key.
    AnswerLost = "client_asked_again", 0.5;
}

/// How often each fault happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters(Vec<u64>);

impl Default for Counters {
    fn default() -> Self {
        Self(vec![0; Fault::ALL.len()])
    }
}

impl Counters {
    /// It happened.
    pub fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Adds those of another history.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }

    /// Every fault with how often it happened.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.iter().map(|fault| (*fault, self.of(*fault)))
    }
}

/// The faults of one history. Each history draws how likely each of them is, from never to thrice the usual: what one
/// fault hides in most histories then shows in those where it does not happen.
#[derive(Debug)]
pub(crate) struct Faults {
    rates: Vec<f64>,
    pub(crate) counters: Counters,
    /// From here on nothing goes wrong any more.
    pub(crate) calm: bool,
}

impl Faults {
    pub(crate) fn new(rng: &mut StdRng) -> Self {
        let rate = |fault: &Fault| {
            let factor = [0.0, 0.5, 1.0, 1.0, 3.0][rng.random_range(0..5)];
            (fault.base() * factor).min(0.9)
        };
        Self { rates: Fault::ALL.iter().map(rate).collect(), counters: Counters::default(), calm: true }
    }

    /// Whether it happens now.
    pub(crate) fn strikes(&self, fault: Fault, rng: &mut StdRng) -> bool {
        !self.calm && rng.random_bool(self.rates[fault as usize])
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        self.counters.count(fault);
    }
}
