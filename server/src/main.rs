//! The binary `xunge-server`. Everything it does lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    return_large_buffers();
    xunge_server::cli::main()
}

/// Has large buffers given back to the system as soon as they are free.
///
/// glibc raises the size from which it does so to that of the largest buffer freed so far, up to 32 MiB, and then keeps
/// what it freed for each thread: a few photos decoded one after the other held 100 MiB for ever.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "one call of the C library before any thread exists")]
fn return_large_buffers() {
    const FROM_BYTES: i32 = 1 << 20;
    // SAFETY: sets a number of the allocator; no memory of ours is involved.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, FROM_BYTES) };
}

/// Other allocators have no such habit.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn return_large_buffers() {}
