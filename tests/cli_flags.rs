//! Flags, environment and configuration file of the real program: what is refused, and what comes before what.

mod program;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use program::{Program, Said};

fn write(p: &Program, name: &str, contents: &str) -> PathBuf {
    let path = p.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, contents).unwrap();
    path
}

#[test]
fn wrong_usage_names_the_flag_and_ends_with_2() {
    let p = Program::new();
    for (args, words) in [
        (&["measure", "--sgima", "1"][..], &["--sgima"][..]),
        (&["measure", "--sigma", "0"], &["--sigma", "0 is not a positive"]),
        (&["measure", "--sigma", "-1e-3"], &["--sigma", "not a positive"]),
        (&["measure", "--sigma", "1e-3,NaN"], &["--sigma", "NaN"]),
        (&["measure", "--sigma", "small"], &["--sigma", "small"]),
        (&["measure", "--n", "0"], &["--n"]),
        (&["measure", "--n", "-3"], &["--n", "-3"]),
        (&["measure", "--k", "0"], &["--k"]),
        (&["measure", "--k", "1,,4"], &["--k"]),
        (&["measure", "--draws", "0"], &["--draws"]),
        (&["measure", "--tol", "-1"], &["--tol", "-1"]),
        (&["measure", "--solver", "guess"], &["--solver", "lanczos", "power"]),
        (&["measure", "--law", "left"], &["--law", "top"]),
        (&["measure", "--precision", "f16"], &["--precision", "f32"]),
        (&["measure", "--device", "gpu"], &["--device", "cuda:N"]),
        (&["measure", "--memory", "much"], &["--memory", "4GiB"]),
        (&["measure", "--format", "xml"], &["--format", "json"]),
        (&["measure", "--checkpoint", "here"], &["--tokens", "--text", "--shards"]),
        (&["measure", "--step", "3"], &["--checkpoint"]),
        (&["measure", "--text", "a", "--tokens", "b"], &["--text", "--tokens"]),
        (&["measure", "--text", "a", "--shards", "b"], &["--text", "--shards"]),
        (&["measure", "--tokens", "a", "--tokenizer", "gpt2"], &["--tokens", "--tokenizer"]),
        (&["measure", "--tokenizer", "gpt2"], &["--tokens", "--text", "--shards"]),
        (&["measure", "--rows", "0"], &["--rows"]),
        (&["measure", "--length", "1"], &["--length", "1"]),
        (&["train", "--out", "x", "--window-pattern", "X"], &["--window-pattern: \"X\""]),
        (&["measure", "--session", "a/b"], &["session", "a/b"]),
        (&["measure", "--session", "x", "--record", "off"], &["--session", "--record off"]),
        (&["--n", "4", "measure"], &["--n", "after 'measure'"]),
        (&["replay"], &["<SESSION>"]),
        (&["replay", "x", "--speed", "0"], &["--speed"]),
        (&["sessions", "remove"], &["<SESSION>"]),
        (&["juggle"], &["juggle"]),
    ] {
        p.run(args).refused(2, words);
    }
    assert!(!p.sessions().exists(), "nothing ran, so nothing is recorded");
}

/// The flags that a text names.
fn flags(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("--").filter_map(|(at, _)| {
        let name = &text[at + 2..];
        let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(name.len());
        let alone = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-');
        (alone && name.starts_with(|c: char| c.is_ascii_lowercase())).then(|| &text[at..at + 2 + end])
    })
}

/// The program's files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn every_flag_that_a_message_names_is_one() {
    /// Those of cargo and of the CUDA compiler.
    const OTHERS: [&str; 3] = ["--release", "--features", "--gpu-architecture"];
    let completions = Program::new().run(&["completions", "bash"]).done();
    let known: HashSet<&str> = flags(&completions).chain(OTHERS).collect();
    let mut named = HashSet::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let program = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for line in program.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for flag in flags(line) {
                assert!(known.contains(flag), "{}: {flag} is no flag: {line}", path.display());
                named.insert(flag.to_owned());
            }
        }
    }
    assert!(named.len() > 40 && named.contains("--window-pattern"), "{named:?}");
}

