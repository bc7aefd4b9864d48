//! Randomness from the operating system: ids, codes, keys, salts.

/// Draws a server epoch. Phones compare epochs for equality only, and a random one never equals another's.
///
/// 53 bits, because JSON readers keep no more.
pub fn epoch() -> u64 {
    u64::from_be_bytes(fill()) >> 11
}

/// Gives `N` unpredictable bytes.
///
/// # Panics
/// If the operating system has none to give. A server that can not draw a secret must not go on with a guessed one.
#[allow(clippy::disallowed_methods, reason = "the one place of the server that draws randomness")]
pub fn fill<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
