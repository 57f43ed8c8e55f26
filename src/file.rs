//! Files that appear whole or not at all, and files that are read whole or mapped.

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
