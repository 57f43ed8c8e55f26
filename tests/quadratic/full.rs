//! The full space: traces, moments, Monte Carlo, shares, ratio, proxy and density.

use crate::truth::{self, Model};
use crate::world::P;
use crate::{K, KS, N, SIGMAS, closed, exact, near, part, readout, sure, within};
use eigentop::criteria::proxy;

#[test]
fn a_sketch_as_large_as_the_rank_knows_the_traces() {
    let (r, model) = (readout(), Model::of(N));
    let traces = r.exhibits.traces[&N];
    sure("Tr A", traces.trace, model.trace());
    sure("‖A‖²", traces.frob2, model.frob2());
    let (trace, frob2) = r.probed_traces(N).unwrap();
    near("Tr A by probes", trace, model.trace());
    near("‖A‖² by probes", frob2, model.frob2());
}

#[test]
fn j_full_is_the_closed_form() {
    let (r, model) = (readout(), Model::of(N));
    for sigma in SIGMAS {
        let (want, got) = (model.moments(sigma), r.full(sigma));
        exact("J_full", closed("J_full", got.gm.unwrap()), want.j());
        near("J_full by plain draws", got.mc.unwrap(), want.j());
        near("J_full with the linear control", got.mc_cv.unwrap(), want.j());
        let moments = r.full_moments(N, sigma).unwrap().moments;
        exact("mean", moments.mean, want.mean);
        exact("variance", moments.variance(), want.variance());
    }
}

#[test]
fn shares_and_ratios_are_quotients_of_closed_forms() {
    let (r, model) = (readout(), Model::of(N));
    let on = model.on(&truth::top(N, K));
    for k in KS {
        for sigma in SIGMAS {
            let (sub, full) = (on.moments(k, sigma), model.moments(sigma));
            let shares = r.shares(N, k, sigma).unwrap();
            part("share", closed("share", shares.total), sub.variance() / full.variance(), 1.0);
            part("gradient share", shares.gradient, on.c_norm2(k) / model.b_norm2(), 1.0);
            let curvature = closed("curvature share", shares.curvature);
            part("curvature share", curvature, on.frob2(k) / model.frob2(), 1.0);
            part("ratio", closed("ratio", r.ratio_gm(N, k, sigma).unwrap()), sub.j() / full.j(), 1.0);
            within("ratio by draws", r.ratio(k, sigma).unwrap(), sub.j() / full.j());
        }
    }
}

#[test]
fn pick_freeze_finds_the_share_of_the_quadratic_model() {
    let (r, model) = (readout(), Model::of(N));
    let on = model.on(&truth::top(N, K));
    for k in KS {
        for sigma in SIGMAS {
            let share = on.moments(k, sigma).variance() / model.moments(sigma).variance();
            within("plain", r.pick_freeze_plain(k, sigma).unwrap(), share);
            // The model is the increment, but for the rounding of losses, which small σ make large.
            let got = r.pick_freeze_share(k, sigma).unwrap();
            assert!((got.value / share - 1.0).abs() < 1e-9 / (sigma * 1e3), "k {k}, σ {sigma}: {got:?} {share}");
            assert!(got.high - got.low < 1e-8 / (sigma * 1e3), "k {k}, σ {sigma}: {got:?}");
        }
    }
}

#[test]
fn the_proxy_errs_by_rounding_alone() {
    let points = readout().proxy();
    assert_eq!(points.len(), proxy::grid().len());
    for p in &points {
        // A loss near 80 has digits of 1e-14, and a few roundings make it.
        assert!(p.absolute.mean < 1e-12, "σ {:e}: {:?}", p.sigma, p.absolute);
    }
    assert_eq!(proxy::valid_to(&points), proxy::grid().last().copied());
}

#[test]
fn the_density_stands_on_the_eigenvalues() {
    let (r, eigen) = (readout(), truth::eigen(N));
    let probes = &r.exhibits.density[&N];
    let norm2: f64 = eigen.values.iter().map(|v| v * v).sum();
    for probe in probes {
        for (node, weight) in probe.nodes.iter().zip(&probe.weights) {
            let nearest = eigen.values.iter().map(|v| (v - node).abs()).fold(f64::INFINITY, f64::min);
            assert!(nearest < 1e-9 * eigen.values[0] || *weight < 1e-12, "{node} is no eigenvalue: {:?}", eigen.values);
        }
        exact("all weight", probe.weights.iter().sum(), 1.0);
        // The basis takes its part without chance.
        for value in &eigen.values[..K] {
            let at = probe.nodes.iter().position(|node| (node - value).abs() < 1e-9).unwrap();
            exact("weight of an eigenvalue", probe.weights[at], 1.0 / P as f64);
        }
    }
    let square = |p: &eigentop::spectrum::density::Density| {
        p.nodes.iter().zip(&p.weights).map(|(node, weight)| weight * node * node).sum::<f64>()
    };
    near("second moment", eigentop::math::stats::Estimate::of(probes.iter().map(square)).unwrap(), norm2 / P as f64);
}
