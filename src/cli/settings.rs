//! The configuration's keys for the dashboard: listed, checked and kept by the one definition of the flags.

use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use toml_edit::DocumentMut;

use super::config::Config;
use super::flags::Options;
use super::output;
use super::screen::ScreenFlags;
use crate::error::{Error, Result};
use crate::math::format;
use crate::ui::settings::{Origin, Setting};

/// Every key of the configuration file is a flag of this command.
fn definition() -> Command {
    ScreenFlags::augment_args(Options::augment_args(Command::new("eigentop")))
}

/// Every key with its value: `given` on the command line or in the environment, read from the file, or the default.
///
/// # Errors
/// Never for options: every one has a JSON form.
pub fn list(given: &ArgMatches, config: &Config, in_force: &Options) -> Result<Vec<Setting>> {
    // By JSON rather than TOML, which has no numbers above 2^63.
    let table = |options: &Options| serde_json::to_value(options).map_err(|e| Error::Computation(e.to_string()));
    let (file, all) = (table(&config.0)?, table(&Config(in_force.clone()).complete())?);
    let setting = |arg: &clap::Arg| {
        let key = arg.get_id().as_str().to_owned();
        let source = given.try_contains_id(&key).ok().and_then(|_| given.value_source(&key));
        let origin = match source {
            Some(ValueSource::CommandLine) => Origin::Flag,
            Some(ValueSource::EnvVariable) => Origin::Environment,
            _ if !file[&key].is_null() => Origin::File,
            _ => Origin::Default,
        };
        let choices = arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
        let about = arg.get_help().map_or(String::new(), |help| help.to_string().trim_end_matches('.').to_owned());
        Setting { value: text(&all[&key]), key, about, choices, origin, next: None }
    };
    Ok(definition().get_arguments().map(setting).collect())
}

/// A value as its flag has it; empty if it is not set.
fn text(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(x) if x.is_f64() => x.as_f64().map_or(String::new(), format::exact),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Whether `value` is one of `key`'s.
///
/// # Errors
/// What is wrong with it, in the words of the flag.
pub fn check(key: &str, value: &str) -> std::result::Result<(), String> {
    parsed(key, value).map(drop)
}

/// The value as TOML.
fn parsed(key: &str, value: &str) -> std::result::Result<toml_edit::Value, String> {
    let first_line = |e: clap::Error| {
        let text = e.to_string();
        text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    };
    let matches = definition().try_get_matches_from(["eigentop".to_owned(), format!("--{key}={value}")]);
    let matches = matches.map_err(first_line)?;
    let options = Options::from_arg_matches(&matches).map_err(first_line)?;
    let options = ScreenFlags::from_arg_matches(&matches).map_err(first_line)?.over(&options);
    let table = toml::Table::try_from(options).map_err(|e| e.to_string())?;
    let value = table.get(key).ok_or_else(|| format!("no such key {key:?}"))?;
    value.to_string().parse().map_err(|e: toml_edit::TomlError| e.to_string())
}

/// Write `key = value` to the configuration file at `path`: whole or not at all, everything else in it as it was.
///
/// # Errors
/// A value that is none of the key's; a file that cannot be read, used or written.
pub fn keep(path: &Path, key: &str, value: &str) -> Result<PathBuf> {
    let mut value = parsed(key, value).map_err(|what| Error::file(path, what))?;
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(Error::io(path)(e)),
    };
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| Error::file(path, e.to_string()))?;
    if let Some(former) = document.get(key).and_then(toml_edit::Item::as_value) {
        // A comment behind the value stays.
        *value.decor_mut() = former.decor().clone();
    }
    document[key] = value.into();
    let text = document.to_string();
    Config::parse(path, &text)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    // A link stays a link: what it points at is replaced.
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    output::write(&text, Some(&real))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_value_leaves_the_rest_of_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/config.toml");
        keep(&path, "n", "4").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "n = 4\n");
        std::fs::write(&path, "# mine\nn = 4  # few\n\n# wide\nsigma = [1e-3]\n").unwrap();
        keep(&path, "n", "5").unwrap();
        keep(&path, "k", "1,8").unwrap();
        keep(&path, "memory", "2GiB").unwrap();
        keep(&path, "theme", "paper").unwrap();
        keep(&path, "colour", "256").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# mine\nn = 5  # few\n\n# wide\nsigma = [1e-3]\n"), "{text}");
        for line in ["k = [1, 8]", "memory = \"2GiB\"", "theme = \"paper\"", "colour = \"256\""] {
            assert!(text.lines().any(|l| l == line), "{text}");
        }
        assert_eq!(Config::parse(&path, &text).unwrap().0.knobs().ks, [1, 8]);
    }

    #[test]
    fn a_wrong_value_is_refused_in_the_words_of_the_flag() {
        assert!(check("n", "0").unwrap_err().contains("invalid value '0' for '--n"));
        assert!(check("solver", "magic").unwrap_err().contains("magic"));
        assert!(check("sigma", "1e-3,-1").unwrap_err().contains("not a positive"));
        assert!(check("colours", "3").unwrap_err().contains("--colours"));
        assert_eq!(check("sigma", "1e-3,1e-2"), Ok(()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "sgima = 3\n").unwrap();
        assert!(keep(&path, "n", "4").unwrap_err().to_string().contains("line 1: "));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "sgima = 3\n");
    }

    #[test]
    fn every_key_is_listed_with_its_origin() {
        let command = definition();
        let matches = command.try_get_matches_from(["eigentop", "--n", "5", "--theme", "paper"]).unwrap();
        let config = Config(Options { seed: Some(9), ..Options::default() });
        let flags = Options::from_arg_matches(&matches).unwrap();
        let options = ScreenFlags::from_arg_matches(&matches).unwrap().over(&flags.or(&config.0));
        let settings = list(&matches, &config, &options).unwrap();
        let find = |key: &str| settings.iter().find(|s| s.key == key).unwrap();
        assert_eq!((find("n").value.as_str(), find("n").origin), ("5", Origin::Flag));
        assert_eq!((find("seed").value.as_str(), find("seed").origin), ("9", Origin::File));
        assert_eq!((find("sigma").value.as_str(), find("sigma").origin), ("1e-4,1e-3,1e-2", Origin::Default));
        assert_eq!((find("theme").value.as_str(), find("theme").origin), ("paper", Origin::Flag));
        assert_eq!(find("solver").choices, ["lanczos", "power", "lobpcg"]);
        assert!(find("tol").about.starts_with("Eigenpairs are converged"));
        // What the file may say and what is listed are the same keys.
        let (memory, exhibits) = ("1GiB".parse().ok(), "all".parse().ok());
        let keys = toml::Table::try_from(Config(Options { memory, exhibits, ..options }).complete());
        let mut keys: Vec<String> = keys.unwrap().keys().cloned().collect();
        let mut listed: Vec<String> = settings.iter().map(|s| s.key.clone()).collect();
        keys.sort();
        listed.sort();
        assert_eq!(keys, listed);
    }
}
