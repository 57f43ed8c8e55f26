//! Tests of the session's files: what was recorded comes back, whatever it was and wherever it was cut.

use std::fs;
use std::path::Path;
use std::sync::mpsc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::format::{EVENTS, LOCK, METADATA};
use super::*;
use crate::engine::event::*;
use crate::engine::knobs::{Knobs, Law, Precision, SolverKind};
use crate::engine::settle;

fn subject() -> Subject {
    Subject {
        name: "demo".into(),
        model: "nanochat 2×64".into(),
        config: json!({"n_layer": 2, "dropout": null}),
        parameters: 131_114,
        sequences: 16,
        tokens: 64,
        precision: Precision::F32,
        device: "cpu".into(),
        threads: 2,
        checkpoint: "c0ffee".into(),
        data: "da7a".into(),
        version: "0.1.0".into(),
    }
}

fn opened() -> Stamped {
    Stamped { t: 0.5, event: Event::Opened(subject()) }
}

fn recorder(folder: &Path, naming: Naming) -> Result<Recorder, crate::error::Error> {
    Recorder::new(Store::at(folder), naming, Knobs::default(), None)
}

/// Any float, infinities and NaN among them.
fn float() -> impl Strategy<Value = f64> {
    prop_oneof![4 => any::<f64>(), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY), 1 => Just(f64::NEG_INFINITY)]
}

fn floats() -> impl Strategy<Value = Vec<f64>> {
    vec(float(), 0..4)
}

fn work() -> impl Strategy<Value = Work> {
    [0.0..1e6, 0.0..1e6, 0.0..1e6].prop_map(|[seconds, hvps, passes]| Work { seconds, hvps, passes })
}

fn stage() -> impl Strategy<Value = Stage> {
    proptest::sample::select(Stage::ALL.to_vec())
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![Just(Target::Full), (1usize..99, 0u32..9).prop_map(|(k, basis)| Target::Subspace { k, basis })]
}

/// Every kind of event but [`Event::Opened`], with floats that JSON cannot hold among its numbers.
fn event() -> impl Strategy<Value = Event> {
    let n = 1usize..20;
    prop_oneof![
        (1usize..20, 0u64..9).prop_map(|(n, seed)| Event::Knobs(Knobs { n, seed, ..Knobs::default() })),
        vec((".*", any::<u64>()), 0..3).prop_map(|plan| Event::Memory { plan }),
        (stage(), work()).prop_map(|(stage, work)| Event::Progress { stage, done: 1, total: 2, work }),
        (stage(), work()).prop_map(|(stage, work)| Event::Done { stage, work }),
        (n.clone(), floats()).prop_map(|(first, losses)| Event::Losses { first, losses }),
        (n.clone(), float(), float()).prop_map(|(n, grad_norm, b_norm2)| Event::Gradients { n, grad_norm, b_norm2 }),
        (n.clone(), floats(), vec(option::of(float()), 0..4), floats()).prop_map(|(n, values, residuals, smallest)| {
            Event::Iteration { solver: SolverKind::Power, n, products: 7, values, residuals, smallest }
        }),
        (n.clone(), floats(), floats(), float(), option::of(float())).prop_map(
            |(n, values, residuals, orthonormality, next)| Event::Eigenspace {
                basis: 1,
                n,
                law: Law::Bottom,
                solver: SolverKind::Lanczos,
                values,
                residuals,
                smallest: vec![],
                orthonormality,
                products: 40,
                next,
            }
        ),
        (n.clone(), floats(), floats(), float(), option::of(float()))
            .prop_map(|(m, c, b, b_norm2, leakage)| Event::Coefficients { basis: 1, m, c, b, b_norm2, leakage }),
        (n.clone(), floats(), floats()).prop_map(|(n, quadratic, square)| Event::Trace {
            n,
            probe: 3,
            quadratic,
            square
        }),
        (target(), float(), floats(), floats(), floats()).prop_map(|(target, sigma, plus, minus, slopes)| {
            Event::Draw { target, n: 8, sigma, index: 5, plus, minus, slopes }
        }),
        (n.clone(), float(), float()).prop_map(|(n, slope, curvature)| Event::ProxyDirection {
            n,
            index: 2,
            slope,
            curvature
        }),
        (n.clone(), float(), float()).prop_map(|(n, sigma, loss)| Event::ProxyLoss { n, index: 2, sigma, loss }),
        (n.clone(), float()).prop_map(|(n, floor)| Event::RoundingFloor { n, floor, points: 9 }),
        (n.clone(), floats()).prop_map(|(n, values)| Event::SphereJ1 { n, values }),
        (n, float(), float(), option::of(float())).prop_map(|(step, loss, grad_norm, length)| {
            let (products, tries, end) = (3, 1, settle::Ended::Boundary);
            let taken = |x| settle::Taken { length: x, radius: x, agreement: x, products, tries, curvature: x, end };
            let (next_norm, taken) = (grad_norm, length.map(taken));
            Event::Settle(settle::Step { step, loss, grad_norm, next_norm, taken })
        }),
        Just(Event::SettlePlan(settle::Plan { until: 1e-3, steps: 9, products: 200 })),
        Just(Event::Settled(settle::Outcome::OutOfPrecision)),
        ".*".prop_map(|message| Event::Warning { name: WarningName::NoSpectralGap, message }),
        ".*".prop_map(|text| Event::Log { level: Level::Info, text }),
        Just(Event::Idle),
        ".*".prop_map(|message| Event::Failed { message }),
    ]
}

