//! `eigentop export` through the real program: every file is there, pictures can be read, tables hold the document's
//! figures.

mod program;
mod synthetic;

use std::fs;
use std::path::Path;

use eigentop::engine::event::Event;
use eigentop::engine::growth::{Increment, Mode, Plan, Point};
use eigentop::engine::knobs::Law;
use eigentop::engine::readout::Readout;
use eigentop::math::stats::Estimate;
use eigentop::report::figure::Figure;
use eigentop::report::{Document, export};
use eigentop::session::{Naming, Recorder, Store};
use eigentop::train::curriculum::{Curriculum, Rows};
use program::Program;
use synthetic::{KS, N, P};

/// What the synthetic run lacks: everything that is computed beside. Figures of growth follow exact power laws.
fn exhibits() -> Vec<Event> {
    let k = KS[KS.len() - 1];
    let exact = |mean: f64, stderr: f64| Estimate { mean, stderr, draws: 16 };
    let curriculum = Curriculum { rows: Rows::Newest, steps_per_sequence: 1, learning_rate: 1e-3 };
    let grid = vec![1, 3, 7];
    let plan = Plan { mode: Mode::Fixed, grid: grid.clone(), next: 1, runs: 2, probes: 4, directions: 0, curriculum };
    let point = |run: usize, n: usize| {
        let per = (1.0 + 0.1 * run as f64) / (n as f64 + 1.0);
        let identity = |scale: f64| eigentop::math::dense::diagonal(&vec![scale; k]);
        let next = Increment {
            a: 0.1 * per,
            b_norm2: 4.0 * per * per,
            c: vec![0.2 * per; k],
            b: identity(0.5 * per),
            trace: exact(3.0 * per, 0.1 * per),
            frob2: exact(2.0 * per * per, 0.1 * per * per),
        };
        Event::Growth(Box::new(Point {
            mode: Mode::Fixed,
            run,
            seed: run as u64,
            step: None,
            n,
            loss: 2.0,
            grad_norm: 0.1,
            values: vec![5.0; k],
            residuals: vec![1e-6; k],
            products: 9,
            cosines: if n == 1 { vec![] } else { vec![0.99; k] },
            next: vec![next],
            proxy: vec![],
            seconds: 0.1,
        }))
    };
    let mut events = vec![Event::GrowthPlan(plan)];
    events.extend((0..2).flat_map(|run| grid.iter().map(move |n| (run, *n))).map(|(run, n)| point(run, n)));
    let constants = vec![1.0; N + 1];
    events.push(Event::Constants {
        n: N,
        gradients: constants.clone(),
        curvatures: constants,
        residuals: vec![0.0; N + 1],
    });
    let law =
        |law, k: usize| Event::LawCoefficients { law, n: N, c: vec![1e-3; k], b: vec![1e-3; k * k], leakage: None };
    events.extend([law(Law::Random, k), law(Law::Increment, 1)]);
    for probe in 0..3 {
        let nodes = (0..6).map(|i| f64::from(i) + 0.1 * f64::from(probe)).collect();
        events.push(Event::Density { n: N, probe: probe as usize, nodes, weights: vec![1.0 / 6.0; 6] });
    }
    for sigma in synthetic::knobs().sigmas {
        for index in 0..8 {
            let losses = |shift: f64| (0..=N).map(|i| 2.0 + 0.1 * ((i + index) as f64 + shift).sin()).collect();
            let model = vec![1e-3 * (index as f64).cos(), 1e-3 * (index as f64).sin()];
            let (one, other) = (losses(0.0), losses(0.3));
            events.push(Event::PickFreeze { basis: 1, k, n: N, sigma, index, one, other, model });
        }
    }
    events
}

/// A session in which nothing is missing.
fn complete(p: &Program) -> Readout {
    let recorder =
        Recorder::new(Store::at(p.sessions()), Naming::Given("all".into()), synthetic::knobs(), None).unwrap();
    let mut events = synthetic::run();
    let t = events[events.len() - 1].t;
    events.extend(exhibits().into_iter().map(|event| eigentop::engine::event::Stamped { t, event }));
    let mut readout = Readout::default();
    for event in &events {
        recorder.record(event).unwrap();
        readout.apply(event);
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
    let said = p.run(&["export", "all", "--to", "out/deep"]).done();
    assert!(said.contains(&format!("{} figures", Figure::ALL.len())), "{said}");
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
    // J_1 = 0.1/(n + 1) and 1.1 times that: the slope is −1 without a spread.
    let j1 = &records(&folder, Figure::Rates)[0];
    assert!((number(j1, "slope") + 1.0).abs() < 1e-12 && j1["verdict"] == "agrees", "{j1:?}");
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
    p.run(&["export", "nowhere", "--to", "out"]).refused(1, &["nowhere", "no session"]);
    let folder = tempfile::tempdir().unwrap();
    let error = export::write(&Readout::default(), folder.path(), &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("before a checkpoint was opened"), "{error}");
}
