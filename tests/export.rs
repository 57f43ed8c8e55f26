//! `eigentop export` through the real program: every file is there, pictures can be read, tables hold the document's
//! figures.

mod program;
mod synthetic;

use std::fs;
use std::path::Path;

use eigentop::engine::readout::Readout;
use eigentop::engine::readout::growth::Quantity;
use eigentop::report::figure::Figure;
use eigentop::report::{Document, export};
use eigentop::session::{Naming, Recorder, Store};
use program::Program;
use synthetic::{KS, P};

/// A session in which nothing is missing.
fn complete(p: &Program) -> Readout {
    let recorder =
        Recorder::new(Store::at(p.sessions()), Naming::Given("all".into()), synthetic::knobs(), None).unwrap();
    let mut readout = Readout::default();
    for event in synthetic::exhibits::with_exhibits() {
        recorder.record(&event).unwrap();
        readout.apply(&event);
    }
    readout
}

/// The records of a CSV file without quotes, by the names of its first line.
fn records(folder: &Path, figure: Figure) -> Vec<std::collections::HashMap<String, String>> {
    let text = fs::read_to_string(folder.join(format!("{}.csv", figure.name()))).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    lines.map(|fields| names.iter().cloned().zip(fields).collect()).collect()
}

/// Pictures parse, tables have rows.
fn whole(folder: &Path, figure: Figure, drawn: bool) {
    let file = |end: &str| folder.join(format!("{}.{end}", figure.name()));
    let page = fs::read_to_string(file("md")).unwrap();
    assert!(page.starts_with(&format!("# {}\n", figure.title())), "{page}");
    assert!(fs::read_to_string(file("csv")).unwrap().lines().count() > 1, "{figure:?}");
    assert_eq!(file("svg").exists(), drawn, "{figure:?}");
    if drawn {
        let svg = fs::read_to_string(file("svg")).unwrap();
        let picture = roxmltree::Document::parse(&svg).unwrap();
        assert!(picture.descendants().filter(|node| node.has_tag_name("text")).count() > 5, "{figure:?}");
        assert!(!svg.contains("NaN"), "{figure:?}");
        assert_eq!(fs::read(file("png")).unwrap()[..8], *b"\x89PNG\r\n\x1a\n");
    }
}

#[test]
fn a_complete_session_has_every_figure_and_its_tables_are_the_documents() {
    let p = Program::new();
    let readout = complete(&p);
    let said = p.run(&["export", "all", "--to", "out/deep"]);
    assert!(said.status != 1 && said.err.is_empty(), "{said:?}");
    assert!(said.out.contains(&format!("{} figures", Figure::ALL.len())), "{said:?}");
    let folder = p.path("out/deep");
    for figure in Figure::ALL {
        whole(&folder, figure, figure != Figure::Rates);
    }
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(Figure::ALL.iter().all(|figure| index.contains(figure.title())), "{index}");

    let document = Document::of(&readout).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("measure.json")).unwrap()).unwrap();
    let number = |record: &std::collections::HashMap<String, String>, key: &str| record[key].parse::<f64>().unwrap();
    let spectrum = records(&folder, Figure::Spectrum);
    for (i, record) in spectrum.iter().enumerate() {
        assert_eq!(Some(number(record, "eigenvalue")), json["eigenvalues"][i].as_f64());
        assert_eq!(number(record, "residual"), document.residuals[i]);
    }
    let estimators = records(&folder, Figure::Estimators);
    let (sub, full): (Vec<_>, Vec<_>) = estimators.iter().partition(|record| record["space"] == "subspace");
    assert_eq!((sub.len(), full.len()), (KS.len() * document.full.len(), document.full.len()));
    for record in sub {
        let (k, sigma) = (record["k"].parse::<usize>().unwrap(), number(record, "sigma"));
        let j = document.subspace.iter().find(|s| s.k == k).unwrap().j.iter().find(|j| j.sigma == sigma).unwrap();
        assert_eq!((number(record, "gm"), number(record, "direct")), (j.gm, j.direct.unwrap().mean));
        assert_eq!(number(record, "direct_cv_stderr"), j.direct_cv.unwrap().stderr);
    }
    for (record, known) in full.iter().zip(&document.full) {
        assert_eq!((number(record, "gm"), number(record, "direct")), (known.gm.unwrap(), known.mc.unwrap().mean));
    }
    for (record, known) in records(&folder, Figure::Proxy).iter().zip(&document.proxy) {
        assert_eq!(number(record, "rel_err_median"), known.rel_err_median);
    }
    let j1 = &records(&folder, Figure::Rates)[0];
    let slope = readout.growth_slope(Quantity::J1, 1, 1.0).unwrap();
    assert_eq!(
        [number(j1, "slope"), number(j1, "slope_low"), number(j1, "slope_high")],
        [slope.value, slope.low, slope.high]
    );
    // All that lives in P dimensions is a share of at most 1.
    assert!(records(&folder, Figure::Laws).iter().all(|law| law["k"].parse::<usize>().unwrap() <= P));
}

#[test]
fn the_recorded_demo_is_exported_and_what_it_lacks_is_named() {
    let p = Program::new();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/sessions/demo");
    let said = p.run(&["export", demo, "--to", "out"]);
    assert!(matches!(said.status, 0 | 3), "{said:?}");
    let folder = p.path("out");
    for (figure, drawn) in [
        (Figure::Decay, true),
        (Figure::Rates, false),
        (Figure::Ratio, true),
        (Figure::Proxy, true),
        (Figure::SCurve, true),
        (Figure::Map, true),
        (Figure::Stages, true),
        (Figure::Spectrum, true),
        (Figure::Decomposition, true),
        (Figure::Estimators, true),
        (Figure::Corollary4, true),
        (Figure::Proposition3, true),
    ] {
        whole(&folder, figure, drawn);
    }
    // What is not there is named with what would compute it, and leaves no file behind.
    for figure in Figure::ALL {
        let there = folder.join(format!("{}.md", figure.name())).exists();
        let named = said.err.contains(&format!("no {}: ", figure.name()));
        assert!(there != named, "{figure:?}: {said:?}");
    }
}

#[test]
fn a_session_without_a_checkpoint_is_refused() {
    let p = Program::new();
    assert!(p.run(&["export", "--help"]).done().contains("--to <DIR>"));
    p.run(&["export", "nowhere", "--to", "out"]).refused(1, &["nowhere", "no session"]);
    let folder = tempfile::tempdir().unwrap();
    let error = export::write(&Readout::default(), folder.path(), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("before a checkpoint was opened"), "{error}");
}
