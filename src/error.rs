//! The one error type of the library: every variant names the file, key or knob at fault and what to do about it.

use std::path::{Path, PathBuf};

/// What went wrong, to which file, key or knob, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An array operation failed in the tensor library: a defect, or memory ran out.
    #[error("array operation failed: {0}")]
    Array(#[from] candle_core::Error),
    /// The operating system refused a file.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was read but its contents cannot be used.
    #[error("{path}: {what}", path = path.display())]
    File {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong in it and what would mend it.
        what: String,
    },
    /// A knob or flag has a value that cannot be used.
    #[error("{knob}: {what}")]
    Knob {
        /// The knob or flag as the user spells it, such as `--sigma`.
        knob: &'static str,
        /// What is wrong and which values are accepted.
        what: String,
    },
    /// A computation produced a value that is not finite.
    #[error("{0}")]
    NotFinite(String),
    /// A computation could not be carried out; the message says why and what would help.
    #[error("{0}")]
    Computation(String),
    /// The work was superseded by a newer command; not a failure.
    #[error("cancelled")]
    Cancelled,
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Attach a path to what the system said.
    pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
        move |source| Error::Io { path: path.to_owned(), source }
    }

    /// A file whose contents cannot be used.
    pub fn file(path: &Path, what: impl Into<String>) -> Error {
        Error::File { path: path.to_owned(), what: what.into() }
    }

    /// The same, at the byte `offset` of the file's `text`: the message names the line.
    pub fn file_at(path: &Path, text: &str, offset: usize, what: impl std::fmt::Display) -> Error {
        let line = 1 + text.bytes().take(offset).filter(|b| *b == b'\n').count();
        Error::file(path, format!("line {line}: {what}"))
    }

    /// What the TOML reader says of the file's `text`.
    pub fn toml(path: &Path, text: &str, e: &toml::de::Error) -> Error {
        let what = e.message().replace('\n', "; ");
        match e.span() {
            Some(span) => {
                let source = text.get(span.clone()).filter(|s| !s.is_empty() && !s.contains('\n'));
                Error::file_at(path, text, span.start, what + &source.map_or(String::new(), |s| format!(" (at {s:?})")))
            }
            None => Error::file(path, what),
        }
    }

    /// A knob whose value cannot be used.
    pub fn knob(knob: &'static str, what: impl Into<String>) -> Error {
        Error::Knob { knob, what: what.into() }
    }
}

/// "; did you mean …?" with the name among `known` that looks most like `wrong`; nothing if none does.
pub fn did_you_mean<N: AsRef<str>>(wrong: &str, known: impl IntoIterator<Item = N>) -> String {
    let alike = |name: N| (strsim::jaro_winkler(wrong, name.as_ref()), name);
    match known.into_iter().map(alike).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, name)) if likeness > 0.7 => format!("; did you mean {:?}?", name.as_ref()),
        _ => String::new(),
    }
}
