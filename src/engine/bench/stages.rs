//! The measurements themselves.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::{Bench, Both, Machine, Plan, Ratios, Reach, Seconds, Solver, VarianceRatio, matmul_gflops};
use crate::criteria::estimators::{self, Control, Pair};
use crate::criteria::increment::{increment, mean};
use crate::criteria::projection;
use crate::criteria::quadratic::Coefficients;
use crate::diff::product::metered;
use crate::diff::risk::{Interrupt, Risk};
use crate::engine::device::{Place, placed};
use crate::engine::hessian::{Hessian, block, solve};
use crate::engine::knobs::{Knobs, SolverKind};
use crate::engine::memory;
use crate::engine::problem::Problem;
use crate::engine::worker::Settings;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::{diagonal, symmetric_part};
use crate::math::stats::{Estimate, median};
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::spectrum::solver::{Eigenspace, Outcome, Request, Start};

/// Most products that an eigensolver may spend for each pair.
pub(super) const PRODUCTS_PER_PAIR: usize = 500;

/// Measure on the threads of the pool in force.
pub(super) fn measure<T: Real>(
    problem: &Problem,
    plan: &Plan,
    settings: &Settings,
    load: [f64; 3],
    tell: &mut (dyn FnMut(&str) + Send),
) -> Result<Bench> {
    let never: Interrupt = Arc::new(|| Ok(()));
    let on = |interrupt| placed(problem.risk::<T>(interrupt), &Place::of(settings), Some(&plan.knobs));
    let (mut ours, mut papers) = (on(never.clone())?, on(never)?);
    papers.keep(0);
    tell("products");
    let mut bench = products(problem, plan, settings, &mut ours, &papers, load)?;
    if plan.reach == Reach::Product {
        return Ok(bench);
    }
    let memory = memory::plan(&ours, &plan.knobs, memory::limit(settings.memory))?;
    ours.keep(memory.kept);
    let request = Request {
        columns: Some(memory.columns),
        block: block(plan.knobs.n),
        ..Request::new(plan.knobs.k(), plan.knobs.tol, PRODUCTS_PER_PAIR * plan.knobs.k(), plan.knobs.seed)
    };
    let mut basis = None;
    for kind in SolverKind::ALL {
        tell(&format!("stage I by {kind}"));
        let (solver, space) = solved(&ours, plan, kind, &request)?;
        bench.solvers.push(solver);
        basis = basis.or(Some(space));
    }
    let Some(space) = basis else { return Ok(bench) };
    bench.seconds.ours.subspace = bench.solvers.first().map(|solver| solver.seconds);
    if plan.reach == Reach::All {
        tell("stage I by the paper's method");
        let (solver, _) = solved(&papers, plan, SolverKind::Power, &request)?;
        bench.seconds.paper.subspace = Some(solver.seconds);
        bench.paper_subspace = Some(solver);
    }

    tell("stage II");
    let own = diagonal(&space.values);
    let began = Instant::now();
    let c = projection::gradient(&ours, &space.vectors, plan.knobs.n)?;
    let b = projection::curvature(&ours, &space, &own, plan.knobs.n)?.b;
    bench.seconds.ours.coefficients = Some(began.elapsed().as_secs_f64());
    let began = Instant::now();
    papers_coefficients(&papers, &space.vectors, plan.knobs.n)?;
    bench.seconds.paper.coefficients = Some(began.elapsed().as_secs_f64());

    tell("direct Monte Carlo");
    let losses = ours.linearise(0..plan.knobs.n + 1)?;
    // Fills the buffers.
    ours.losses(&[ours.point(), ours.point()], 0..plan.knobs.n + 1)?;
    let model = Coefficients { a: increment(&losses, plan.knobs.n).unwrap_or(f64::NAN), c, b };
    for &sigma in &plan.knobs.sigmas {
        let began = Instant::now();
        let draws: Vec<Vec<f64>> =
            (0..plan.knobs.draws.div_ceil(2)).map(|index| normals(&plan.knobs, index, model.k())).collect();
        let pairs = pairs(&ours, plan.knobs.n, &draws, &space.vectors, &model, sigma)?;
        let seconds = began.elapsed().as_secs_f64();
        bench.seconds.ours.direct_mc.get_or_insert(seconds);
        bench.variance_ratios.extend(variance_ratio(
            &pairs,
            &Control::quadratic(&model, model.k(), sigma),
            plan,
            sigma,
        ));
    }
    let began = Instant::now();
    draws(&papers, &plan.knobs, &space.vectors)?;
    bench.seconds.paper.direct_mc = Some(began.elapsed().as_secs_f64());

    let ratio = |of: fn(&Seconds) -> Option<f64>| Some(of(&bench.seconds.paper)? / of(&bench.seconds.ours)?);
    bench.ratios = Ratios {
        subspace: ratio(|s| s.subspace),
        coefficients: ratio(|s| s.coefficients),
        direct_mc: ratio(|s| s.direct_mc),
        ..bench.ratios
    };
    Ok(bench)
}

