//! Where a user's files live: as the system says, unless the environment says otherwise.

use std::path::PathBuf;

use directories::{BaseDirs, ProjectDirs};

use crate::error::{Error, Result};
use crate::session::Store;

fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "eigentop")
}

fn from_env(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// The folder of `config.toml`, `keymap.toml` and `themes/`: `EIGENTOP_CONFIG_DIR`, or the system's. `None` without a home folder.
pub fn config() -> Option<PathBuf> {
    from_env("EIGENTOP_CONFIG_DIR").or_else(|| project().map(|p| p.config_dir().to_owned()))
}

/// The user's own keys.
pub fn keymap() -> Option<PathBuf> {
    config().map(|folder| folder.join("keymap.toml"))
}

/// The user's own themes.
pub fn themes() -> Option<PathBuf> {
    config().map(|folder| folder.join("themes"))
}

/// The file of what the dashboard remembers: `dashboard.toml` in `EIGENTOP_STATE_DIR`, else `EIGENTOP_DATA_DIR`, else
/// the system's folder for state, or for data where it has none. `None` without a home folder.
pub fn state() -> Option<PathBuf> {
    let system = || project().map(|p| p.state_dir().unwrap_or(p.data_dir()).to_owned());
    let folder = from_env("EIGENTOP_STATE_DIR").or_else(|| from_env("EIGENTOP_DATA_DIR")).or_else(system);
    folder.map(|folder| folder.join("dashboard.toml"))
}

/// Recorded sessions: `sessions/` in `EIGENTOP_DATA_DIR`, or in the system's folder for data.
///
/// # Errors
/// Without a home folder.
pub fn sessions() -> Result<Store> {
    let data = from_env("EIGENTOP_DATA_DIR").or_else(|| project().map(|p| p.data_dir().to_owned()));
    let data = data.ok_or_else(|| {
        Error::Computation("there is no home folder for sessions; set EIGENTOP_DATA_DIR, or use --record off".into())
    })?;
    Ok(Store::at(data.join("sessions")))
}

/// Where nanochat keeps its checkpoints, its tokenizer and its shards: `NANOCHAT_BASE_DIR`, or `.cache/nanochat` in the
/// home folder. `None` without one.
pub fn nanochat() -> Option<PathBuf> {
    from_env("NANOCHAT_BASE_DIR").or_else(|| BaseDirs::new().map(|d| d.home_dir().join(".cache/nanochat")))
}
