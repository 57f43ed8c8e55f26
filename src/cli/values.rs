//! Values as they are written on the command line, in the environment and in the configuration file, checked once for
//! all three.

use std::collections::BTreeSet;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::engine::knobs::Exhibit;

/// A positive finite number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Positive(pub f64);

impl TryFrom<f64> for Positive {
    type Error = String;

    fn try_from(x: f64) -> Result<Self, String> {
        if x.is_finite() && x > 0.0 { Ok(Positive(x)) } else { Err(format!("{x} is not a positive finite number")) }
    }
}

impl FromStr for Positive {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.trim().parse::<f64>().map_err(|_| format!("{text:?} is not a number"))?.try_into()
    }
}

impl From<Positive> for f64 {
    fn from(x: Positive) -> f64 {
        x.0
    }
}

/// A configuration value that is either one item or a list of them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a list of numbers")]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::One(x) => vec![x],
            OneOrMany::Many(list) => list,
        }
    }
}

/// Standard deviations σ, ascending, each once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMany<f64>")]
pub struct Sigmas(Vec<f64>);

impl Sigmas {
    /// The values, ascending; never empty.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// Put values in order.
    ///
    /// # Errors
    /// An empty list, or a value that is not positive and finite.
    pub fn new(values: Vec<f64>) -> Result<Self, String> {
        let mut list = values.into_iter().map(Positive::try_from).collect::<Result<Vec<_>, _>>()?;
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
        list.dedup();
        if list.is_empty() {
            Err("give at least one σ".into())
        } else {
            Ok(Sigmas(list.into_iter().map(f64::from).collect()))
        }
    }
}

impl TryFrom<OneOrMany<f64>> for Sigmas {
    type Error = String;

    fn try_from(values: OneOrMany<f64>) -> Result<Self, String> {
        Sigmas::new(values.into_vec())
    }
}

impl FromStr for Sigmas {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Sigmas::new(text.split(',').map(|part| part.parse().map(|Positive(x)| x)).collect::<Result<_, _>>()?)
    }
}

/// Dimensions k of subspaces, ascending, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "OneOrMany<usize>")]
pub struct Dimensions(Vec<usize>);

impl Dimensions {
    /// The values, ascending; never empty.
    pub fn values(&self) -> &[usize] {
        &self.0
    }

    /// Put values in order.
    ///
    /// # Errors
    /// An empty list, or 0 in it.
    pub fn new(mut values: Vec<usize>) -> Result<Self, String> {
        values.sort_unstable();
        values.dedup();
        match values.first() {
            None => Err("give at least one dimension".into()),
            Some(0) => Err("a subspace has at least 1 dimension".into()),
            Some(_) => Ok(Dimensions(values)),
        }
    }
}

impl TryFrom<OneOrMany<usize>> for Dimensions {
    type Error = String;

    fn try_from(values: OneOrMany<usize>) -> Result<Self, String> {
        Dimensions::new(values.into_vec())
    }
}

impl FromStr for Dimensions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |part: &str| part.trim().parse().map_err(|_| format!("{part:?} is not a whole number above 0"));
        Dimensions::new(text.split(',').map(part).collect::<Result<_, _>>()?)
    }
}

/// Exhibits, written `none`, `all` or a list of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Words", into = "String")]
pub struct Exhibits(pub BTreeSet<Exhibit>);

/// A configuration value that is either one text or a list of them.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a name or a list of names")]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Exhibits {
    /// Every one.
    pub fn all() -> Exhibits {
        Exhibits(Exhibit::ALL.into())
    }
}

impl FromStr for Exhibits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |name: &str| {
            Exhibit::from_str(name.trim(), false).map_err(|_| {
                let names: Vec<String> = Exhibit::ALL.iter().map(Exhibit::to_string).collect();
                format!("{:?} is no exhibit; write none, all or some of {}", name.trim(), names.join(","))
            })
        };
        match text.trim() {
            "none" => Ok(Exhibits(BTreeSet::new())),
            "all" => Ok(Exhibits::all()),
            list => list.split(',').map(one).collect::<Result<_, _>>().map(Exhibits),
        }
    }
}

impl TryFrom<Words> for Exhibits {
    type Error = String;

    fn try_from(words: Words) -> Result<Self, String> {
        match words {
            Words::One(text) => text.parse(),
            Words::Many(list) if list.is_empty() => "none".parse(),
            Words::Many(list) => list.join(",").parse(),
        }
    }
}

impl std::fmt::Display for Exhibits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.len() {
            0 => f.pad("none"),
            count if count == Exhibit::ALL.len() => f.pad("all"),
            _ => f.pad(&self.0.iter().map(Exhibit::to_string).collect::<Vec<_>>().join(",")),
        }
    }
}

impl From<Exhibits> for String {
    fn from(exhibits: Exhibits) -> String {
        exhibits.to_string()
    }
}

