//! The calls that change files, as this program's own.
//!
//! The linker takes a name that the program defines itself before it looks into the C library, so the standard library
//! and the SQLite that is linked in call these. What lies on a [`super::disk::Disk`] is written down there, and may be
//! made to fail; everything else goes straight to the kernel. Opening is variadic in C; on the 64-bit Linux systems we
//! know a variadic integer comes in the register of an ordinary one.

#![allow(unsafe_code, reason = "standing in for the C library is unsafe by nature; nothing but this file does")]

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::slice;

use libc::{c_char, c_int, c_long, c_void, iovec, mode_t, off64_t, size_t, ssize_t};

use super::disk::{self, Answer, Call, Open};
use super::room;

/// What the kernel said: as the C library returns it, -1 with `errno` set.
fn kernel(number: c_long, arguments: [usize; 5]) -> isize {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the callers pass on what they were called with, for the same call.
    unsafe { libc::syscall(number, a, b, c, d, e) as isize }
}

fn fail(errno: i32) -> isize {
    // SAFETY: the C library gives every thread an errno of its own.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// Asks the disk, if the call concerns one, and then the kernel.
fn through(call: Option<Call<'_>>, mut kernel: impl FnMut(Option<usize>) -> isize) -> isize {
    match call {
        None => kernel(None),
        Some(call) => match disk::perform(call, kernel) {
            Answer::Kernel(said) => said,
            Answer::Failed(errno) => fail(errno),
        },
    }
}

/// A path from C.
///
/// # Safety
/// `path` is null or ends with a null byte, and outlives the answer.
unsafe fn path<'p>(path: *const c_char) -> &'p Path {
    if path.is_null() {
        return Path::new("");
    }
    // SAFETY: see above.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()))
}

unsafe fn opens(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let call = || kernel(libc::SYS_openat, [folder as usize, name as usize, flags as usize, mode as usize, 0]);
    // SAFETY: the caller's path.
    match disk::place(folder, unsafe { path(name) }) {
        None => call() as c_int,
        Some(place) => match place.open(Open { flags, call: &call }) {
            Answer::Kernel(said) => said as c_int,
            Answer::Failed(errno) => fail(errno) as c_int,
        },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    unsafe { opens(libc::AT_FDCWD, name, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    unsafe { opens(libc::AT_FDCWD, name, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    unsafe { opens(folder, name, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn openat64(folder: c_int, name: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    unsafe { opens(folder, name, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn close(file: c_int) -> c_int {
    disk::closed(file);
    room::closed(file);
    kernel(libc::SYS_close, [file as usize, 0, 0, 0, 0]) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn closedir(folder: *mut libc::DIR) -> c_int {
    type Closedir = unsafe extern "C" fn(*mut libc::DIR) -> c_int;
    // SAFETY: the caller's folder; the C library's own function of this name and shape comes next in its search order.
    unsafe {
        disk::closed(libc::dirfd(folder));
        let next = libc::dlsym(libc::RTLD_NEXT, c"closedir".as_ptr());
        std::mem::transmute::<*mut c_void, Closedir>(next)(folder)
    }
}

/// Where the file stands, for writes that do not say where they go.
pub(super) fn position(file: c_int, appends: bool) -> u64 {
    let from = if appends { libc::SEEK_END } else { libc::SEEK_CUR };
    // Appending moves the position by itself, so looking at the end harms nobody.
    kernel(libc::SYS_lseek, [file as usize, 0, from as usize, 0, 0]) as u64
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, from: *const c_void, count: size_t) -> ssize_t {
    let call = disk::opened(file).map(|open| {
        // SAFETY: the caller's bytes.
        let bytes = unsafe { slice::from_raw_parts(from.cast(), count) };
        Call::Write { open, at: None, file, bytes }
    });
    through(call, |most| kernel(libc::SYS_write, [file as usize, from as usize, most.unwrap_or(count), 0, 0]))
}

unsafe fn write_at(file: c_int, from: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    let call = disk::opened(file).map(|open| {
        // SAFETY: the caller's bytes.
        let bytes = unsafe { slice::from_raw_parts(from.cast(), count) };
        Call::Write { open, at: Some(at as u64), file, bytes }
    });
    let count = match room::write(file, at as u64, count) {
        Ok(count) => count,
        Err(errno) => return fail(errno),
    };
    through(call, |most| {
        kernel(libc::SYS_pwrite64, [file as usize, from as usize, most.unwrap_or(count), at as usize, 0])
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(file: c_int, from: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    unsafe { write_at(file, from, count, at) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(file: c_int, from: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    unsafe { write_at(file, from, count, at) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn writev(file: c_int, pieces: *const iovec, count: c_int) -> ssize_t {
    if disk::opened(file).is_some() && count > 0 {
        // Writing less than all of it is allowed: the caller comes again with the rest.
        // SAFETY: the caller's pieces.
        let first = unsafe { &*pieces };
        return unsafe { write(file, first.iov_base, first.iov_len) };
    }
    kernel(libc::SYS_writev, [file as usize, pieces as usize, count as usize, 0, 0])
}

unsafe fn shorten(file: c_int, length: off64_t) -> c_int {
    let call = disk::opened(file).map(|open| Call::Cut { open, length: length as u64 });
    through(call, |_| kernel(libc::SYS_ftruncate, [file as usize, length as usize, 0, 0, 0])) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(file: c_int, length: off64_t) -> c_int {
    unsafe { shorten(file, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(file: c_int, length: off64_t) -> c_int {
    unsafe { shorten(file, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(file: c_int) -> c_int {
    if let Err(errno) = room::flush(file) {
        return fail(errno) as c_int;
    }
    let call = disk::opened(file).map(|open| Call::Sync { open });
    through(call, |_| kernel(libc::SYS_fsync, [file as usize, 0, 0, 0, 0])) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    if let Err(errno) = room::flush(file) {
        return fail(errno) as c_int;
    }
    let call = disk::opened(file).map(|open| Call::Sync { open });
    through(call, |_| kernel(libc::SYS_fdatasync, [file as usize, 0, 0, 0, 0])) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's paths.
    let (here, there) = unsafe { (path(from), path(to)) };
    let places = disk::place(libc::AT_FDCWD, here).zip(disk::place(libc::AT_FDCWD, there));
    let call = places.map(|(from, to)| Call::Rename { from, to });
    let cwd = libc::AT_FDCWD as usize;
    through(call, |_| kernel(libc::SYS_renameat2, [cwd, from as usize, cwd, to as usize, 0])) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linkat(
    from_folder: c_int,
    from: *const c_char,
    to_folder: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's paths.
    let (here, there) = unsafe { (path(from), path(to)) };
    let call = disk::place(from_folder, here).zip(disk::place(to_folder, there));
    let call = call.map(|(from, to)| Call::Link { from, to });
    let arguments = [from_folder as usize, from as usize, to_folder as usize, to as usize, flags as usize];
    through(call, |_| kernel(libc::SYS_linkat, arguments)) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn link(from: *const c_char, to: *const c_char) -> c_int {
    unsafe { linkat(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlinkat(folder: c_int, name: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's path.
    let call = disk::place(folder, unsafe { path(name) }).map(|place| Call::Remove { place });
    through(call, |_| kernel(libc::SYS_unlinkat, [folder as usize, name as usize, flags as usize, 0, 0])) as c_int
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(name: *const c_char) -> c_int {
    unsafe { unlinkat(libc::AT_FDCWD, name, 0) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rmdir(name: *const c_char) -> c_int {
    unsafe { unlinkat(libc::AT_FDCWD, name, libc::AT_REMOVEDIR) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(name: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: the caller's path.
    let call = disk::place(libc::AT_FDCWD, unsafe { path(name) }).map(|place| Call::Folder { place });
    let arguments = [libc::AT_FDCWD as usize, name as usize, mode as usize, 0, 0];
    through(call, |_| kernel(libc::SYS_mkdirat, arguments)) as c_int
}

/// Makes sure that the linker takes this file.
pub(super) fn stand_in() -> usize {
    [fsync as *const () as usize, rename as *const () as usize].into_iter().fold(0, usize::wrapping_add)
}
