//! The real program, with folders of its own for data and configuration.

#![allow(dead_code, reason = "each test program uses a part")]

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program with fresh, empty folders.
pub struct Program {
    folder: TempDir,
}

/// What the program said and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Exit status.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Program {
    /// Fresh folders.
    pub fn new() -> Program {
        Program { folder: tempfile::tempdir().expect("a folder for the test") }
    }

    /// A path inside the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the program keeps its sessions.
    pub fn sessions(&self) -> PathBuf {
        self.path("data/sessions")
    }

    /// The command, ready to run in the test's folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eigentop"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EIGENTOP_")) {
            command.env_remove(name);
        }
        command.args(args).current_dir(self.folder.path());
        command.env("EIGENTOP_DATA_DIR", self.path("data")).env("EIGENTOP_CONFIG_DIR", self.path("config"));
        command
    }

    /// Run it to its end.
    pub fn run(&self, args: &[&str]) -> Said {
        Said::of(self.command(args).output().expect("the program starts"))
    }
}

impl Said {
    /// From a process that ended; a signal counts as −1.
    pub fn of(output: Output) -> Said {
        Said {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Assert the exit status and that standard error holds each of `words`; nothing may be on standard output.
    #[track_caller]
    pub fn refused(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
    }

    /// Assert that all went well, without a word on standard error, and return standard output.
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!((self.status, self.err.as_str()), (0, ""), "{self:?}");
        self.out
    }
}
