//! The last calls, counted.

use std::collections::VecDeque;

#[derive(Clone, Copy)]
struct Call {
    failed: bool,
    slow: bool,
}

/// The last `size` calls.
pub(super) struct Window {
    size: usize,
    calls: VecDeque<Call>,
    failures: usize,
    slow: usize,
}

impl Window {
    pub(super) fn new(size: usize) -> Self {
        Self { size, calls: VecDeque::new(), failures: 0, slow: 0 }
    }

    pub(super) fn add(&mut self, failed: bool, slow: bool) {
        self.calls.push_back(Call { failed, slow });
        self.failures += usize::from(failed);
        self.slow += usize::from(slow);
        while self.calls.len() > self.size {
            let Some(left) = self.calls.pop_front() else { break };
            self.failures -= usize::from(left.failed);
            self.slow -= usize::from(left.slow);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.size);
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn failures(&self) -> usize {
        self.failures
    }

    pub(super) fn slow(&self) -> usize {
        self.slow
    }
}

/// `part` of `whole`, 0.0 to 1.0.
#[expect(clippy::cast_precision_loss, reason = "a window holds far fewer than 2^52 calls")]
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
