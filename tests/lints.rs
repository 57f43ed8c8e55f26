//! Every warning: silent on a run that deserves none, raised where one figure of it goes wrong.

mod synthetic;

use eigentop::engine::event::{Event, Stamped, Target, WarningName};
use eigentop::engine::growth::Validity;
use eigentop::engine::knobs::{Method, Precision};
use eigentop::engine::lints;
use eigentop::engine::readout::Readout;
use synthetic::N;

fn fold(events: &[Stamped]) -> Readout {
    let mut readout = Readout::default();
    events.iter().for_each(|event| readout.apply(event));
    readout
}

/// Nodes of the calm density.
const NODES: usize = 41;

/// The run with all exhibits, with growth along an exact power law between minimisers, and probes of a broad density
/// that agree.
fn calm() -> Readout {
    let mut r = fold(&synthetic::exhibits::with_exhibits());
    for point in &mut r.exhibits.growth {
        let scale = 1.0 / (point.n as f64 + 1.0);
        point.grad_norm = 0.0;
        let next = &mut point.next[0];
        (next.a, next.b_norm2) = (0.1 * scale, 0.02 * scale * scale);
        next.c.iter_mut().for_each(|c| *c = 0.05 * scale);
        next.b.iter_mut().for_each(|b| *b = 0.3 * scale);
        (next.trace.mean, next.trace.stderr) = (scale, 1e-4 * scale);
        (next.frob2.mean, next.frob2.stderr) = (scale * scale, 1e-4 * scale * scale);
    }
    r.subject.as_mut().unwrap().parameters = 1000;
    for probe in r.exhibits.density.values_mut().flatten() {
        probe.nodes = (0..NODES).map(|i| 2.0 * i as f64 / (NODES - 1) as f64 - 1.0).collect();
        probe.weights = vec![1.0 / NODES as f64; NODES];
    }
    r
}

/// What is said under a name; nothing where it is silent.
fn said(readout: &Readout, name: WarningName) -> String {
    let all = lints::check(readout);
    all.into_iter().find(|(of, _)| *of == name).map_or(String::new(), |(_, message)| message)
}