#[test]
fn what_is_not_there_is_named_and_ends_with_1() {
    let p = Program::new();
    p.run(&["measure", "--print-parameters", "--checkpoint", "gone", "--text", "x"]).refused(1, &["eigentop: gone"]);
    p.run(&["--config", "gone.toml", "config", "print"]).refused(1, &["eigentop: gone.toml"]);
    fs::create_dir(p.path("empty")).unwrap();
    p.run(&["measure", "--print-parameters", "--checkpoint", "empty", "--text", "x"])
        .refused(1, &["empty", "no checkpoint here"]);
    p.run(&["measure", "--print-parameters", "--out", "no/such/folder/x"]).refused(1, &["no/such/folder/x"]);
}

#[test]
fn a_configuration_that_cannot_be_used_names_file_line_and_key() {
    let p = Program::new();
    write(&p, "config/config.toml", "seed = 1\nsgima = 1e-3\n");
    p.run(&["config", "print"]).refused(1, &["config.toml", "line 2", "sgima", "sigma"]);
    p.run(&["measure"]).refused(1, &["config.toml", "line 2"]);
    let other = write(&p, "other.toml", "sigma = [1e-3, 0.0]\n");
    let other = other.to_str().unwrap();
    p.run(&["--config", other, "measure"]).refused(1, &["other.toml", "line 1", "0 is not a positive"]);
    p.run(&["measure", "--config", other]).refused(1, &["other.toml", "line 1"]);
    fs::create_dir(p.path("folder.toml")).unwrap();
    p.run(&["--config", "folder.toml", "config", "print"]).refused(1, &["folder.toml"]);
}

#[test]
fn flag_before_environment_before_file_before_default() {
    let p = Program::new();
    write(&p, "config/config.toml", "n = 3\nseed = 3\ndraws = 3\n");
    let mut command = p.command(&["config", "print", "--n", "5"]);
    command.env("EIGENTOP_N", "4").env("EIGENTOP_SEED", "4").env("EIGENTOP_SIGMA", "1e-2,1e-4");
    let printed: toml::Table = toml::from_str(&Said::of(command.output().unwrap()).done()).unwrap();
    let integer = |key: &str| printed[key].as_integer().unwrap();
    assert_eq!((integer("n"), integer("seed"), integer("draws")), (5, 4, 3));
    assert_eq!(printed["sigma"], toml::Value::try_from([1e-4, 1e-2]).unwrap());
    assert_eq!(printed["solver"].as_str(), Some("lanczos"));

    let mut command = p.command(&["config", "print"]);
    command.env("EIGENTOP_N", "many");
    Said::of(command.output().unwrap()).refused(2, &["--n", "many"]);
}

#[test]
fn what_config_prints_is_a_configuration() {
    let p = Program::new();
    let printed = p.run(&["config", "print", "--memory", "2GiB", "--k", "7"]).done();
    write(&p, "config/config.toml", &printed);
    assert_eq!(p.run(&["config", "print"]).done(), printed);
}

#[test]
fn the_order_of_parameters_is_printed_in_every_format() {
    let p = Program::new();
    let json: serde_json::Value =
        serde_json::from_str(&p.run(&["measure", "--print-parameters", "--format", "json"]).done()).unwrap();
    let tensors = json.as_array().unwrap();
    assert_eq!(tensors[0]["name"], "resid_lambdas");
    let mut offset = 0;
    for tensor in tensors {
        assert_eq!(tensor["offset"], offset);
        offset += tensor["shape"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap()).product::<u64>();
    }
    let table = p.run(&["measure", "--print-parameters"]).done();
    assert!(table.starts_with(&format!("{offset} parameters\n")), "{table}");
    let said = p.run(&["measure", "--print-parameters", "--format", "csv", "--out", "order.csv"]);
    assert_eq!(said.done(), "");
    let csv = fs::read_to_string(p.path("order.csv")).unwrap();
    assert_eq!(csv.lines().count(), tensors.len() + 1);
    assert!(p.run(&["measure", "--print-parameters", "--format", "md"]).done().contains("| lm_head.weight |"));
}

