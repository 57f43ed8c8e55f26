//! `eigentop reproduce` through the real program, on a tiny model that is trained for it: end to end, kept, gone on with.

mod program;

use std::fs;
use std::path::Path;

use program::{Program, Said};

/// The program with a tiny checkpoint and its text.
fn tiny() -> Program {
    let p = Program::new();
    let text = "In girum imus nocte et consumimur igni. ".repeat(12);
    fs::write(p.path("text.txt"), text).unwrap();
    let sizes = ["--layers", "2", "--width", "32", "--heads", "2", "--kv-heads", "1", "--context", "16"];
    let train =
        [&["train", "--text", "text.txt", "--out", "tiny", "--steps", "30", "--batch", "4"], &sizes[..]].concat();
    p.run(&train).done();
    p
}

fn reproduce(p: &Program, what: &str, rest: &[&str]) -> Said {
    let source = ["--checkpoint", "tiny", "--text", "text.txt"];
    let size = ["--grow-to", "3", "--runs", "2", "--repeats", "2", "--n", "3", "--draws", "8"];
    let knobs = ["--k", "1,2", "--sigma", "1e-3,1e-2", "--threads", "2"];
    p.run(&[&["reproduce", what, "--to", "out"], &source[..], &size, &knobs, rest].concat())
}

fn events(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("sessions").join(name).join("events.jsonl")).unwrap()
}

#[test]
fn all_of_it_is_made_once_and_goes_on_where_it_was_stopped() {
    let p = tiny();
    let out = p.path("out");
    let said = reproduce(&p, "all", &[]);
    assert!(matches!(said.status, 0 | 3), "{said:?}");
    let report = fs::read_to_string(out.join("REPORT.md")).unwrap();
    for claim in [
        "J_1 falls as n⁻¹ at one checkpoint",
        "J_sub falls as n⁻² along training",
        "J_sub exceeds J_full by a factor of 10 or more",
        "Most of the deformation lives in the top 2 curvature directions",
        "The quadratic proxy is within 1 %",
        "Stage III by the closed form is at least 1000 times faster",
        "The top eigenspace stays the same",
        "Theorem 2's bound holds",
        "Corollary 4's diagonal formula",
        "Eigenvalue increments are not negative",
        "No probing law of at most 2 dimensions",
        "w* is a minimiser of L_n",
        "The paper's method beside the exact one",
    ] {
        assert!(report.contains(claim), "{claim} is not in {report}");
    }
    let verdicts = ["agrees", "disagrees", "not decided"];
    let rows: Vec<&str> =
        report.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4).collect();
    assert!(
        rows.iter().skip(2).take(12).all(|row| verdicts.iter().any(|v| row.ends_with(&format!("| {v} |")))),
        "{rows:?}"
    );
    let runs = ["measure", "paper", "map", "fixed", "training"];
    for run in runs {
        for file in ["README.md", "measure.json"] {
            assert!(out.join("figures").join(run).join(file).exists(), "{run}/{file}");
        }
    }
    for file in [
        "measure/laws.svg",
        "map/fig6-map.png",
        "fixed/fig2-decay.svg",
        "training/fig4-proxy.csv",
        "table3/table3-stages.md",
    ] {
        assert!(out.join("figures").join(file).exists(), "{file}");
    }

    // The user's own sessions are no place for it.
    assert!(!p.sessions().exists());

    // Again: everything is kept, and the report is the same.
    let before: Vec<String> = runs.map(|run| events(&out, run)).to_vec();
    let again = reproduce(&p, "all", &[]);
    assert_eq!(again.status, said.status, "{again:?}");
    assert!(runs.iter().all(|run| again.err.contains(&format!("{run}: complete, kept"))), "{again:?}");
    assert_eq!(fs::read_to_string(out.join("REPORT.md")).unwrap(), report);

    // One run gone, one torn in the middle of its points, one killed before its end.
    fs::remove_dir_all(out.join("sessions/map")).unwrap();
    let cut = |run: &str, stop: &dyn Fn(&str) -> bool| {
        let whole = events(&out, run);
        let kept: String = whole.lines().take_while(|line| !stop(line)).map(|line| format!("{line}\n")).collect();
        assert!(kept.len() < whole.len());
        fs::write(out.join("sessions").join(run).join("events.jsonl"), kept + "{\"t\":1.0,\"ev").unwrap();
    };
    cut("fixed", &|line| line.contains("\"growth\":") && line.contains("\"n\":3") && line.contains("\"run\":0"));
    cut("measure", &|line| line.contains("\"draw\":"));
    let resumed = reproduce(&p, "all", &[]);
    assert_eq!(resumed.status, said.status, "{resumed:?}");
    for words in
        ["fixed: was stopped, and goes on after 2 points", "measure: was stopped", "paper: complete, kept", "map: done"]
    {
        assert!(resumed.err.contains(words), "{words} is not in {resumed:?}");
    }
    assert!(!out.join("sessions/fixed-before").exists());
    // Seeds make the same numbers; only times differ.
    let verdicts = |report: &str| -> Vec<String> {
        let without_costs = report.lines().filter(|line| line.starts_with("| ") && !line.contains("Table 3"));
        without_costs.map(str::to_owned).collect()
    };
    assert_eq!(verdicts(&fs::read_to_string(out.join("REPORT.md")).unwrap()), verdicts(&report));
    assert_eq!(events(&out, "paper"), before[1]);

    // Other settings are refused rather than mixed.
    let mixed = reproduce(&p, "fig6", &["--seed", "7"]);
    mixed.refused(1, &["map", "other knobs", "--to"]);
}

#[test]
fn one_exhibit_makes_no_other_runs() {
    let p = tiny();
    let said = reproduce(&p, "fig6", &[]);
    assert!(matches!(said.status, 0 | 3), "{said:?}");
    let made: Vec<_> = fs::read_dir(p.path("out/sessions")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(made, ["map"]);
    assert!(
        fs::read_to_string(p.path("out/REPORT.md")).unwrap().contains("Direct Monte Carlo confirms the closed form")
    );
}

#[test]
fn what_a_reproduction_sets_itself_is_refused() {
    let p = Program::new();
    for (flag, value) in [("--law", "random"), ("--method", "paper"), ("--exhibits", "all"), ("--precision", "f64")] {
        p.run(&["reproduce", "fig5", "--to", "out", flag, value]).refused(2, &[flag, "leave it out"]);
    }
    assert!(!p.path("out").exists() && !p.sessions().exists());
}
