//! `eigentop doctor`: what the program finds on this machine, with advice where something is off.

use std::io::IsTerminal;
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;
use terminal_colorsaurus::ThemeMode;

use super::Outcome;
use super::config::Config;
use super::folders;
use super::output;
use crate::data::tokenizer::TokenizerChoice;
use crate::engine::bench::matmul_gflops;
use crate::engine::{device, memory};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::format::number;
use crate::math::simd;
use crate::report::{Section, table};
use crate::ui::colour::{self, Colours};
use crate::ui::keymap::Keymap;
use crate::ui::screen::SMALLEST;
use crate::ui::theme::{self, Theme};

/// Flags of `eigentop doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Form of the findings.
    #[arg(long, value_enum, default_value = "table")]
    format: Form,
}

/// Forms of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Aligned columns to read.
    Table,
    /// A JSON list.
    Json,
}

/// Something looked at.
#[derive(Debug, Serialize)]
struct Finding {
    about: &'static str,
    name: &'static str,
    found: String,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// What it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Good,
    /// It works, but could be better.
    Poor,
    /// It cannot be used.
    Unusable,
}

impl Finding {
    fn good(about: &'static str, name: &'static str, found: impl Into<String>) -> Finding {
        Finding { about, name, found: found.into(), verdict: Verdict::Good, advice: None }
    }

    /// The same with advice, if `poor`.
    fn unless(self, poor: bool, advice: impl Into<String>) -> Finding {
        if poor { Finding { verdict: Verdict::Poor, advice: Some(advice.into()), ..self } } else { self }
    }

    /// What was read, or why it cannot be used; the message of an error is the advice.
    fn read<T>(name: &'static str, found: &Result<T>, tell: impl FnOnce(&T) -> String) -> Finding {
        match found {
            Ok(found) => Finding::good(FILES, name, tell(found)),
            Err(e) => Finding {
                verdict: Verdict::Unusable,
                advice: Some(e.to_string()),
                ..Finding::good(FILES, name, "cannot be used")
            },
        }
    }
}

const MACHINE: &str = "Machine";
const TERMINAL: &str = "Terminal";
const FILES: &str = "Files";

/// Run it.
///
/// # Errors
/// If something that was found cannot be used; everything else is told first.
pub fn run(args: &DoctorArgs, config: Option<&Path>) -> Result<Outcome> {
    let findings: Vec<Finding> = machine().into_iter().chain(terminal()).chain(files(config)).collect();
    let text = match args.format {
        Form::Table => in_words(&findings),
        Form::Json => serde_json::to_string_pretty(&findings).map_err(|e| Error::Computation(e.to_string()))? + "\n",
    };
    output::write(&text, None)?;
    match findings.iter().filter(|f| f.verdict == Verdict::Unusable).count() {
        0 => Ok(Outcome::Done),
        faults => Err(Error::Computation(format!("{faults} of these cannot be used"))),
    }
}

fn in_words(findings: &[Finding]) -> String {
    let section = |about: &str| {
        let row = |f: &Finding| {
            let sign = match f.verdict {
                Verdict::Good => "✓",
                Verdict::Poor => "!",
                Verdict::Unusable => "✗",
            };
            let advice = f.advice.iter().map(|a| vec![String::new(), String::new(), format!("→ {a}")]);
            std::iter::once(vec![sign.to_owned(), f.name.to_owned(), f.found.clone()]).chain(advice).collect::<Vec<_>>()
        };
        let rows = findings.iter().filter(|f| f.about == about).flat_map(row).collect();
        Section { title: about.to_owned(), columns: Vec::new(), rows }
    };
    table(&[MACHINE, TERMINAL, FILES].map(section))
}

fn machine() -> Vec<Finding> {
    let good = |name, found: String| Finding::good(MACHINE, name, found);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let threads = rayon::current_num_threads();
    let speed = |(one, all): (f64, f64)| format!("{} GFLOP/s a thread, {} on all", number(one, 3), number(all, 3));
    let available = memory::available();
    vec![
        good("eigentop", format!("{}, {build} build", env!("CARGO_PKG_VERSION")))
            .unless(cfg!(debug_assertions), "a debug build is several times slower: cargo build --release"),
        good("system", format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH)),
        match device::report() {
            Ok(gpu) => good("device", format!("cpu, {gpu}")),
            Err(why) => good("device", format!("cpu ({why})")),
        },
        good("threads", threads.to_string()),
        good("vectors", simd::level().to_owned())
            .unless(simd::level() == "none", "no vector instructions were found: everything will be slow here"),
        good("products, f32", speed(products::<f32>())),
        good("products, f64", speed(products::<f64>())),
        good("memory", available.map_or("unknown".into(), |bytes| format!("{} available", memory::human(bytes))))
            .unless(available.is_some_and(|bytes| bytes < 512 << 20), "the demo takes about 200 MiB; close something"),
    ]
}