fn run() -> impl Strategy<Value = Vec<Stamped>> {
    vec((0.0..1e5, event()), 0..12).prop_map(|events| {
        std::iter::once(opened()).chain(events.into_iter().map(|(t, event)| Stamped { t, event })).collect()
    })
}

fn record(folder: &Path, events: &[Stamped]) {
    let recorder = recorder(folder, Naming::Given("s".into())).unwrap();
    events.iter().for_each(|event| recorder.record(event).unwrap());
}

/// NaN differs from itself; its text does not.
fn text(events: &[Stamped]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_event_comes_back(events in run()) {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), &events);
        let session = read(&folder.path().join("s")).unwrap();
        prop_assert_eq!(text(&session.events), text(&events));
        prop_assert_eq!(session.header, format::Header::current());
    }

    /// Killed while it wrote: whatever byte was the last to reach the file, all whole lines come back.
    #[test]
    fn a_session_cut_anywhere_keeps_all_whole_lines(events in run(), cut in 0.0..1.0) {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path(), &events);
        let path = folder.path().join("s").join(EVENTS);
        let bytes = fs::read(&path).unwrap();
        let header = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
        let kept = header + (cut * (bytes.len() - header) as f64) as usize;
        fs::write(&path, &bytes[..kept]).unwrap();

        let back = read(&folder.path().join("s")).unwrap().events;
        let newlines = bytes[header..kept].iter().filter(|b| **b == b'\n').count();
        // Cut just before its newline, a line is whole all the same.
        let whole = newlines + usize::from(bytes[kept..].first() == Some(&b'\n') && bytes[kept - 1] != b'\n');
        prop_assert_eq!(text(&back[..whole]), text(&events[..whole]));
        let torn = kept > header && bytes[kept - 1] != b'\n' && whole == newlines;
        prop_assert_eq!(back.len(), whole + usize::from(torn));
        if torn {
            let Event::Warning { name, message } = &back[whole].event else { panic!("a warning stands in its place") };
            prop_assert!(*name == WarningName::TornSession && message.contains(EVENTS));
        }
    }
}

#[test]
fn a_damaged_line_and_a_newer_format_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let idle = Stamped { t: 1.0, event: Event::Idle };
    record(folder.path(), &[opened(), idle.clone(), idle]);
    let path = folder.path().join("s").join(EVENTS);
    let whole = fs::read_to_string(&path).unwrap();
    let message = |contents: &str| {
        fs::write(&path, contents).unwrap();
        read(&folder.path().join("s")).unwrap_err().to_string()
    };

    let damaged = message(&whole.replacen("\"idle\"", "\"idel\"", 1));
    assert!(damaged.contains(EVENTS) && damaged.contains("line 3 is damaged"), "{damaged}");
    let newer =
        message("{\"eigentop\": \"7.3.1\", \"format\": 99, \"more\": true}\n{\"t\": 0, \"event\": \"unheard\"}\nx\n");
    assert!(newer.contains("eigentop 7.3.1") && newer.contains("format 99"), "{newer}");
    assert!(message("").contains("empty"));
    assert!(message("{\"t\": 0}\n").contains("line 1 is not the header"));
    fs::remove_file(&path).unwrap();
    assert!(read(&folder.path().join("s")).unwrap_err().to_string().contains("no session here"));
}

