//! How much memory there is.

use std::{fs, path::Path};

/// Taken where the system does not say: a modest laptop's share.
const UNKNOWN: u64 = 4 << 30;

/// Bytes that can be allocated without swapping: `MemAvailable` of `/proc/meminfo`, less where a control group
/// (a container) allows less. 4 GiB on systems that have neither.
pub fn available_memory() -> u64 {
    let system = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| mem_available(&text));
    let group = group_available(Path::new("/sys/fs/cgroup"));
    match (system, group) {
        (Some(system), Some(group)) => system.min(group),
        (Some(bytes), None) | (None, Some(bytes)) => bytes,
        (None, None) => UNKNOWN,
    }
}

/// The `MemAvailable` line of `/proc/meminfo`, in bytes.
fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kib.checked_mul(1024)
}

/// What a control group (version 2) leaves: limit less use. Page cache that can be dropped does not count as used.
fn group_available(group: &Path) -> Option<u64> {
    let number = |file: &str| -> Option<u64> {
        fs::read_to_string(group.join(file))
            .ok()?
            .trim()
            .parse()
            .ok()
    };
    let limit = number("memory.max")?;
    let used = number("memory.current")?;
    let reclaimable = fs::read_to_string(group.join("memory.stat"))
        .ok()
        .and_then(|stat| {
            stat.lines().find_map(|line| {
                line.strip_prefix("inactive_file ")?
                    .trim()
                    .parse::<u64>()
                    .ok()
            })
        })
        .unwrap_or(0);
    Some(limit.saturating_sub(used.saturating_sub(reclaimable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read_in_bytes() {
        let text = "MemTotal:       24576 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n";
        assert_eq!(mem_available(text), Some(2048 * 1024));
        assert_eq!(mem_available("MemTotal: 1 kB\n"), None);
        assert_eq!(mem_available("MemAvailable: many kB\n"), None);
    }

    #[test]
    fn a_control_group_leaves_its_limit_less_what_cannot_be_dropped() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let write =
            |file: &str, text: &str| fs::write(dir.path().join(file), text).expect("written");
        assert_eq!(group_available(dir.path()), None);
        write("memory.max", "max\n");
        write("memory.current", "600\n");
        assert_eq!(group_available(dir.path()), None);
        write("memory.max", "1000\n");
        assert_eq!(group_available(dir.path()), Some(400));
        write("memory.stat", "anon 300\ninactive_file 100\n");
        assert_eq!(group_available(dir.path()), Some(500));
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(available_memory() > 1 << 20);
    }
}