/// Assert that a change of the calm run raises a warning under this name with all of `words`.
#[track_caller]
fn raises(name: WarningName, words: &[&str], change: impl FnOnce(&mut Readout)) {
    let mut r = calm();
    assert_eq!(said(&r, name), "");
    change(&mut r);
    let message = said(&r, name);
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

#[test]
fn a_calm_run_deserves_no_warning() {
    assert_eq!(lints::check(&calm()), []);
}

#[test]
fn what_did_not_converge() {
    let name = WarningName::NotConverged;
    raises(name, &["1 of 3 eigenpairs", "1e-3·λ₁"], |r| r.eigenspace.as_mut().unwrap().residuals[1] = 0.5);
    raises(name, &["1 of 9 norms ‖H_i‖", "Theorem 2"], |r| {
        r.exhibits.constants.get_mut(&N).unwrap().residuals[0] = 1.0;
    });
    raises(name, &["1 of 4 points of growth (n = 2)", "1e-3·λ₁"], |r| r.exhibits.growth[1].residuals[0] = 1.0);
    // Several have their say in one warning.
    raises(name, &["1 of 3 eigenpairs", "; at 1 of 4 points"], |r| {
        r.eigenspace.as_mut().unwrap().residuals[1] = 0.5;
        r.exhibits.growth[1].residuals[0] = 1.0;
    });
}

#[test]
fn a_basis_that_is_not_orthonormal_or_at_no_gap() {
    raises(WarningName::LostOrthogonality, &["1.0e-3"], |r| r.eigenspace.as_mut().unwrap().orthonormality = 1e-3);
    let name = WarningName::NoSpectralGap;
    raises(name, &["k = 3", "another k"], |r| {
        let e = r.eigenspace.as_mut().unwrap();
        e.next = e.values.last().map(|last| 0.995 * last);
    });
    // A gap within the residuals, however large it is for the eigenvalue.
    raises(name, &["k = 3", "residual 5.0e-1"], |r| r.eigenspace.as_mut().unwrap().residuals[2] = 0.5);
    // Inside the basis too, for every k that is asked.
    raises(name, &["k = 1"], |r| {
        let e = r.eigenspace.as_mut().unwrap();
        e.values[1] = 0.999 * e.values[0];
    });
}

#[test]
fn far_from_a_minimiser() {
    let name = WarningName::FarFromMinimiser;
    raises(name, &["L_8", "‖g‖ = 1.00e0"], |r| {
        r.at.get_mut(&N).unwrap().gradients.as_mut().unwrap().grad_norm = 1.0;
    });
    raises(name, &["2 of 4 points of growth (n = 4, n = 8)"], |r| {
        r.exhibits.growth[2..].iter_mut().for_each(|point| point.grad_norm = 5.0);
    });
}

#[test]
fn below_the_rounding_floor() {
    let name = WarningName::BelowRoundingFloor;
    raises(name, &["k = 1, σ = 1e-4", "--precision f64"], |r| r.at.get_mut(&N).unwrap().floor = Some((1e-6, 5)));
    // All six places, of which three are named.
    raises(name, &["and 3 more"], |r| r.at.get_mut(&N).unwrap().floor = Some((1.0, 5)));
}

#[test]
fn outside_the_valid_range_of_sigma() {
    let name = WarningName::OutsideValidSigma;
    raises(name, &["σ = 1e-2 outside", "up to σ = 1.0e-3"], |r| {
        for direction in r.at.get_mut(&N).unwrap().proxy.values_mut() {
            direction.losses.iter_mut().filter(|(sigma, _)| *sigma == 1e-2).for_each(|(_, loss)| *loss += 1.0);
        }
    });
    raises(name, &["σ = 1e-1 outside"], |r| r.knobs.sigmas.push(1e-1));
    let validity = |sigma, median| Validity { sigma, median, quartiles: [median; 2], floor: 0.0 };
    raises(name, &["1 of 4 points of growth (n = 1)", "σ = 1e-2"], |r| {
        r.exhibits.growth[0].proxy = vec![validity(1e-3, 1e-4), validity(1e-2, 0.5)];
    });
    let mut valid = calm();
    valid.exhibits.growth[0].proxy = vec![validity(1e-3, 1e-4), validity(1e-2, 1e-3)];
    assert_eq!(said(&valid, name), "");
}

#[test]
fn intervals_wider_than_what_they_measure() {
    let name = WarningName::WideInterval;
    let traces = |r: &mut Readout, change: fn(&mut eigentop::engine::readout::exhibits::Traces)| {
        change(r.exhibits.traces.get_mut(&N).unwrap());
    };
    raises(name, &["‖A‖_F²", "wider than itself"], |r| traces(r, |t| t.frob2.stderr = t.frob2.mean));
    raises(name, &["the share has an interval", "k = 1, σ = 1e-2", "exhibit traces"], |r| {
        traces(r, |t| t.frob2.stderr = 1e3 * t.frob2.mean);
    });
    raises(name, &["Tr A", "σ = 1e-2"], |r| traces(r, |t| t.trace.stderr = 1e3));
    raises(name, &["pick-freeze", "k = 1, σ = 1e-4"], |r| {
        for ((k, ..), pairs) in &mut r.exhibits.pick_freeze {
            for pair in pairs.iter_mut().filter(|pair| *k == 1 && pair.index % 2 == 1) {
                // The second point mirrors the first in every other pair, whatever the model says.
                let mirrored = pair.one.iter().enumerate().map(|(i, loss)| 2.0 * synthetic::loss(i) - loss);
                pair.other = mirrored.collect();
            }
        }
    });
    raises(name, &["spectral density is less certain"], |r| {
        for (i, probe) in r.exhibits.density.get_mut(&N).unwrap().iter_mut().enumerate() {
            probe.weights.iter_mut().enumerate().for_each(|(j, weight)| *weight = if 10 * i == j { 1.0 } else { 0.0 });
        }
    });
    raises(name, &["the slope against n", "J_1"], |r| r.exhibits.growth[2].next[0].a *= 100.0);
    // Two points have no interval at all.
    raises(name, &["the slope against n", "J_1, J_full, σ = 1e-4"], |r| r.exhibits.growth.truncate(2));
}

#[test]
fn draws_too_few_for_a_criterion() {
    // One draw in the full space is hit by a loss a million times the others.
    let mut events = synthetic::run();
    assert!(!said(&fold(&events), WarningName::WideInterval).contains("Monte Carlo"));
    for stamped in &mut events {
        if let Event::Draw { target: Target::Full, sigma, index: 0, plus, .. } = &mut stamped.event
            && *sigma == 1e-2
        {
            plus[N] += 1e6;
        }
    }
    let message = said(&fold(&events), WarningName::WideInterval);
    assert!(message.contains("J_full, σ = 1e-2") && message.contains("more draws"), "{message}");
}

#[test]
fn a_density_that_is_not_resolved_and_a_bound_that_does_not_bound() {
    raises(WarningName::UnresolvedDensity, &["not resolved", "smoothing"], |r| {
        for probe in r.exhibits.density.get_mut(&N).unwrap() {
            (probe.nodes, probe.weights) = (vec![-0.01, 0.0, 0.01, 10.0], vec![0.3, 0.399, 0.3, 0.001]);
        }
    });
    raises(WarningName::BoundBelowMeasured, &["exceeds the bound", "k = 1, σ = 1e-4"], |r| {
        r.losses.iter_mut().for_each(|loss| *loss = 1e-9);
    });
}

#[test]
fn the_papers_method() {
    raises(WarningName::PaperMethod, &["B is inflated"], |r| r.knobs.method = Method::Paper);
    raises(WarningName::RoundedProducts, &["TF32", "--precision f32"], |r| {
        r.subject.as_mut().unwrap().precision = Precision::Tf32;
    });
}