/// An amount of memory in bytes, written such as `4GiB`, `512MiB`, `1.5GB` or `1000000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Memory(pub u64);

/// Units by name, the longest names first.
const UNITS: [(&str, f64); 7] =
    [("GiB", 1073741824.0), ("MiB", 1048576.0), ("KiB", 1024.0), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)];

impl FromStr for Memory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unit = UNITS.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, *bytes)));
        let (number, unit) = unit.unwrap_or((text, 1.0));
        match number.trim().parse::<f64>() {
            Ok(x) if x.is_finite() && x * unit >= 1.0 => Ok(Memory((x * unit) as u64)),
            _ => Err(format!("{text:?} is no amount of memory; write it such as 4GiB or 512MiB")),
        }
    }
}

impl TryFrom<String> for Memory {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::fmt::Display for Memory {
    /// In the largest binary unit that divides it, so that it reads back as the same amount.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [("GiB", 1u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
        match units.iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)) {
            Some((name, bytes)) => write!(f, "{}{name}", self.0 / bytes),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl From<Memory> for String {
    fn from(memory: Memory) -> String {
        memory.to_string()
    }
}

/// Where to compute: `cpu` or `cuda:N`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Device(String);

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cuda = text.strip_prefix("cuda:").is_some_and(|index| index.parse::<usize>().is_ok());
        if text == "cpu" || cuda {
            Ok(Device(text.to_owned()))
        } else {
            Err(format!("{text:?} is neither cpu nor cuda:N"))
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> String {
        device.0
    }
}

/// Whether a run is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// As a session.
    On,
    /// Not at all.
    Off,
}

/// Columns and rows of a screen, written such as `120x40`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u16, pub u16);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let side = |text: &str| text.parse::<u16>().ok().filter(|side| (1..=1000).contains(side));
        text.split_once('x')
            .and_then(|(columns, rows)| Some(Size(side(columns)?, side(rows)?)))
            .ok_or_else(|| format!("{text:?} is no size; write columns and rows such as 120x40, each at most 1000"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_put_in_order() {
        assert_eq!("1e-2, 1e-4,1e-2".parse::<Sigmas>().unwrap().values(), [1e-4, 1e-2]);
        assert_eq!("16,1,4,4".parse::<Dimensions>().unwrap().values(), [1, 4, 16]);
    }

    #[test]
    fn exhibits_are_none_all_or_some() {
        let read = |text: &str| text.parse::<Exhibits>().unwrap();
        assert_eq!(read("none").0.len(), 0);
        assert_eq!(read("all"), Exhibits::all());
        assert_eq!(read("laws, traces").to_string(), "traces,laws");
        for text in ["none", "all", "traces,laws"] {
            assert_eq!(read(text).to_string(), text);
        }
        let refused = "traces,charts".parse::<Exhibits>().unwrap_err();
        assert!(refused.contains("\"charts\"") && refused.contains("density"), "{refused}");
        assert!("".parse::<Exhibits>().is_err());
        let file: toml::Table = toml::from_str("a = \"all\"\nb = [\"density\", \"laws\"]\nc = []").unwrap();
        let of = |key: &str| file[key].clone().try_into::<Exhibits>().unwrap().to_string();
        assert_eq!([of("a"), of("b"), of("c")], ["all", "laws,density", "none"]);
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_value() {
        for bad in ["0", "-1e-3", "NaN", "inf", "", "1e-3,,", "x"] {
            assert!(bad.parse::<Sigmas>().is_err(), "{bad}");
        }
        assert!("1e-3,zero".parse::<Sigmas>().unwrap_err().contains("zero"));
        for bad in ["0", "1,0", "-1", "", "1.5", "x"] {
            assert!(bad.parse::<Dimensions>().is_err(), "{bad}");
        }
        for bad in ["gpu", "cuda", "cuda:", "cuda:x", "CPU"] {
            assert!(bad.parse::<Device>().is_err(), "{bad}");
        }
        for bad in ["", "120", "0x40", "120x", "120x4000", "120×40"] {
            assert!(bad.parse::<Size>().is_err(), "{bad}");
        }
        assert_eq!("120x40".parse(), Ok(Size(120, 40)));
        for bad in ["", "GiB", "-1GiB", "0", "4 gibi", "NaN"] {
            assert!(bad.parse::<Memory>().is_err(), "{bad}");
        }
    }

    #[test]
    fn memory_reads_back_what_it_writes() {
        for (text, bytes, written) in [
            ("4GiB", 4 << 30, "4GiB"),
            ("512 MiB", 512 << 20, "512MiB"),
            ("1.5KiB", 1536, "1536B"),
            ("2GB", 2_000_000_000, "1953125KiB"),
            ("1048576", 1 << 20, "1MiB"),
        ] {
            let memory: Memory = text.parse().unwrap();
            assert_eq!((memory.0, memory.to_string().as_str()), (bytes, written));
            assert_eq!(memory.to_string().parse::<Memory>().unwrap(), memory);
        }
    }
}
