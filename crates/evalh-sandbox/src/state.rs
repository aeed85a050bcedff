//! What the host keeps beside one running program.

use crate::{Limits, output::Output, wasi::Random};
use std::time::{Duration, Instant};
use wasmtime::{ResourceLimiter, Result, Trap, component::ResourceTable};

/// Timers that a program may hold at once. The interpreter needs one.
const MAX_RESOURCES: usize = 1024;
/// Linear memories, tables and instances of the runtime's modules; it has a few dozen.
const MAX_INSTANCES: usize = 256;
/// Entries of one table; the runtime's has a few ten thousand.
const MAX_TABLE_ELEMENTS: usize = 1 << 20;

/// What the guest said of the exception that ended a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) class: String,
    pub(crate) message: String,
}

/// What the host keeps beside one running program.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) resources: ResourceTable,
    pub(crate) memory: Memory,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) report: Option<Report>,
    pub(crate) evidence: Option<u64>,
}

impl State {
    pub(crate) fn new(limits: &Limits, seed: u64) -> Self {
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(MAX_RESOURCES);
        Self {
            resources,
            memory: Memory {
                limit: limits.memory_bytes,
                used: 0,
                denied: false,
            },
            stdout: Output::new(limits.stream_bytes),
            stderr: Output::new(limits.stream_bytes),
            clock: Clock::start(limits),
            random: Random::new(seed),
            report: None,
            evidence: None,
        }
    }
}

/// The real clock, with a deadline and a budget of sleep.
#[derive(Debug)]
pub(crate) struct Clock {
    pub(crate) started: Instant,
    deadline: Instant,
    sleep_left: Duration,
}

impl Clock {
    fn start(limits: &Limits) -> Self {
        let started = Instant::now();
        let wall = Duration::from_millis(limits.wall_ms);
        Self {
            started,
            deadline: started.checked_add(wall).unwrap_or(started),
            sleep_left: Duration::from_millis(limits.sleep_ms),
        }
    }

    /// A trap once the deadline is past.
    pub(crate) fn check(&self) -> Result<()> {
        if Instant::now() >= self.deadline {
            Err(Trap::Interrupt.into())
        } else {
            Ok(())
        }
    }

    /// Sleeps until `at`. A sleep beyond the budget or the deadline is a trap at once, without waiting for it.
    pub(crate) fn sleep_until(&mut self, at: Instant) -> Result<()> {
        let wanted = at.saturating_duration_since(Instant::now());
        let Some(left) = self.sleep_left.checked_sub(wanted) else {
            return Err(Trap::Interrupt.into());
        };
        if at >= self.deadline {
            return Err(Trap::Interrupt.into());
        }
        self.sleep_left = left;
        std::thread::sleep(wanted);
        Ok(())
    }
}

/// Limits memory over all linear memories together, and remembers a denial.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    used: usize,
    pub(crate) denied: bool,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        let allowed = used <= self.limit && maximum.is_none_or(|maximum| desired <= maximum);
        if allowed {
            self.used = used;
        } else {
            self.denied = true;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS.min(maximum.unwrap_or(usize::MAX)))
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_INSTANCES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_limited_over_all_memories() {
        let mut memory = Memory {
            limit: 100,
            used: 0,
            denied: false,
        };
        assert!(memory.memory_growing(0, 60, None).unwrap());
        assert!(memory.memory_growing(0, 30, None).unwrap());
        assert!(!memory.denied);
        assert!(!memory.memory_growing(60, 80, None).unwrap());
        assert!(memory.denied);
        assert!(memory.memory_growing(60, 70, None).unwrap());
    }

    #[test]
    fn sleep_beyond_the_budget_ends_at_once() {
        let mut clock = Clock::start(&Limits {
            sleep_ms: 50,
            ..Limits::default()
        });
        clock
            .sleep_until(Instant::now() + Duration::from_millis(20))
            .unwrap();
        let before = Instant::now();
        let error = clock
            .sleep_until(before + Duration::from_secs(100))
            .unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
        assert!(before.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn sleep_beyond_the_deadline_ends_at_once() {
        let mut clock = Clock::start(&Limits {
            wall_ms: 20,
            sleep_ms: u64::MAX,
            ..Limits::default()
        });
        assert!(
            clock
                .sleep_until(Instant::now() + Duration::from_secs(100))
                .is_err()
        );
        std::thread::sleep(Duration::from_millis(25));
        assert!(clock.check().is_err());
    }
}
