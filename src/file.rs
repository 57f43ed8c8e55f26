//! Files that are read whole, and that appear whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

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