/// GFLOP/s of matrix products as the tape takes them: on one thread, and on all at once; the fastest of two runs,
/// because others may use the machine too.
fn products<T: Real>() -> (f64, f64) {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    (one.map_or(f64::NAN, |one| one.install(|| matmul_gflops::<T>(1))), matmul_gflops::<T>(1))
}

fn terminal() -> Vec<Finding> {
    let good = |name, found: String| Finding::good(TERMINAL, name, found);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let kind = good("kind", variable("TERM").unwrap_or_else(|| "TERM is not set".into()));
    if !std::io::stdout().is_terminal() {
        return vec![good("size", "standard output is no terminal".into()), kind];
    }
    let size = crossterm::terminal::size().ok();
    let small = size.is_some_and(|(columns, rows)| columns < SMALLEST.0 || rows < SMALLEST.1);
    let colours = Colours::of_terminal();
    let multiplexer = match (variable("TMUX"), variable("STY")) {
        (Some(_), _) => Some("tmux"),
        (None, Some(_)) => Some("screen"),
        _ => None,
    };
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let utf8 = |locale: &String| locale.to_lowercase().replace('-', "").contains("utf8");
    let more = match multiplexer {
        Some("tmux") => "in tmux: set -as terminal-features \",*:RGB\"",
        Some(_) => "in screen 5: truecolor on",
        None => "if the terminal has 24-bit colour: export COLORTERM=truecolor, or --colour true",
    };
    let ground = match colour::ground() {
        Some(ThemeMode::Dark) => "dark",
        Some(ThemeMode::Light) => "light",
        None => "the terminal does not say; dark is assumed",
    };
    let mouse = match multiplexer {
        Some("tmux") => "as tmux passes it on: set -g mouse on",
        Some(_) => "as screen passes it on: mousetrack on",
        None => "listened to, unless --mouse off",
    };
    vec![
        good("size", size.map_or("unknown".into(), |(columns, rows)| format!("{columns}×{rows}")))
            .unless(small, format!("the dashboard needs {}×{}", SMALLEST.0, SMALLEST.1)),
        kind,
        good("colours", colours.name().to_owned()).unless(matches!(colours, Colours::Sixteen | Colours::Indexed), more),
        good("ground", ground.to_owned()),
        good("signs", locale.clone().unwrap_or_else(|| "no locale is set".into()))
            .unless(!locale.as_ref().is_some_and(utf8), "if signs look wrong: export LANG=C.UTF-8, or --marker ascii"),
        good("mouse", mouse.to_owned()),
        good("inside", multiplexer.unwrap_or("no tmux or screen").to_owned()),
    ]
}

fn files(config: Option<&Path>) -> Vec<Finding> {
    let read = Config::load(config);
    let place = |path: Option<std::path::PathBuf>| match path {
        Some(file) if file.exists() => file.display().to_string(),
        Some(file) => format!("{} (not there: defaults)", file.display()),
        None => "no home folder: defaults".to_owned(),
    };
    let keymap = Keymap::load(folders::keymap().as_deref());
    let name = read.as_ref().ok().and_then(|config| config.0.theme.clone());
    let theme = Theme::load(name.as_deref().unwrap_or("dark"), folders::themes().as_deref());
    let themes = theme::all(folders::themes().as_deref(), Colours::True);
    let broken = themes.iter().find_map(|(_, theme)| theme.as_ref().err().cloned());
    let themes = broken.map_or(Ok(themes.len()), |why| Err(Error::Computation(why)));
    let sessions = folders::sessions().and_then(|store| Ok((store.folder().to_owned(), store.list()?.len())));
    vec![
        Finding::read("configuration", &read, |_| place(Config::path(config))),
        Finding::read("keymap", &keymap, |_| place(folders::keymap())),
        Finding::read("theme", &theme, |theme| name.map_or("as the ground is".into(), |_| theme.name.clone())),
        Finding::read("themes", &themes, |count| {
            format!("{count}; your own in {}", folders::themes().map_or("–".into(), |f| f.display().to_string()))
        }),
        tokenizers(),
        Finding::read("sessions", &sessions, |(folder, count)| format!("{count} in {}", folder.display())),
        Finding::good(FILES, "panes and views", place(folders::state())),
    ]
}

/// What texts can be read with, besides what lies beside a checkpoint.
fn tokenizers() -> Finding {
    let nanochat = folders::nanochat().and_then(|base| TokenizerChoice::beside(&base));
    let read = nanochat.as_ref().map(|choice| Ok((choice, choice.open()?.vocabulary()))).transpose();
    Finding::read("tokenizers", &read, |found| {
        let nanochat = found.map_or(String::new(), |(path, count)| format!(", {path} ({count} tokens)"));
        format!("bytes, gpt2{nanochat}")
    })
}
