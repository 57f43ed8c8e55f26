//! Files and folders that appear whole or not at all, and files that are read whole or mapped.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// A file's bytes, mapped into memory: pages are read as they are looked at, and none is held twice.
pub type Map = memmap2::Mmap;

/// Map a file into memory. It must not be changed or cut short meanwhile: what is read would change too, or the process
/// end. Those who write checkpoints write new files.
///
/// # Errors
/// What the system refuses, with the file's path.
pub fn map(path: &Path) -> Result<Map> {
    let file = File::open(path).map_err(Error::io(path))?;
    // SAFETY: the mapping is read-only, and whoever changes the file meanwhile breaks the contract above.
    unsafe { Map::map(&file) }.map_err(Error::io(path))
}

/// Read a text.
///
/// # Errors
/// What the system refuses, with the file's path.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io(path))
}

/// Read a whole file of at most `most` bytes that is not compressed.
///
/// # Errors
/// What the system refuses; a compressed file or one that is larger, with what to do.
pub fn read_plain(path: &Path, most: u64) -> Result<Vec<u8>> {
    let length = path.metadata().map_err(Error::io(path))?.len();
    if length > most {
        return Err(Error::file(path, format!("{length} bytes; such a file has at most {most}: is it the right one?")));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    refuse_compressed(path, &bytes)?;
    Ok(bytes)
}

/// Look at a file's first bytes.
///
/// # Errors
/// If they are those of a compressed file, with how to unpack it.
pub fn refuse_compressed(path: &Path, head: &[u8]) -> Result<()> {
    let tool = match head {
        [0x1f, 0x8b, ..] => "gunzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "unzstd",
        [b'B', b'Z', b'h', ..] => "bunzip2",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => "unxz",
        [b'P', b'K', 3, 4, ..] => "unzip",
        _ => return Ok(()),
    };
    Err(Error::file(path, format!("this file is compressed; unpack it first ({tool})")))
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whom the system's umask lets, as with any new file.
    Usual,
    /// Its owner alone.
    Owner,
}

/// Write a file beside its final place, then move it there. The folder must exist.
///
/// # Errors
/// What the system refuses, with the file's path.
pub fn replace(path: &Path, contents: &[u8], readers: Readers) -> Result<()> {
    replace_by(path, readers, |mut file, _| file.write_all(contents).map_err(Error::io(path)))
}

/// The same for contents that `write` puts into the file it is given with its path.
///
/// # Errors
/// As [`replace`]; what `write` returns.
pub fn replace_by(path: &Path, readers: Readers, write: impl FnOnce(&File, &Path) -> Result<()>) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    if readers == Readers::Usual {
        use std::os::unix::fs::PermissionsExt;
        // A temporary file is its owner's alone unless told otherwise; the umask still applies.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = readers;
    let file = builder.tempfile_in(folder).map_err(Error::io(path))?;
    write(file.as_file(), file.path())?;
    file.as_file().sync_all().map_err(Error::io(path))?;
    file.persist(path).map_err(|e| Error::io(path)(e.error))?;
    Ok(())
}

/// Fill a new folder beside its final place, then move it there; the folders above it are made. A folder that exists
/// keeps what else it holds: `write` then puts its files there.
///
/// # Errors
/// What the system refuses; what `write` returns.
pub fn folder(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if path.exists() {
        return write(path);
    }
    let above = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(above).map_err(Error::io(above))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As with any new folder, the umask says who may look into it.
        builder.permissions(std::fs::Permissions::from_mode(0o777));
    }
    let beside = builder.tempdir_in(above).map_err(Error::io(path))?;
    write(beside.path())?;
    std::fs::rename(beside.path(), path).map_err(Error::io(path))?;
    // It is no longer there to be removed.
    let _ = beside.keep();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_appears_whole_or_not_at_all() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("deep/new");
        let one = |name: &'static str| move |to: &Path| replace(&to.join(name), b"x", Readers::Usual);
        let torn = folder(&path, |to| one("a")(to).and(Err(Error::Cancelled)));
        assert!(matches!(torn, Err(Error::Cancelled)));
        assert_eq!(std::fs::read_dir(above.path().join("deep")).unwrap().count(), 0);
        folder(&path, one("a")).unwrap();
        folder(&path, one("b")).unwrap();
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 2);
        assert_eq!(std::fs::read_dir(above.path().join("deep")).unwrap().count(), 1);
    }
}