/// Forward, gradient and product, both methods in turn; the median of each.
fn products<T: Real>(
    problem: &Problem,
    plan: &Plan,
    settings: &Settings,
    ours: &mut Risk<T>,
    papers: &Risk<T>,
    load: [f64; 3],
) -> Result<Bench> {
    let all = 0..plan.knobs.n;
    ours.linearise(0..plan.knobs.n + 1)?;
    let v: Vec<T> = vector::normals(&mut Stream::new(plan.knobs.seed, Purpose::Solver, 0), ours.parameters());
    let mut out = vec![T::zero(); v.len()];
    let mut seconds = [const { Vec::new() }; 4];
    for run in 0..=plan.runs {
        let times = [
            timed(|| papers.losses(&[papers.point()], all.clone()).map(drop))?,
            timed(|| papers.gradient(all.clone()).map(drop))?,
            timed(|| ours.hvp(all.clone(), &v, &mut out))?,
            timed(|| papers.hvp(all.clone(), &v, &mut out))?,
        ];
        // The first run fills the buffers.
        if run > 0 {
            seconds.iter_mut().zip(times).for_each(|(all, one)| all.push(one));
        }
    }
    let [forward, gradient, hvp, papers_hvp] = seconds.map(|s| median(&s).unwrap_or(f64::NAN));
    let mut result = Ok(());
    let mut metered_seconds = 0.0;
    let cost = metered(|| {
        let began = Instant::now();
        result = ours.hvp(all, &v, &mut out);
        metered_seconds = began.elapsed().as_secs_f64();
    });
    result?;
    let threads = rayon::current_num_threads() as f64;
    let both = |ours, paper| Both { ours: of(forward, gradient, ours), paper: of(forward, gradient, paper) };
    Ok(Bench {
        problem: format!("{} {}", problem.checkpoint.name, problem.checkpoint.config),
        parameters: v.len(),
        n: plan.knobs.n,
        k: plan.knobs.k(),
        precision: settings.precision,
        seconds: both(hvp, papers_hvp),
        ratios: Ratios { hvp: papers_hvp / hvp, subspace: None, coefficients: None, direct_mc: None },
        paper_subspace: None,
        solvers: Vec::new(),
        variance_ratios: Vec::new(),
        matmul_gflops: matmul_gflops::<T>(plan.runs),
        hvp_gflops: cost.operations / hvp * 1e-9,
        hvp_matmul_share: cost.thread_seconds / threads / metered_seconds,
        machine: Machine::here(),
        load,
    })
}

fn of(forward: f64, gradient: f64, hvp: f64) -> Seconds {
    Seconds { forward, gradient, hvp, ..Seconds::default() }
}

fn timed(run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    run()?;
    Ok(began.elapsed().as_secs_f64())
}

/// One solve from a random start.
fn solved<T: Real>(
    risk: &Risk<T>,
    plan: &Plan,
    kind: SolverKind,
    request: &Request,
) -> Result<(Solver, Eigenspace<T>)> {
    let began = Instant::now();
    let mut hessian = Hessian { risk, sequences: 0..plan.knobs.n };
    let space = solve(&mut hessian, kind, request, Start::Random, &mut |_| ())?;
    let seconds = began.elapsed().as_secs_f64();
    let worst = space.residuals.iter().copied().fold(0.0, f64::max);
    let solver = Solver {
        solver: kind.to_string(),
        products: space.products,
        seconds,
        residual: worst / space.values[0].abs(),
        converged: space.outcome == Outcome::Converged,
    };
    Ok((solver, space))
}

