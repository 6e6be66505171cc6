//! Where ONNX Runtime's library is: looked for in one order, every place remembered for the message when it is nowhere.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// What was looked at, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Lookup {
    /// The library.
    pub(crate) found: Option<PathBuf>,
    /// The places, in order, in words.
    pub(crate) looked_at: Vec<String>,
}

/// A place to look at.
#[derive(Debug)]
enum Place {
    /// This very file, named by whom; nothing else is looked at when it is named.
    File(&'static str, PathBuf),
    /// A folder that may hold the library.
    Folder(PathBuf),
    /// A folder whose folders may hold it, one for each version.
    Versions(PathBuf),
}

/// Looks for the library: what an option names, what `ORT_DYLIB_PATH` names, beside the program, where the build puts it, in the
/// user's cache, in the system. A place that is named and does not hold it ends the search.
pub(crate) fn look(option: Option<&Path>) -> Lookup {
    let mut lookup = Lookup::default();
    for place in places(option) {
        let (words, found) = match &place {
            Place::File(by, path) => {
                (format!("{} (named by {by})", path.display()), in_named(path))
            }
            Place::Folder(folder) => (folder.display().to_string(), in_folder(folder)),
            Place::Versions(folder) => (format!("{}/*", folder.display()), in_versions(folder)),
        };
        lookup.looked_at.push(words);
        lookup.found = found;
        if lookup.found.is_some() || matches!(place, Place::File(..)) {
            break;
        }
    }
    lookup
}

fn places(option: Option<&Path>) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(path) = option {
        places.push(Place::File("the setting", path.into()));
    }
    if let Some(path) = env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        places.push(Place::File("ORT_DYLIB_PATH", path.into()));
    }
    let program = env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    if let Some(folder) = program.as_deref().and_then(Path::parent) {
        places.push(Place::Folder(folder.into()));
        let target =
            folder.ancestors().find(|folder| folder.file_name() == Some("target".as_ref()));
        places.extend(target.map(|target| Place::Versions(target.join("onnxruntime"))));
    }
    // For those who build elsewhere. A program in use must not load what lies in the folder it was started from.
    if cfg!(debug_assertions)
        && let Ok(here) = env::current_dir()
    {
        let targets = here.ancestors().map(|folder| folder.join("target/onnxruntime"));
        places.extend(targets.filter(|folder| folder.is_dir()).map(Place::Versions));
    }
    let home_cache = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home_cache);
    places.extend(cache.map(|cache| Place::Versions(cache.join("parsenode/onnxruntime"))));
    places.extend(system_folders().into_iter().map(Place::Folder));
    places
}

fn system_folders() -> Vec<PathBuf> {
    let listed = |name| {
        let value = env::var_os(name).unwrap_or_default();
        env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect::<Vec<_>>()
    };
    let mut folders = listed("LD_LIBRARY_PATH");
    folders.extend(listed("DYLD_LIBRARY_PATH"));
    let usual = [
        "/usr/local/lib",
        "/usr/local/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/onnxruntime/lib",
        "/opt/homebrew/lib",
    ];
    folders.extend(usual.map(PathBuf::from));
    folders
}

/// The file, or the library in it where it is a folder.
fn in_named(path: &Path) -> Option<PathBuf> {
    if path.is_file() { Some(path.into()) } else { in_folder(path) }
}

/// The library of a folder; the highest version of several.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| is_library(path) && path.is_file()).max_by_key(|path| version_in(path))
}

fn in_versions(folder: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    folders.filter_map(|folder| in_folder(&folder)).max_by_key(|path| version_in(path))
}

/// `libonnxruntime.so`, `libonnxruntime.so.1.32.0`, `libonnxruntime.1.32.0.dylib`, `onnxruntime.dll`; not `libonnxruntime_providers_…`.
fn is_library(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let of_unix = name.starts_with("libonnxruntime.so") || name == "libonnxruntime.dylib";
    let of_mac = name.starts_with("libonnxruntime.") && name.ends_with(".dylib");
    of_unix || of_mac || name == "onnxruntime.dll"
}

/// The numbers in a file's name, in order: those of its version.
pub(crate) fn version_in(path: &Path) -> Vec<u32> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, name: &str) -> PathBuf {
        fs::create_dir_all(folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, b"").unwrap();
        path
    }

    #[test]
    fn the_highest_version_is_taken_as_a_number() {
        let folder = tempfile::tempdir().unwrap();
        touch(&folder.path().join("1.9.0"), "libonnxruntime.so.1.9.0");
        let newest = touch(&folder.path().join("1.32.0"), "libonnxruntime.so.1.32.0");
        touch(&folder.path().join("9"), "libonnxruntime_providers_shared.so.9");
        assert_eq!(in_versions(folder.path()), Some(newest));
    }

    #[test]
    fn a_named_place_without_the_library_ends_the_search() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = look(Some(folder.path()));
        assert_eq!(lookup.found, None);
        assert_eq!(lookup.looked_at.len(), 1, "{lookup:?}");
        let library = touch(folder.path(), "libonnxruntime.so");
        assert_eq!(look(Some(folder.path())).found, Some(library.clone()));
        assert_eq!(look(Some(&library)).found, Some(library));
    }
}
