//! Whether the programs that are measured, which lie beside this one, are built from the sources of today.
//!
//! A build of `figures` alone links the server's library anew and leaves the server as it was.

use std::fs;
use std::path::Path;

/// What figures start as processes of their own.
const PROGRAMS: [&str; 2] = ["xunge-server", "xunge"];

/// Looks whether a source of a program is newer than the program.
///
/// Cargo notes beside each what it was made from. Programs that were taken elsewhere have no such note and are trusted.
///
/// # Errors
/// Which program, and the newer source.
pub(super) fn are_built() -> Result<(), String> {
    let here = std::env::current_exe().map_err(|error| format!("this program does not know where it lies: {error}"))?;
    let folder = here.parent().unwrap_or(Path::new("."));
    match PROGRAMS.iter().find_map(|program| Some((program, newer(folder, program)?))) {
        Some((program, source)) => Err(format!("{program} beside this program is older than {source}")),
        None => Ok(()),
    }
}

fn newer(folder: &Path, program: &str) -> Option<String> {
    let changed = |path: &Path| fs::metadata(path).and_then(|known| known.modified()).ok();
    let built = changed(&folder.join(program))?;
    let note = fs::read_to_string(folder.join(format!("{program}.d"))).ok()?;
    let (_, sources) = note.lines().next()?.split_once(": ")?;
    // A space in a name is written with a backslash.
    let sources = sources.replace("\\ ", "\0");
    let mut sources = sources.split_whitespace().map(|source| source.replace('\0', " "));
    sources.find(|source| changed(Path::new(source)).is_some_and(|changed| changed > built))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_program_older_than_one_of_its_sources_is_named_and_one_without_a_note_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let now = SystemTime::now();
        let written = |name: &str, seconds_ago: u64| {
            let file = File::create(path(name)).unwrap();
            file.set_modified(now - Duration::from_secs(seconds_ago)).unwrap();
        };
        written("server", 10);
        written("old.rs", 20);
        written("a new.rs", 5);
        assert_eq!(newer(folder.path(), "server"), None, "without a note");
        let of = |name: &str| path(name).to_str().unwrap().replace(' ', "\\ ");
        let note = format!("{}: {} {} {}\n", of("server"), of("old.rs"), of("gone.rs"), of("a new.rs"));
        fs::write(path("server.d"), note).unwrap();
        assert_eq!(newer(folder.path(), "server"), Some(path("a new.rs").to_str().unwrap().to_owned()));
        written("server", 0);
        assert_eq!(newer(folder.path(), "server"), None);
    }
}
