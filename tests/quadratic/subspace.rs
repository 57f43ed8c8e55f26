//! Solvers, the quadratic model on the subspace, Monte Carlo there, and what follows for every m ≤ n.

use eigentop::criteria::growth;
use eigentop::criteria::quadratic::Coefficients;
use eigentop::engine::knobs::{Knobs, Precision, SolverKind};
use eigentop::engine::readout::Readout;
use eigentop::engine::readout::growth::Quantity;

use crate::truth::{self, Columns, Model};
use crate::worker::{self, Depth};
use crate::world::{Bigrams, ROWS};
use crate::{K, KS, N, SIGMAS, exact, knobs, near, part, readout, within};

/// a, ‖c‖², Tr B and ‖B‖_F² on `columns`, which do not depend on the signs of eigenvectors.
fn same_model(what: &str, got: &Coefficients, model: &Model, columns: &Columns) {
    let want = model.on(columns);
    exact(&format!("{what}: a"), got.a, want.a);
    assert_eq!(got.k(), want.k(), "{what}");
    for k in 1..=got.k() {
        part(&format!("{what}: ‖c‖², k {k}"), got.c_norm2(k), want.c_norm2(k), model.b_norm2());
        part(&format!("{what}: Tr B, k {k}"), got.trace(k), want.trace(k), model.frob2().sqrt());
        part(&format!("{what}: ‖B‖², k {k}"), got.frob2(k), want.frob2(k), model.frob2());
    }
}

fn solved_by(solver: SolverKind) -> Readout {
    let knobs = Knobs { solver, exhibits: [].into(), ..knobs() };
    worker::run(|| Ok(Bigrams), Precision::F64, knobs, Depth::Coefficients)
}

#[test]
fn the_solvers_find_the_eigenpairs_and_the_model_on_them() {
    let (eigen, model, basis) = (truth::eigen(N), Model::of(N), truth::top(N, K));
    for solver in [SolverKind::Lanczos, SolverKind::Lobpcg] {
        let r = solved_by(solver);
        let found = r.eigenspace.as_ref().unwrap();
        for (i, value) in found.values.iter().enumerate() {
            exact(&format!("{solver}: eigenvalue {i}"), *value, eigen.values[i]);
        }
        assert!(found.residuals.iter().all(|r| *r <= 1e-11 * eigen.values[0]), "{solver}: {:?}", found.residuals);
        assert!(found.orthonormality < 1e-13, "{solver}: {}", found.orthonormality);
        same_model(&solver.to_string(), r.quadratic().unwrap(), &model, &basis);
    }
}

#[test]
fn power_iteration_is_as_near_as_its_residuals_say() {
    let (eigen, r) = (truth::eigen(N), solved_by(SolverKind::Power));
    let found = r.eigenspace.as_ref().unwrap();
    for (value, residual) in found.values.iter().zip(&found.residuals) {
        let nearest = eigen.values.iter().map(|v| (v - value).abs()).fold(f64::INFINITY, f64::min);
        assert!(
            nearest <= residual + 1e-12,
            "{value}: {nearest:e} from an eigenvalue, with a residual of {residual:e}"
        );
    }
}

#[test]
fn first_order_facts_are_those_of_the_counts() {
    let r = readout();
    for i in 0..ROWS {
        exact(&format!("ℓ_{i}"), r.losses[i], truth::loss(i));
    }
    let g = truth::mean(N, truth::gradient);
    exact("‖g‖", r.here().unwrap().gradients.unwrap().grad_norm, truth::dot(&g, &g).sqrt());
    part("leakage", r.leakage.unwrap(), Model::of(N).leakage(&truth::top(N, K)), 1.0);
}

#[test]
fn the_model_of_every_m_is_known_on_the_basis_of_n() {
    let (r, basis) = (readout(), truth::top(N, K));
    for m in 1..=N {
        let model = Model::of(m);
        same_model(&format!("m {m}"), &r.coefficients[&m], &model, &basis);
        exact(&format!("‖b‖² of m {m}"), r.b_norm2[&m], model.b_norm2());
        let (trace, frob2) = r.probed_traces(m).unwrap();
        near(&format!("Tr A of m {m}"), trace, model.trace());
        near(&format!("‖A‖² of m {m}"), frob2, model.frob2());
    }
}