/// Stage II as the paper does it: two gradients and 2k products, on n and on n + 1 sequences.
fn papers_coefficients<T: Real>(risk: &Risk<T>, u: &Basis<T>, n: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut b = risk.gradient(0..n + 1)?;
    vector::axpy(-1.0, &risk.gradient(0..n)?, &mut b);
    let compressed = |range: Range<usize>| -> Result<Vec<f64>> {
        let mut image = vec![T::zero(); u.dim()];
        let mut all = Vec::new();
        for column in u.cols() {
            risk.hvp(range.clone(), column, &mut image)?;
            all.extend(u.coefficients(&image));
        }
        Ok(all)
    };
    let (more, fewer) = (compressed(0..n + 1)?, compressed(0..n)?);
    let difference: Vec<f64> = more.iter().zip(&fewer).map(|(m, f)| m - f).collect();
    Ok((u.coefficients(&b), symmetric_part(u.len(), &difference)))
}

/// Draw `index` in a subspace of dimension k.
fn normals(knobs: &Knobs, index: usize, k: usize) -> Vec<f64> {
    Stream::new(knobs.seed, Purpose::Subspace, index as u64).normals(k)
}

/// The antithetic pairs of the draws, with the quadratic model beside them.
fn pairs<'a, T: Real>(
    risk: &Risk<T>,
    n: usize,
    draws: &'a [Vec<f64>],
    u: &Basis<T>,
    model: &Coefficients,
    sigma: f64,
) -> Result<Vec<Pair<'a>>> {
    let pair = |z: &'a Vec<f64>| {
        let direction = u.combine(z);
        let [plus, minus] = [sigma, -sigma].map(|s| vector::moved(risk.point(), s, &direction));
        let rows = risk.losses(&[&plus, &minus], 0..n + 1)?;
        let [plus, minus] = [&rows[0], &rows[1]].map(|row| increment(row, n).unwrap_or(f64::NAN));
        let (control_plus, control_minus) = (model.value(sigma, z), model.value(-sigma, z));
        Ok(Pair { plus, minus, control_plus, control_minus, z })
    };
    draws.iter().map(pair).collect()
}

/// Direct Monte Carlo as the paper does it, at the first σ: the mean loss on n + 1 and again on n sequences for every draw.
pub(super) fn draws<T: Real>(risk: &Risk<T>, knobs: &Knobs, u: &Basis<T>) -> Result<f64> {
    let (n, sigma) = (knobs.n, knobs.sigmas.first().copied().unwrap_or(knobs.sigma));
    let mut total = 0.0;
    for index in 0..knobs.draws {
        let point = vector::moved(risk.point(), sigma, &u.combine(&normals(knobs, index, u.len())));
        let [more, fewer] = [n + 1, n].map(|count| risk.losses(&[&point], 0..count).map(|l| mean(&l[0], count)));
        total += (more?.unwrap_or(f64::NAN) - fewer?.unwrap_or(f64::NAN)).powi(2);
    }
    Ok(total / knobs.draws as f64)
}

/// Variance of the mean of Δ² over that of our estimator from as many losses of a sequence: the paper's method spends
/// 2n + 1 of them on a draw, ours n + 1.
fn variance_ratio(pairs: &[Pair], control: &Control, plan: &Plan, sigma: f64) -> Option<VarianceRatio> {
    let plain = Estimate::of(pairs.iter().flat_map(|p| [p.plus * p.plus, p.minus * p.minus]))?;
    let ours = estimators::with_control(pairs, control)?;
    let price = (2 * plan.knobs.n + 1) as f64 / (plan.knobs.n + 1) as f64;
    Some(VarianceRatio { sigma, ratio: price * (plain.stderr / ours.stderr).powi(2) })
}