#[test]
fn help_and_version_are_no_errors() {
    let p = Program::new();
    assert!(p.run(&["--version"]).done().contains(env!("CARGO_PKG_VERSION")));
    let help = p.run(&["--help"]).done();
    for command in ["measure", "replay", "sessions", "themes", "config"] {
        assert!(help.contains(command), "{help}");
    }
}

#[test]
fn themes_keys_and_the_doctor_tell_what_there_is() {
    let p = Program::new();
    write(&p, "config/themes/own.toml", "inherits = \"dark\"\n");
    let themes = p.run(&["themes"]).done();
    for name in ["dark", "light", "mono", "own"] {
        assert!(themes.lines().any(|line| line.trim_start().starts_with(name)), "{themes}");
    }
    let keys = p.run(&["keys"]).done();
    for words in ["Ctrl-C", "Show this help", "In a replay"] {
        assert!(keys.contains(words), "{keys}");
    }
    let well = p.run(&["doctor"]).done();
    assert!(well.contains(env!("CARGO_PKG_VERSION")) && well.contains("not there: defaults"), "{well}");
    write(&p, "config/config.toml", "theme = \"plaid\"\n");
    write(&p, "config/keymap.toml", "[dashboard]\nzoom = \"q\"\n");
    let ill = p.run(&["doctor"]);
    assert_eq!((ill.status, ill.err.contains("2 of these cannot be used")), (1, true), "{ill:?}");
    assert!(ill.out.contains("plaid") && ill.out.contains("line 2: dashboard.zoom"), "{ill:?}");
    p.run(&["keys"]).refused(1, &["keymap.toml: line 2", "already bound to dashboard.quit"]);
}

#[test]
fn the_doctor_measures_and_writes_json() {
    let p = Program::new();
    let found: serde_json::Value = serde_json::from_str(&p.run(&["doctor", "--format", "json"]).done()).unwrap();
    let of = |name: &str| found.as_array().unwrap().iter().find(|f| f["name"] == name).unwrap()["found"].clone();
    for name in ["products, f32", "products, f64"] {
        let said = of(name);
        let speed: f64 = said.as_str().unwrap().split(' ').next().unwrap().parse().unwrap();
        assert!(speed > 0.0, "{said}");
    }
    assert!(of("size").as_str().unwrap().contains("no terminal"));
    assert!(of("memory").as_str().is_some() && of("vectors").as_str().is_some());
}

#[test]
fn the_page_of_keys_is_what_the_program_goes_by() {
    let page = Program::new().run(&["keys", "--format", "md"]).done();
    assert!(page == include_str!("../assets/keys.md"), "run: eigentop keys --format md > assets/keys.md");
}

#[test]
fn the_users_own_keys_are_listed() {
    let p = Program::new();
    write(&p, "config/keymap.toml", "[dashboard]\nquit = [\"Q\", \"m q\"]\nlog = []\n");
    let keys = p.run(&["keys"]).done();
    let line = |action: &str| keys.lines().find(|l| l.split_whitespace().any(|w| w == action)).unwrap().to_owned();
    assert!(line("quit").contains("Q  m q") && line("log").contains('–'), "{keys}");
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let p = Program::new();
    for (shell, words) in [
        ("bash", ["complete -F _eigentop", "--solver"]),
        ("zsh", ["#compdef eigentop", "--solver"]),
        ("fish", ["complete -c eigentop", "solver"]),
    ] {
        let script = p.run(&["completions", shell]).done();
        assert!(words.iter().all(|word| script.contains(word)), "{shell}");
        assert!(["measure", "doctor", "completions"].iter().all(|command| script.contains(command)), "{shell}");
    }
    p.run(&["completions", "tcsh"]).refused(2, &["tcsh", "bash"]);
    let page = p.run(&["man"]).done();
    assert!(page.contains(".TH eigentop 1") && page.contains("measure"), "{page}");
    assert_eq!(p.run(&["man", "--to", "pages"]).done(), "");
    for name in ["eigentop.1", "eigentop-measure.1", "eigentop-sessions-list.1"] {
        assert!(p.path("pages").join(name).exists(), "{name}");
    }
}