#[test]
fn every_estimator_of_j_sub_finds_the_closed_form() {
    let (r, model) = (readout(), Model::of(N));
    let on = model.on(&truth::top(N, K));
    for k in KS {
        for sigma in SIGMAS {
            let (got, want, whole) = (r.subspace(k, sigma).unwrap(), on.moments(k, sigma), model.moments(sigma));
            part("mean", got.gm.mean, want.mean, whole.mean.abs());
            part("gradient part", got.gm.gradient, want.gradient, whole.gradient);
            part("curvature part", got.gm.curvature, want.curvature, whole.curvature);
            part("GM", got.gm.j(), want.j(), whole.j());
            let direct = got.direct.unwrap();
            near("direct", direct, want.j());
            // The control variate is the whole of the increment: nothing is left to chance.
            part("quadratic draws", got.quadratic.unwrap().mean, direct.mean, whole.j());
            let controlled = got.direct_cv.unwrap();
            part("control variate", controlled.mean, want.j(), whole.j());
            assert!(controlled.stderr <= 1e-10 * whole.j(), "{controlled:?}");
        }
    }
}

#[test]
fn growth_has_the_closed_form_of_every_n_on_its_own_basis_and_its_rates() {
    let r = readout();
    let points = r.growth_points();
    assert_eq!(points.iter().map(|p| p.n).collect::<Vec<_>>(), [1, 2, 4, 8]);
    for point in &points {
        let (n, model) = (point.n, Model::of(point.n));
        let next = &point.next[0];
        let got = Coefficients { a: next.a, c: next.c.clone(), b: next.b.clone() };
        same_model(&format!("n {n}"), &got, &model, &truth::top(n, K));
        exact("‖b‖²", next.b_norm2, model.b_norm2());
        near("Tr A", next.trace, model.trace());
        near("‖A‖²", next.frob2, model.frob2());
        exact("loss", point.loss, truth::mean(n, |i| vec![truth::loss(i)])[0]);
        let g = truth::mean(n, truth::gradient);
        exact("‖g‖", point.grad_norm, truth::dot(&g, &g).sqrt());
    }
    for pair in points.windows(2) {
        let want = truth::cosines(&truth::top(pair[0].n, K), &truth::top(pair[1].n, K));
        for (got, want) in pair[1].cosines.iter().zip(want) {
            part("cosine", *got, want, 1.0);
        }
    }
    for sigma in SIGMAS {
        let j_sub = |n: usize| Model::of(n).on(&truth::top(n, K)).moments(K, sigma).j();
        for (quantity, j) in [
            (Quantity::J1, points.iter().map(|p| (p.n, Model::of(p.n).a.abs())).collect::<Vec<_>>()),
            (Quantity::JSub, points.iter().map(|p| (p.n, j_sub(p.n))).collect()),
        ] {
            let curves = r.growth_curve(quantity, K, sigma).into_iter().zip(r.growth_constant(quantity, K, sigma));
            for (((_, got), (_, constant)), (n, want)) in curves.zip(&j) {
                part("curve", got.value, *want, *want);
                let algebra = (*n as f64 + 1.0).powf(quantity.rate());
                part("what is left without the algebra", constant.value * algebra, *want, *want);
            }
            let (got, want) = (r.growth_law(quantity, K, sigma).unwrap(), growth::fit(&[j]).unwrap());
            part("rate", got.slope.value, want.slope.value, 1.0);
            part("its lower end", got.slope.low, want.slope.low, 1.0);
            part("log C", got.intercept, want.intercept, 1.0);
        }
        for ((_, got), point) in r.growth_curve(Quantity::JFull, K, sigma).into_iter().zip(&points) {
            within("J_full with estimated traces", got, Model::of(point.n).moments(sigma).j());
        }
    }
    assert_eq!(knobs().seed, points[0].seed);
}
