//! The probing laws, and what the paper's theorems say.

use eigentop::engine::knobs::Law;
use eigentop::engine::readout::exhibits::IndexSet;
use eigentop::math::dense::symmetric_eigen;
use eigentop::math::stream::{Purpose, Stream};

use crate::truth::{self, Columns, Model};
use crate::world::{P, hessian};
use crate::{K, KS, N, SIGMAS, closed, exact, knobs, part, readout};

/// The subspace of a law.
fn basis(law: Law) -> Columns {
    match law {
        Law::Top => truth::top(N, K),
        Law::Bottom => truth::vectors(&truth::eigen(N), (P - K..P).rev()),
        Law::Random => {
            let direction = |j: usize| Stream::new(knobs().seed, Purpose::Law, j as u64).normals(P);
            truth::orthonormal((0..K).map(direction).collect())
        }
        Law::Gradients => truth::orthonormal((0..K).map(truth::gradient).collect()),
        Law::Frozen => truth::top(N / 2, K),
        Law::Increment => truth::orthonormal(vec![Model::of(N).gradient]),
        Law::Deformation => {
            let eigen = symmetric_eigen(P, &Model::of(N).curvature).unwrap().by_magnitude();
            truth::vectors(&eigen, 0..K)
        }
    }
}

#[test]
fn every_law_has_the_closed_form_on_its_subspace() {
    let (r, model) = (readout(), Model::of(N));
    for sigma in SIGMAS {
        let figures = r.law_figures(K, sigma);
        assert_eq!(figures.iter().map(|f| f.law).collect::<Vec<_>>(), Law::ALL);
        for got in &figures {
            let (law, columns) = (got.law, basis(got.law));
            let (on, k) = (model.on(&columns), columns.len());
            let (sub, full) = (on.moments(k, sigma), model.moments(sigma));
            assert_eq!(got.k, k, "{law}");
            let same = |what: &str, got: f64, want: f64, whole: f64| part(&format!("{law}: {what}"), got, want, whole);
            same("mean", got.moments.mean, sub.mean, full.mean.abs());
            same("gradient part", got.moments.gradient, sub.gradient, full.gradient);
            same("curvature part", got.moments.curvature, sub.curvature, full.curvature);
            let share = closed("share", got.share.unwrap());
            same("share", share, sub.variance() / full.variance(), 1.0);
            same("gradient share", got.gradient_share.unwrap(), on.c_norm2(k) / model.b_norm2(), 1.0);
            let curvature = closed("curvature share", got.curvature_share.unwrap());
            same("curvature share", curvature, on.frob2(k) / model.frob2(), 1.0);
            exact("enrichment", got.enrichment.unwrap(), share * P as f64 / k as f64);
            same("signal", got.signal, on.signal(k, sigma), full.curvature);
            // A root of what rounding leaves of a difference, where nothing leaks.
            let leakage = got.leakage.unwrap();
            assert!((leakage - model.leakage(&columns)).abs() < 1e-7, "{law}: leakage {leakage}");
        }
        let increment = figures.iter().find(|f| f.law == Law::Increment).unwrap();
        exact("b holds all of its own gradient", increment.gradient_share.unwrap(), 1.0);
    }
}

/// ‖H_i‖₂.
fn norm(i: usize) -> f64 {
    symmetric_eigen(P, &hessian(i)).unwrap().values.iter().fold(0.0, |m, v| v.abs().max(m))
}

#[test]
fn theorem_2_has_the_constants_of_the_sequences_and_bounds_every_m() {
    let (r, basis) = (readout(), truth::top(N, K));
    let constants = &r.exhibits.constants[&N];
    for i in 0..=N {
        let g = truth::gradient(i);
        exact("‖g_i‖", constants.gradients[i], truth::dot(&g, &g).sqrt());
        let (found, residual, norm) = (constants.curvatures[i], constants.residuals[i], norm(i));
        // A Ritz value lies below, and an eigenvalue within the residual of it.
        assert!(found <= norm * (1.0 + 1e-12) && norm <= found + residual + 1e-12, "{found} {residual} {norm}");
    }
    for m in 1..=N {
        let (model, up_to) = (Model::of(m), |of: fn(usize) -> f64| (0..=m).map(of).fold(0.0, f64::max));
        let next = truth::gradient(m);
        // w* is no minimiser: b holds g^(m) too, and the larger norm bounds both.
        let gradient = truth::dot(&next, &next).sqrt().max((m as f64 + 1.0) * model.b_norm2().sqrt());
        let (loss, curvature) = (up_to(|i| truth::loss(i).abs()), up_to(norm));
        for k in KS {
            for sigma in SIGMAS {
                let bound = r.theory(m, k, sigma).unwrap();
                let scale = (m as f64 + 1.0).powi(-2);
                exact("12 M_ℓ²", bound.loss, 12.0 * loss * loss * scale);
                exact("3σ² M_g²", bound.gradient, 3.0 * sigma * sigma * gradient * gradient * scale);
                let want = 3.0 * sigma.powi(4) * (k * k + 2 * k) as f64 * curvature * curvature * scale;
                // The norms are bounded from above by a residual of a hundredth.
                assert!((0.0..0.03).contains(&(bound.curvature / want - 1.0 + 1e-12)), "{} {want}", bound.curvature);
                let j = model.on(&basis).moments(k, sigma).j();
                assert!(bound.value() >= j, "m {m}, k {k}, σ {sigma}: {bound:?} {j}");
                let slack = r.slack(m, k, sigma).unwrap();
                part("slack", slack, bound.value() / j, slack);
            }
        }
    }
}

#[test]
fn corollary_4_and_proposition_3_are_those_of_the_increments() {
    let (r, model) = (readout(), Model::of(N));
    let on = model.on(&truth::top(N, K));
    let mu: Vec<f64> = (0..K).map(|j| on.b[j * K + j]).collect();
    for sigma in SIGMAS {
        let quarter = 0.25 * sigma.powi(4);
        for k in KS {
            let got = r.corollary4(k, sigma).unwrap();
            let (squares, sum) = (truth::dot(&mu[..k], &mu[..k]), mu[..k].iter().sum::<f64>());
            let whole = quarter * 2.0 * model.frob2();
            part("the diagonal's J", got.diagonal, quarter * (2.0 * squares + sum * sum), whole);
            part("all of B", got.signal, quarter * (2.0 * on.frob2(k) + on.trace(k).powi(2)), whole);
            part("J_sub", got.full, on.moments(k, sigma).j(), model.moments(sigma).j());
            part("off the diagonal", got.off_diagonal, 1.0 - squares / on.frob2(k), 1.0);
            let got = r.proposition3(k, sigma).unwrap();
            got.increments.iter().zip(&mu).for_each(|(got, mu)| part("μ", *got, *mu, model.frob2().sqrt()));
            assert_eq!(got.nonnegative, mu.iter().filter(|mu| **mu >= 0.0).count());
            for (set, signal) in got.signals {
                let chosen = match set {
                    IndexSet::Leading => on.select(&(0..k).collect::<Vec<_>>()),
                    IndexSet::Trailing => on.select(&(K - k..K).collect::<Vec<_>>()),
                    IndexSet::Spread => on.select(&(0..k).map(|j| j * K / k).collect::<Vec<_>>()),
                };
                let squares = truth::dot(&chosen.b, &chosen.b);
                let trace = (0..k).map(|j| chosen.b[j * k + j]).sum::<f64>();
                part("the signal of other eigenvectors", signal, quarter * (2.0 * squares + trace * trace), whole);
            }
        }
    }
}
