//! The process's memory.

/// Gives memory that was freed back to the system, where its allocator keeps it: what loading leaves in between.
///
/// Does something with glibc on Linux alone.
pub fn return_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: takes no pointer; the allocator locks what it works on.
    unsafe {
        libc::malloc_trim(0);
    }
}
