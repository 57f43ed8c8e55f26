//! What cannot be used is said where the command was typed, before the terminal is touched.

use std::fs;

use crate::on_fixture;
use crate::program::Program;
use crate::pty::Terminal;

#[test]
fn bad_input_is_named_on_the_normal_screen() {
    let p = Program::new();
    fs::create_dir_all(p.path("config/themes")).unwrap();
    fs::create_dir(p.path("folder.toml")).unwrap();
    fs::write(p.path("config/themes/odd.toml"), "inherits = \"dark\"\n[tokens]\ntext = \"no-such-colour\"\n").unwrap();
    fs::write(p.path("typo.toml"), "n = 2\nsgima = 1e-3\n").unwrap();
    fs::write(p.path("tokens.json"), "{\"inputs\": [[1, 2], [3]]}").unwrap();
    let cases: [(&[&str], u32, &[&str]); 14] = [
        (&["--checkpoint", "gone", "--text", "typo.toml"], 1, &["gone"]),
        (&["--text", "gone.txt"], 1, &["gone.txt"]),
        (&["--tokens", "tokens.json"], 1, &["tokens.json"]),
        (&["--theme", "odd"], 1, &["odd.toml", "tokens.text", "no-such-colour"]),
        (&["--theme", "plaid"], 2, &["--theme", "plaid", "mono"]),
        (&["--config", "typo.toml"], 1, &["typo.toml", "line 2", "sgima"]),
        (&["--config", "folder.toml"], 1, &["folder.toml"]),
        (&["--sigma", "nan"], 2, &["--sigma", "NaN"]),
        (&["--n", "100000"], 1, &["--n: 100000 needs 100001 sequences"]),
        (&["--n", "18446744073709551615"], 1, &["--n: 18446744073709551615 needs"]),
        (&["--n", "0"], 2, &["--n"]),
        (&["--k", "100000000"], 1, &["--k", "100000000", "parameters"]),
        (&["--session", "../up"], 2, &["session", "../up"]),
        (&["replay", "nowhere"], 1, &["nowhere", "no session"]),
    ];
    for (args, status, words) in cases {
        let left = Terminal::start(&p.command(args), (150, 30)).wait_end();
        left.said(status, words);
        left.untouched();
    }
    assert!(!p.sessions().exists(), "nothing was begun, so nothing is recorded");
}

#[test]
fn data_too_short_for_n_is_named_with_what_would_do() {
    let p = Program::new();
    let left = Terminal::start(&on_fixture(&p, &["--n", "500"], &[]), (150, 30)).wait_end();
    left.said(1, &["--n: 500 needs 501 sequences", "use 1 to"]);
    left.untouched();
}
