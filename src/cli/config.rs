//! The configuration file: defaults for knobs and settings, by the names of the flags.
//!
//! ```toml
//! n = 8
//! k = [1, 4, 16]
//! sigma = [1e-4, 1e-3, 1e-2]
//! precision = "f64"
//! theme = "light"
//! ```

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::flags::Options;
use super::folders;
use super::values::{Device, Dimensions, Memory, Positive, Record, Sigmas};
use crate::error::{Error, Result};
use crate::ui::plot::raster::Marker;

/// What the configuration file sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config(pub Options);

impl Config {
    /// Read `given`, or else `config.toml` in the configuration folder, which need not exist.
    ///
    /// # Errors
    /// A file that cannot be read, or holds an unknown key or a value that cannot be used; the message names the line.
    pub fn load(given: Option<&Path>) -> Result<Config> {
        let Some(path) = Config::path(given) else { return Ok(Config::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Config::parse(&path, &text),
            Err(e) if given.is_none() && e.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(e) => Err(Error::io(&path)(e)),
        }
    }

    /// The file: `given`, or else `config.toml` in the configuration folder; none without a home folder.
    pub fn path(given: Option<&Path>) -> Option<PathBuf> {
        given.map(Path::to_owned).or_else(|| folders::config().map(|folder| folder.join("config.toml")))
    }

    /// Read a configuration file's text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(path: &Path, text: &str) -> Result<Config> {
        toml::from_str(text).map(Config).map_err(|e| Error::toml(path, text, &e))
    }

    /// The options with the defaults of those that were not set; theme and memory have none, and that of the exhibits
    /// depends on whether there is a screen.
    pub fn complete(&self) -> Options {
        let (knobs, settings) = (self.0.knobs(), self.0.settings());
        Options {
            n: NonZeroUsize::new(knobs.n),
            k: Dimensions::new(knobs.ks).ok(),
            sigma: Sigmas::new(knobs.sigmas).ok(),
            draws: NonZeroUsize::new(knobs.draws),
            solver: Some(knobs.solver),
            tol: Positive::try_from(knobs.tol).ok(),
            law: Some(knobs.law),
            method: Some(knobs.method),
            seed: Some(knobs.seed),
            exhibits: self.0.exhibits.clone(),
            precision: Some(settings.precision),
            device: settings.device.parse::<Device>().ok(),
            threads: Some(settings.threads),
            memory: settings.memory.map(Memory),
            record: Some(self.0.record.unwrap_or(Record::On)),
            theme: self.0.theme.clone(),
            colour: Some(self.0.colour.unwrap_or_default()),
            marker: Some(self.0.marker.unwrap_or_else(Marker::of_terminal)),
            mouse: Some(self.0.mouse.unwrap_or_default()),
        }
    }

    /// As a configuration file with every key, those that were not set having their defaults.
    ///
    /// # Errors
    /// Never for options: every one has a TOML form.
    pub fn print(&self) -> std::result::Result<String, toml::ser::Error> {
        toml::to_string(&self.complete())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config> {
        Config::parse(Path::new("config.toml"), text)
    }

    #[test]
    fn every_key_is_read_and_printed() {
        let text =
            "n = 3\nk = [2]\nsigma = 1e-2\nmemory = \"2GiB\"\nrecord = \"off\"\ntheme = \"light\"\nlaw = \"random\"\n";
        let config = parse(text).unwrap();
        let knobs = config.0.knobs();
        assert_eq!((knobs.n, &knobs.ks[..], &knobs.sigmas[..], knobs.sigma), (3, &[2][..], &[1e-2][..], 1e-2));
        assert_eq!((config.0.settings().memory, config.0.record), (Some(2 << 30), Some(Record::Off)));

        let printed = config.print().unwrap();
        let again = parse(&printed).unwrap();
        assert_eq!((again.0.knobs(), again.0.settings()), (knobs, config.0.settings()), "{printed}");
        assert_eq!(again.print().unwrap(), printed);
    }

    #[test]
    fn what_cannot_be_used_names_file_line_and_key() {
        for (text, line, named) in [
            ("n = 3\nsgima = 1e-3\n", "line 2", "sgima"),
            ("n = 0\n", "line 1", "nonzero"),
            ("\n\nsigma = [1e-3, -1.0]\n", "line 3", "-1"),
            ("sigma = nan\n", "line 1", "NaN"),
            ("sigma = \"small\"\n", "line 1", "expected a number or a list"),
            ("k = []\n", "line 1", "at least one"),
            ("seed = 0\nlaw = \"left\"\n", "line 2", "left"),
            ("memory = \"much\"\n", "line 1", "much"),
            ("device = \"gpu\"\n", "line 1", "gpu"),
            ("n = \n", "line 1", ""),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.starts_with("config.toml: "), "{message}");
            assert!(message.contains(line) && message.contains(named), "{text:?} gave: {message}");
        }
    }

    #[test]
    fn a_flag_comes_before_the_file() {
        let flags = Options { n: NonZeroUsize::new(5), ..Options::default() };
        let file = parse("n = 3\nseed = 9\nsigma = [1e-1, 1e-3]").unwrap();
        let knobs = flags.or(&file.0).knobs();
        assert_eq!((knobs.n, knobs.seed, knobs.draws), (5, 9, 64));
        assert_eq!((&knobs.sigmas[..], knobs.sigma), (&[1e-3, 1e-1][..], 1e-3));
    }
}