#[test]
fn metadata_survives_and_a_broken_one_does_not_hide_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    assert!(Store::at(folder.path().join("none")).list().unwrap().is_empty());
    let knobs = Knobs { n: 3, ..Knobs::default() };
    let recorder = Recorder::new(store.clone(), Naming::Automatic, knobs.clone(), Some(1 << 32)).unwrap();
    recorder.record(&opened()).unwrap();
    recorder.record(&Stamped { t: 1.0, event: Event::Idle }).unwrap();

    let list = store.list().unwrap();
    let [entry] = &list[..] else { panic!("one session, not {list:?}") };
    assert!(entry.name.starts_with("20") && entry.name.ends_with("_demo"), "{}", entry.name);
    assert_eq!((entry.events, Some(entry.name.clone())), (2, recorder.name()));
    let metadata = entry.metadata.as_ref().unwrap();
    assert_eq!((&metadata.knobs, metadata.memory), (&knobs, Some(1 << 32)));
    // TOML has no null, so the key without a value is gone; nothing else is.
    assert_eq!(metadata.subject, Subject { config: json!({"n_layer": 2}), ..subject() });

    fs::write(folder.path().join(&entry.name).join(METADATA), "created = yesterday").unwrap();
    let broken = store.list().unwrap().remove(0).metadata.unwrap_err().to_string();
    assert!(broken.contains(METADATA), "{broken}");
}

#[test]
fn automatic_names_never_collide_and_given_ones_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let names: Vec<String> = (0..3)
        .map(|_| {
            let recorder = recorder(folder.path(), Naming::Automatic).unwrap();
            assert_eq!(recorder.name(), None);
            recorder.record(&opened()).unwrap();
            recorder.name().unwrap()
        })
        .collect();
    assert_eq!(store.list().unwrap().len(), 3, "{names:?}");

    let refused = |name: &str| recorder(folder.path(), Naming::Given(name.into())).err().unwrap().to_string();
    for bad in ["", ".hidden", "..", "a/b", "a b", "x\0"] {
        assert!(refused(bad).starts_with("session: "), "{bad:?}");
    }
    assert!(refused(&names[0]).contains("exists already"));
}

#[test]
fn a_session_under_way_is_locked_and_can_be_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path());
    let recorder = recorder(folder.path(), Naming::Given("first".into())).unwrap();
    assert!(recorder.save_as("second").unwrap_err().to_string().contains("nothing to save"));
    recorder.record(&opened()).unwrap();
    assert!(store.remove("first").unwrap_err().to_string().contains("being recorded"));

    fs::create_dir(folder.path().join("taken")).unwrap();
    assert!(recorder.save_as("taken").unwrap_err().to_string().contains("exists already"));
    assert!(recorder.save_as("no/name").is_err());
    recorder.save_as("second").unwrap();
    recorder.save_as("second").unwrap();
    recorder.record(&Stamped { t: 1.0, event: Event::Idle }).unwrap();
    assert!(store.remove("second").unwrap_err().to_string().contains("being recorded"));
    drop(recorder);

    let session = read(&store.find("second").unwrap()).unwrap();
    assert_eq!((session.name(), session.events.len()), ("second".into(), 2));
    assert!(store.find("first").unwrap_err().to_string().contains("no session of this name"));
    let path = folder.path().join("second");
    assert_eq!(store.find(path.to_str().unwrap()).unwrap(), path);
    assert!(path.join(LOCK).exists());
    store.remove("second").unwrap();
    assert!(!path.exists());
    assert!(store.remove("second").unwrap_err().to_string().contains("no session of this name"));
}

#[test]
fn a_run_outlives_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder of sessions should be: nothing can be created in it.
    let blocked = folder.path().join("sessions");
    fs::write(&blocked, "").unwrap();
    let (send, receive) = mpsc::channel();
    let recorder = recorder(&blocked, Naming::Automatic).unwrap();
    let mut sink = recorder.sink(Box::new(move |event: &Stamped| send.send(event.clone()).unwrap()));
    let idle = Stamped { t: 1.0, event: Event::Idle };
    sink(&opened());
    sink(&idle);
    drop(sink);

    let seen: Vec<Stamped> = receive.iter().collect();
    let [Stamped { event: Event::Log { level: Level::Error, text }, .. }, first, second] = &seen[..] else {
        panic!("a reason, then both events, not {seen:?}")
    };
    assert!(text.starts_with("recording stopped: ") && text.contains("sessions"), "{text}");
    assert_eq!((first, second), (&opened(), &idle));
}
