//! Where sessions are kept, by name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::format::{EVENTS, LOCK};
use super::metadata::Metadata;
use crate::error::{Error, Result};

/// Longest name of a session, in bytes: below what every common file system takes.
const MAX_NAME: usize = 120;

/// A folder of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    folder: PathBuf,
}

/// One line of a list of sessions.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What it is of, or why that cannot be read.
    pub metadata: Result<Metadata>,
    /// Events recorded.
    pub events: usize,
    /// Size of the events, bytes.
    pub bytes: u64,
}

impl Store {
    /// The sessions in `folder`, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Store {
        Store { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the session called `name`, whether it exists or not.
    ///
    /// # Errors
    /// A name that is no plain file name.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        Ok(self.folder.join(name))
    }

    /// The folder of an existing session, given by its name in this store or by the path of its folder.
    ///
    /// # Errors
    /// If neither exists; the message says where it was sought.
    pub fn find(&self, name_or_path: &str) -> Result<PathBuf> {
        let named = check_name(name_or_path).is_ok().then(|| self.folder.join(name_or_path));
        let given = PathBuf::from(name_or_path);
        let found = named.iter().chain([&given]).find(|folder| folder.join(EVENTS).is_file());
        found.cloned().ok_or_else(|| {
            let what = match named {
                Some(_) => format!("no session of this name in {}", self.folder.display()),
                None => format!("no session here: it has no {EVENTS}"),
            };
            Error::file(&given, what)
        })
    }

    /// All sessions by name, which for those named by date means oldest first.
    ///
    /// # Errors
    /// What the system refuses. A folder that does not exist holds no sessions.
    pub fn list(&self) -> Result<Vec<Entry>> {
        let entries = match self.folder.read_dir() {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io(&self.folder)(e)),
        };
        let mut list = Vec::new();
        for entry in entries {
            let folder = entry.map_err(Error::io(&self.folder))?.path();
            if let (true, Some(name)) = (folder.join(EVENTS).is_file(), folder.file_name()) {
                list.push(Entry::of(name.to_string_lossy().into_owned(), &folder)?);
            }
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// Delete the session called `name`.
    ///
    /// # Errors
    /// If there is none, it is being recorded, or the system refuses.
    pub fn remove(&self, name: &str) -> Result<()> {
        let folder = self.path(name)?;
        if !folder.join(EVENTS).is_file() {
            return Err(Error::file(Path::new(name), format!("no session of this name in {}", self.folder.display())));
        }
        // Released before the folder goes: some systems do not delete an open file.
        drop(lock(&folder)?);
        std::fs::remove_dir_all(&folder).map_err(Error::io(&folder))
    }

    /// The folder for a new session called `name`.
    ///
    /// # Errors
    /// A name that is no plain file name or is taken.
    pub(super) fn available(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path(name)?;
        if folder.exists() { Err(taken(name, &folder)) } else { Ok(folder) }
    }

    /// Make the folder of a new session called `name`.
    ///
    /// # Errors
    /// A name that is no plain file name or is taken; what the system refuses.
    pub(super) fn create(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path(name)?;
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        std::fs::create_dir(&folder).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => taken(name, &folder),
            _ => Error::io(&folder)(e),
        })?;
        Ok(folder)
    }

    /// Make the folder of a new session called `stem`, or `stem-2`, `stem-3`, … if that is taken.
    ///
    /// # Errors
    /// What the system refuses.
    pub(super) fn create_unique(&self, stem: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        for i in 1u32.. {
            let name = if i == 1 { stem.to_owned() } else { format!("{stem}-{i}") };
            let folder = self.folder.join(name);
            match std::fs::create_dir(&folder) {
                Ok(()) => return Ok(folder),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => (),
                Err(e) => return Err(Error::io(&folder)(e)),
            }
        }
        Err(Error::file(&self.folder, "every name is taken"))
    }

    /// Rename the folder of a session to `name` within this store.
    ///
    /// # Errors
    /// A name that is no plain file name or is taken; what the system refuses.
    pub(super) fn rename(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        let target = self.available(name)?;
        std::fs::rename(folder, &target).map_err(Error::io(&target))?;
        Ok(target)
    }
}

impl Entry {
    fn of(name: String, folder: &Path) -> Result<Entry> {
        let path = folder.join(EVENTS);
        let file = File::open(&path).map_err(Error::io(&path))?;
        let bytes = file.metadata().map_err(Error::io(&path))?.len();
        let mut lines = 0;
        let mut reader = BufReader::new(file);
        // Lines are skipped, not kept: a session may be large.
        while reader.skip_until(b'\n').map_err(Error::io(&path))? > 0 {
            lines += 1;
        }
        // The first is the header.
        Ok(Entry { name, metadata: Metadata::read(folder), events: usize::saturating_sub(lines, 1), bytes })
    }
}

/// Hold a session against a second writer until the returned file is dropped, which a killed process does too.
///
/// # Errors
/// If another process holds it.
pub(super) fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::file(folder, "this session is being recorded; stop that run first"))
        }
        Err(TryLockError::Error(e)) => Err(Error::io(&path)(e)),
    }
}

/// A session's name from a checkpoint's: what no file name can hold becomes a hyphen.
pub(super) fn file_name(text: &str) -> String {
    let name: String = text.chars().map(|c| if allowed(c) { c } else { '-' }).take(MAX_NAME / 4).collect();
    if name.is_empty() { "session".into() } else { name }
}

fn allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn check_name(name: &str) -> Result<()> {
    let what = if name.is_empty() {
        "a session's name cannot be empty".to_owned()
    } else if name.len() > MAX_NAME {
        format!("a session's name has at most {MAX_NAME} bytes")
    } else if name.starts_with('.') || !name.chars().all(allowed) {
        format!("{name:?} is no session name: use letters, digits, '.', '_' and '-', not beginning with '.'")
    } else {
        return Ok(());
    };
    Err(Error::knob("session", what))
}

fn taken(name: &str, folder: &Path) -> Error {
    Error::knob("session", format!("{name} exists already in {}", folder.parent().unwrap_or(folder).display()))
}
