//! What the process has used.

use std::fs;

/// CPU seconds of the process so far, all threads.
pub fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Watches the highest resident memory of the process over a span.
pub struct PeakMemory {
    reset: bool,
}

impl PeakMemory {
    /// Begins a span, where the system can reset its high-water mark (Linux: `clear_refs`).
    pub fn begin() -> PeakMemory {
        PeakMemory {
            reset: fs::write("/proc/self/clear_refs", "5").is_ok(),
        }
    }

    /// The highest resident memory since the span began, in bytes. `None` where the system cannot tell.
    pub fn bytes(&self) -> Option<u64> {
        if !self.reset {
            return None;
        }
        peak(&fs::read_to_string("/proc/self/status").ok()?)
    }
}

/// Bytes that the process holds now. `None` where the system cannot tell.
pub fn resident() -> Option<u64> {
    of_status(&fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// The `VmHWM` line of a process's status, in bytes.
fn peak(status: &str) -> Option<u64> {
    of_status(status, "VmHWM:")
}

fn of_status(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// The processor's name and the number of its threads, for the record.
pub fn machine() -> String {
    let threads = crate::settings::all_threads();
    let name = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| processor(&text));
    format!(
        "{} x {}",
        threads,
        name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
    )
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        assert_eq!(
            peak("VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n"),
            Some(2048 * 1024)
        );
        assert_eq!(peak("VmHWM: lots\n"), None);
        assert_eq!(peak(""), None);
    }

    #[test]
    fn a_span_sees_its_own_peak() {
        let large = vec![1u8; 64 << 20];
        let before = std::hint::black_box(&large)
            .iter()
            .map(|&b| u64::from(b))
            .sum::<u64>();
        drop(large);
        let span = PeakMemory::begin();
        let small = std::hint::black_box(vec![1u8; 1 << 20]);
        if let Some(bytes) = span.bytes() {
            assert!(bytes >= 1 << 20, "{bytes}");
        }
        assert_eq!((before, small.len()), (64 << 20, 1 << 20));
    }

    #[test]
    fn cpu_time_goes_forward() {
        let before = cpu_seconds();
        let sum = (0..20_000_000u64)
            .map(std::hint::black_box)
            .fold(0, u64::wrapping_add);
        assert!(cpu_seconds() > before, "{sum}");
    }

    #[test]
    fn a_processor_has_a_name() {
        assert_eq!(
            processor("a: b\nmodel name\t: Fast CPU @ 2 GHz\n").as_deref(),
            Some("Fast CPU @ 2 GHz")
        );
    }
}
