//! The eigensolvers on matrices whose spectrum is known.

use eigentop::error::{Error, Result};
use eigentop::math::array::Real;
use eigentop::math::dense::symmetric_eigen;
use eigentop::math::stream::{Purpose, Stream};
use eigentop::math::vector;
use eigentop::spectrum::lanczos::{fewest_columns, lanczos};
use eigentop::spectrum::lobpcg::lobpcg;
use eigentop::spectrum::operator::{Negated, SymmetricOperator};
use eigentop::spectrum::paper::paper_power;
use eigentop::spectrum::power::power;
use eigentop::spectrum::solver::{Eigenspace, Iteration, Outcome, Request, Start};
use proptest::prelude::*;

/// Q diag(spectrum) Q with a random reflection Q = I − 2uuᵀ: dense, with eigenvalues known to the last digit.
struct Known {
    spectrum: Vec<f64>,
    mirror: Vec<f64>,
    products: usize,
    cancelled_after: usize,
}

impl Known {
    fn new(spectrum: impl Into<Vec<f64>>) -> Known {
        let spectrum = spectrum.into();
        let mut mirror = Stream::new(11, Purpose::Solver, 1 << 40).normals(spectrum.len());
        let norm = vector::norm(&mirror);
        vector::scale(1.0 / norm, &mut mirror);
        Known { spectrum, mirror, products: 0, cancelled_after: usize::MAX }
    }

    fn reflect(&self, x: &mut [f64]) {
        vector::axpy(-2.0 * vector::dot(&self.mirror, x), &self.mirror, x);
    }

    /// The k largest eigenvalues.
    fn largest(&self, k: usize) -> Vec<f64> {
        let mut sorted = self.spectrum.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        sorted.truncate(k);
        sorted
    }
}

impl<T: Real> SymmetricOperator<T> for Known {
    fn dim(&self) -> usize {
        self.spectrum.len()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        if self.products == self.cancelled_after {
            return Err(Error::Cancelled);
        }
        self.products += 1;
        let mut x: Vec<f64> = vector::convert(v);
        self.reflect(&mut x);
        x.iter_mut().zip(&self.spectrum).for_each(|(x, s)| *x *= s);
        self.reflect(&mut x);
        out.copy_from_slice(&vector::convert::<f64, T>(&x));
        Ok(())
    }
}

fn cold<T: Real>(op: &mut Known, request: &Request) -> Eigenspace<T> {
    lanczos(op, request, Start::Random, &mut |_| {}).unwrap()
}

/// Everything an eigenspace claims, held against the matrix itself.
fn verify<T: Real>(op: &mut Known, request: &Request, space: &Eigenspace<T>) {
    let truth = op.largest(request.k);
    let scale = op.spectrum.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let eps = <T as num_traits::Float>::epsilon().wide();
    // Sums are in f64, so f64 has nothing to spare.
    let slack = if eps > 1e-10 { 20.0 } else { 100.0 } * eps * scale;
    assert_eq!(space.outcome, Outcome::Converged, "{:?}", space.residuals);
    assert_eq!(space.products, op.products);
    assert!(space.orthonormality < 100.0 * eps, "{}", space.orthonormality);
    for (i, truth) in truth.iter().enumerate() {
        let (value, residual) = (space.values[i], space.residuals[i]);
        // Each value lies within its residual of some eigenvalue. That it is the one of the same rank can only be told
        // to the tolerance, where eigenvalues lie closer together than that.
        let tolerance = request.tol * space.values[0].abs();
        assert!((value - truth).abs() <= 2.0 * tolerance + slack, "value {i}: {value} is not {truth} ({residual:e})");
        let nearest = op.spectrum.iter().map(|s| (s - value).abs()).fold(f64::INFINITY, f64::min);
        assert!(nearest <= residual + slack && residual <= tolerance, "value {i}: {value}, {nearest}, {residual}");
        let mut image = vec![T::of(0.0); op.spectrum.len()];
        op.apply(space.vectors.col(i), &mut image).unwrap();
        let measured = vector::distance(value, space.vectors.col(i), &image);
        assert!((measured - residual).abs() <= slack, "residual {i}: {measured:e} is not {residual:e}");
        let error = vector::distance(1.0, &space.image(i), &image);
        assert!(error <= slack, "image {i} is off by {error:e}");
    }
    let products = space.vectors.products(&space.remainder);
    assert!(products.iter().all(|x| x.abs() <= slack), "UᵀR is not 0");
}

/// Well separated outliers 1 … 0.2 over a bulk within ±0.05, as Hessians of trained networks have.
fn gapped(outliers: usize, dim: usize) -> Vec<f64> {
    let outlier = |i: usize| 0.2 * 5f64.powf(1.0 - i as f64 / (outliers - 1) as f64);
    let bulk = |i: usize| 0.05 * (2.0 * i as f64 / (dim - outliers) as f64 - 1.0);
    (0..outliers).map(outlier).chain((0..dim - outliers).map(bulk)).collect()
}

fn power_law(exponent: f64, dim: usize) -> Vec<f64> {
    (1..=dim).map(|i| (i as f64).powf(-exponent)).collect()
}

#[test]
fn lanczos_solves_known_spectra_in_both_precisions() {
    let mut negative = gapped(12, 3000);
    negative.extend([-3.0, -2.0, -2.0]);
    let cluster: Vec<f64> =
        (0..8).map(|i| 1.0 + 1e-4 * i as f64).chain(power_law(0.5, 2000).iter().map(|x| 0.5 * x)).collect();
    for (spectrum, k, tol) in
        [(gapped(16, 3000), 16, 1e-3), (power_law(1.0, 3000), 10, 1e-5), (negative, 12, 1e-4), (cluster, 8, 3e-6)]
    {
        let request = Request::new(k, tol, 2000, 3);
        let mut op = Known::new(spectrum.clone());
        let space = cold::<f64>(&mut op, &request);
        verify(&mut op, &request, &space);
        let mut op = Known::new(spectrum);
        let space = cold::<f32>(&mut op, &request);
        verify(&mut op, &request, &space);
    }
}

#[test]
fn the_promised_products_suffice() {
    for (k, most) in [(16, 60), (45, 150)] {
        for spectrum in [gapped(k, 20_000), power_law(1.0, 20_000)] {
            let mut op = Known::new(spectrum);
            let request = Request::new(k, 1e-3, 1000, 0);
            let space = cold::<f32>(&mut op, &request);
            verify(&mut op, &request, &space);
            println!("k {k}: {} products", space.products);
            assert!(space.products <= most, "{} products for the top {k}", space.products);
        }
    }
}

#[test]
fn few_columns_cost_products_and_no_accuracy() {
    let spectrum = power_law(0.7, 2000);
    let mut request = Request::new(6, 1e-8, 2000, 1);
    let mut op = Known::new(spectrum.clone());
    let wide = cold::<f64>(&mut op, &request);
    request.columns = Some(9);
    let mut op = Known::new(spectrum);
    let narrow = cold::<f64>(&mut op, &request);
    verify(&mut op, &request, &narrow);
    assert!(narrow.products > wide.products);
}

#[test]
fn exact_copies_are_found_where_the_space_closes_and_where_a_check_is_asked_for() {
    // Two or three distinct values: the Krylov space closes at once.
    for (spectrum, k) in [
        (vec![5.0, 5.0, 5.0, 1.0, 1.0, 1.0], 2),
        ([vec![3.0; 9], vec![2.0; 30], vec![-4.0; 61]].concat(), 12),
        (vec![1.0; 50], 3),
    ] {
        let request = Request::new(k, 1e-10, 500, 0);
        let mut op = Known::new(spectrum);
        let space = cold::<f64>(&mut op, &request);
        verify(&mut op, &request, &space);
    }
    // Threefold λ_1 and twofold λ_2 over a spread spectrum: only the check sees the copies.
    let spectrum = [vec![2.0, 2.0, 2.0, 1.5, 1.5], power_law(0.5, 1000)].concat();
    let mut request = Request::new(6, 1e-3, 2000, 0);
    let mut op = Known::new(spectrum.clone());
    assert!(cold::<f64>(&mut op, &request).values[1] < 1.6);
    request.check = 30;
    for seed in 0..4 {
        request.seed = seed;
        let mut op = Known::new(spectrum.clone());
        let space = cold::<f64>(&mut op, &request);
        verify(&mut op, &request, &space);
    }
}

#[test]
fn low_rank_and_zero_operators_are_solved() {
    for (nonzero, k) in [(vec![4.0, -6.0, 1.0], 5), (vec![], 2), (vec![-1.0, -2.0], 3)] {
        let mut spectrum = nonzero;
        spectrum.resize(200, 0.0);
        let request = Request::new(k, 1e-8, 400, 0);
        let mut op = Known::new(spectrum.clone());
        let space = cold::<f64>(&mut op, &request);
        for (value, truth) in space.values.iter().zip(op.largest(k)) {
            assert!((value - truth).abs() < 1e-12, "{value} is not {truth}");
        }
        assert!(space.products <= 20, "{} products", space.products);
        let mut op = Known::new(spectrum);
        let space = cold::<f32>(&mut op, &request);
        for (value, truth) in space.values.iter().zip(op.largest(k)) {
            assert!((value - truth).abs() < 1e-5, "{value} is not {truth}");
        }
    }
}

#[test]
fn all_eigenpairs_and_tiny_dimensions() {
    for dim in 1..=7 {
        let spectrum: Vec<f64> = (0..dim).map(|i| 1.5 - i as f64).collect();
        for k in 1..=dim {
            let request = Request::new(k, 1e-9, 100, 0);
            let mut op = Known::new(spectrum.clone());
            let space = cold::<f64>(&mut op, &request);
            verify(&mut op, &request, &space);
            let mut op = Known::new(spectrum.clone());
            let space: Eigenspace<f64> = power(&mut op, &Request::new(k, 1e-6, 5000, 0), &mut |_| {}).unwrap();
            for (value, truth) in space.values.iter().zip(op.largest(k)) {
                assert!((value - truth).abs() < 1e-5, "power, dim {dim}, k {k}: {:?}", space.values);
            }
        }
    }
    let mut op = Known::new(power_law(1.0, 60));
    let request = Request::new(60, 1e-10, 100, 0);
    let space = cold::<f64>(&mut op, &request);
    verify(&mut op, &request, &space);
    assert_eq!(space.products, 60);
}

#[test]
fn the_negative_end_is_shown_and_its_vectors_are_the_top_of_the_negated_operator() {
    let mut spectrum = gapped(5, 1000);
    spectrum.push(-2.0);
    let mut op = Known::new(spectrum);
    let space = cold::<f64>(&mut op, &Request::new(5, 1e-6, 500, 0));
    assert!((space.smallest[0] + 2.0).abs() < 1e-6, "{:?}", space.smallest);
    let request = Request::new(1, 1e-6, 500, 0);
    let bottom = lanczos::<f64>(&mut Negated(&mut op), &request, Start::Random, &mut |_| {}).unwrap();
    assert!((bottom.values[0] - 2.0).abs() < 1e-6);
}

#[test]
fn seeds_fix_every_bit_whatever_the_threads() {
    let run = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut op = Known::new(power_law(0.8, 10_000));
            let space = cold::<f32>(&mut op, &Request::new(5, 1e-4, 500, seed));
            let bits: Vec<u32> = space.vectors.cols().flatten().map(|x| x.to_bits()).collect();
            (space.values.iter().map(|x| x.to_bits()).collect::<Vec<u64>>(), bits, space.products)
        })
    };
    let once = run(1, 7);
    assert!(once == run(1, 7) && once == run(2, 7) && once == run(3, 7));
    assert!(once.1 != run(1, 8).1);
}

/// The known matrix plus a random symmetric perturbation of rank 2 · `terms`.
struct Perturbed(Known, Vec<(Vec<f64>, f64)>);

impl SymmetricOperator<f64> for Perturbed {
    fn dim(&self) -> usize {
        self.0.spectrum.len()
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) -> Result<()> {
        self.0.apply(v, out)?;
        for (x, size) in &self.1 {
            vector::axpy(size * vector::dot(x, v), x, out);
        }
        Ok(())
    }
}

#[test]
fn a_neighbours_vectors_save_products_and_hide_nothing() {
    let dim = 5000;
    for (spectrum, k) in [(gapped(16, dim), 16), (power_law(1.0, dim), 16), (power_law(0.6, dim), 30)] {
        let request = Request::new(k, 1e-3, 1000, 0);
        let near = cold::<f64>(&mut Known::new(spectrum.clone()), &request);
        let terms = (0..40).map(|i| {
            let mut x = Stream::new(2, Purpose::Solver, i).normals(dim);
            x.iter_mut().zip(&spectrum).for_each(|(x, s)| *x *= s.abs().sqrt());
            let norm = vector::norm(&x);
            vector::scale(1.0 / norm, &mut x);
            (x, if i % 2 == 0 { 0.01 } else { -0.01 })
        });
        let mut op = Perturbed(Known::new(spectrum.clone()), terms.collect());
        let cold = lanczos(&mut op, &request, Start::Random, &mut |_| {}).unwrap();
        let warm = lanczos(&mut op, &request, Start::Near(&near.vectors), &mut |_| {}).unwrap();
        println!("k {k}: warm {} cold {}", warm.products, cold.products);
        assert!(warm.products < cold.products, "warm {} cold {}", warm.products, cold.products);
        for (warm, cold) in warm.values.iter().zip(&cold.values) {
            assert!((warm - cold).abs() <= 2.0 * request.tol * cold.abs().max(1.0));
        }
    }
    // A start that is an invariant subspace, but not the leading one, must not be taken for the answer.
    let spectrum = power_law(0.5, 400);
    let all = cold::<f64>(&mut Known::new(spectrum.clone()), &Request::new(400, 1e-10, 400, 0));
    let mut low = eigentop::math::basis::Basis::new(400, 4);
    (20..24).for_each(|i| low.push(all.vectors.col(i)));
    let request = Request::new(4, 1e-6, 400, 0);
    let mut op = Known::new(spectrum);
    let space = lanczos(&mut op, &request, Start::Near(&low), &mut |_| {}).unwrap();
    verify(&mut op, &request, &space);
}

#[test]
fn a_solve_can_be_resumed_for_more_pairs_or_digits() {
    let spectrum = power_law(0.8, 4000);
    let mut request = Request::new(16, 1e-3, 1000, 0);
    let first = cold::<f64>(&mut Known::new(spectrum.clone()), &request);
    request.k = 24;
    let mut op = Known::new(spectrum.clone());
    let more = lanczos(&mut op, &request, Start::Resume(&first), &mut |_| {}).unwrap();
    verify(&mut op, &request, &more);
    let afresh = cold::<f64>(&mut Known::new(spectrum.clone()), &request);
    println!("resumed {} afresh {} first {}", more.products, afresh.products, first.products);
    assert!(more.products < afresh.products, "{} against {}", more.products, afresh.products);
    request = Request::new(16, 1e-9, 1000, 0);
    let mut op = Known::new(spectrum.clone());
    let sharper = lanczos(&mut op, &request, Start::Resume(&first), &mut |_| {}).unwrap();
    verify(&mut op, &request, &sharper);

    let mut op = Known::new(gapped(4, 500));
    let request = Request::new(4, 1e-2, 5000, 0);
    let by_power: Eigenspace<f64> = power(&mut op, &request, &mut |_| {}).unwrap();
    let request = Request::new(4, 1e-8, 100, 0);
    let mut op = Known::new(gapped(4, 500));
    let polished = lanczos(&mut op, &request, Start::Resume(&by_power), &mut |_| {}).unwrap();
    verify(&mut op, &request, &polished);
}

#[test]
fn power_iteration_gets_signs_and_order_right() {
    let mut spectrum = gapped(6, 500);
    spectrum.extend([-0.9, -0.5]);
    for seed in 0..3 {
        let request = Request::new(6, 1e-3, 10_000, seed);
        let mut op = Known::new(spectrum.clone());
        let space: Eigenspace<f64> = power(&mut op, &request, &mut |_| {}).unwrap();
        verify(&mut op, &request, &space);
        assert!((space.smallest[0] + 0.9).abs() < 1e-3 && (space.smallest[1] + 0.5).abs() < 1e-3);
        let by_power = op.products;
        let mut op = Known::new(spectrum.clone());
        assert!(3 * cold::<f64>(&mut op, &request).products < by_power - request.k);
        let mut op = Known::new(spectrum.clone());
        let space: Eigenspace<f32> = power(&mut op, &request, &mut |_| {}).unwrap();
        verify(&mut op, &request, &space);
    }
}

#[test]
fn a_loose_tolerance_does_not_let_random_vectors_pass() {
    // The residual of a random vector, ‖H‖_F/√dim = 0.07, is less than half the tolerance of 0.16.
    let mut spectrum = vec![0.001; 20_000];
    spectrum[..4].copy_from_slice(&[8.0, 5.0, 3.4, 3.0]);
    let mut op = Known::new(spectrum);
    let request = Request::new(4, 0.02, 2000, 0);
    let space: Eigenspace<f64> = power(&mut op, &request, &mut |_| {}).unwrap();
    verify(&mut op, &request, &space);
}

#[test]
fn power_iteration_untangles_opposite_eigenvalues() {
    let mut spectrum = vec![0.0; 100];
    spectrum[..4].copy_from_slice(&[1.0, -1.0, 0.5, 0.25]);
    let request = Request::new(3, 1e-6, 10_000, 0);
    let space: Eigenspace<f64> = power(&mut Known::new(spectrum), &request, &mut |_| {}).unwrap();
    for (value, truth) in space.values.iter().zip([1.0, 0.5, 0.25]) {
        assert!((value - truth).abs() < 1e-5, "{:?}", space.values);
    }
}

#[test]
fn the_papers_method_keeps_its_artefacts() {
    let mut spectrum = gapped(4, 300);
    spectrum.push(-3.0);
    let request = Request::new(4, 1e-3, 1000, 0);
    let mut op = Known::new(spectrum);
    let mut seen = 0;
    let space: Eigenspace<f64> = paper_power(&mut op, &request, &mut |_| seen += 1).unwrap();
    assert_eq!((space.products, seen), (op.products, op.products));
    // −3 is taken for 3, deflated the wrong way and met again at 6.
    assert!((space.values[0] - 3.0).abs() < 1e-2 && (space.values[1] - 6.0).abs() < 1e-2, "{:?}", space.values);
    assert!(space.orthonormality > 0.99 && space.outcome == Outcome::Exhausted);
    assert!((space.residuals[0] - 6.0).abs() < 1e-2);
}

#[test]
fn every_product_is_shown_and_counted() {
    let mut op = Known::new(gapped(6, 500));
    let mut shown = Vec::new();
    let request = Request::new(6, 1e-4, 500, 0);
    let space: Eigenspace<f64> = lanczos(&mut op, &request, Start::Random, &mut |i: &Iteration<'_>| {
        assert!(i.values.len() == i.residuals.len() && i.values.is_sorted_by(|a, b| a >= b));
        assert!(i.smallest.is_sorted());
        shown.push((i.products, i.values[0], i.values.len()));
    })
    .unwrap();
    assert_eq!(shown.iter().map(|s| s.0).collect::<Vec<_>>(), (1..=op.products).collect::<Vec<_>>());
    assert_eq!(shown.last().unwrap(), &(space.products, space.values[0], 6));
    assert!(shown.windows(2).all(|w| w[1].1 >= w[0].1 - 1e-12), "the largest Ritz value only grows");
}

#[test]
fn a_spent_budget_and_an_unreachable_tolerance_end_the_solve_and_say_so() {
    let request = Request::new(16, 1e-3, 20, 0);
    let space = cold::<f32>(&mut Known::new(power_law(1.0, 2000)), &request);
    assert_eq!((space.outcome, space.products, space.values.len()), (Outcome::Exhausted, 20, 16));
    let request = Request::new(4, 1e-14, 5000, 0);
    let mut op = Known::new(power_law(1.0, 2000));
    let space = cold::<f32>(&mut op, &request);
    assert!(space.outcome == Outcome::Rounding && space.products < 200, "{} products", space.products);
    let space: Eigenspace<f32> =
        power(&mut Known::new(gapped(3, 300)), &Request::new(3, 1e-14, 5000, 0), &mut |_| {}).unwrap();
    assert_ne!(space.outcome, Outcome::Converged);
    assert!(space.residuals.iter().all(|r| *r < 1e-5));
}

#[test]
fn cancellation_and_bad_numbers_come_through() {
    let request = Request::new(4, 1e-3, 100, 0);
    let mut op = Known::new(power_law(1.0, 500));
    op.cancelled_after = 3;
    assert!(matches!(lanczos::<f64>(&mut op, &request, Start::Random, &mut |_| {}), Err(Error::Cancelled)));
    assert_eq!(op.products, 3);
    assert!(matches!(power::<f64>(&mut op, &request, &mut |_| {}), Err(Error::Cancelled)));
    assert!(matches!(paper_power::<f64>(&mut op, &request, &mut |_| {}), Err(Error::Cancelled)));
    let mut op = Known::new([f64::NAN; 10]);
    assert!(matches!(lanczos::<f64>(&mut op, &request, Start::Random, &mut |_| {}), Err(Error::NotFinite(_))));
    assert!(matches!(power::<f64>(&mut op, &request, &mut |_| {}), Err(Error::NotFinite(_))));
    assert!(matches!(paper_power::<f64>(&mut op, &request, &mut |_| {}), Err(Error::NotFinite(_))));
    let mut op = Known::new([1.0; 10]);
    for bad in [Request::new(0, 1e-3, 10, 0), Request::new(11, 1e-3, 100, 0), Request::new(4, 1e-3, 3, 0)] {
        assert!(matches!(lanczos::<f64>(&mut op, &bad, Start::Random, &mut |_| {}), Err(Error::Computation(_))));
    }
}

/// The solvers that multiply blocks: Lanczos by its block size, and LOBPCG.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Blocked {
    Lanczos(usize),
    Lobpcg,
}

const BLOCKED: [Blocked; 3] = [Blocked::Lanczos(2), Blocked::Lanczos(4), Blocked::Lobpcg];

impl Blocked {
    fn solve<T: Real>(
        self,
        op: &mut dyn SymmetricOperator<T>,
        request: &Request,
        start: Start<'_, T>,
    ) -> Result<Eigenspace<T>> {
        match self {
            Blocked::Lanczos(block) => lanczos(op, &Request { block, ..request.clone() }, start, &mut |_| {}),
            Blocked::Lobpcg => lobpcg(op, request, start, &mut |_| {}),
        }
    }
}

#[test]
fn blocks_solve_known_spectra_in_both_precisions() {
    let mut negative = gapped(12, 2000);
    negative.extend([-3.0, -2.0, -2.0]);
    let cluster: Vec<f64> =
        (0..8).map(|i| 1.0 + 1e-4 * i as f64).chain(gapped(4, 1500).iter().map(|x| 0.5 * x)).collect();
    let copies = [vec![2.0, 2.0, 2.0, 1.5, 1.5], power_law(0.5, 600)].concat();
    for method in BLOCKED {
        for (spectrum, k, tol) in [
            (gapped(16, 3000), 16, 1e-3),
            (power_law(1.0, 2000), 10, 1e-4),
            (negative.clone(), 12, 1e-4),
            (cluster.clone(), 8, 3e-6),
        ] {
            let request = Request::new(k, tol, 20_000, 3);
            let mut op = Known::new(spectrum.clone());
            let space = method.solve::<f64>(&mut op, &request, Start::Random).unwrap();
            verify(&mut op, &request, &space);
            let mut op = Known::new(spectrum);
            let space = method.solve::<f32>(&mut op, &request, Start::Random).unwrap();
            verify(&mut op, &request, &space);
        }
        // A block of four sees three copies of an eigenvalue; smaller blocks need the check to see the third.
        let request = Request { check: 30, ..Request::new(6, 1e-3, 5000, 0) };
        let mut op = Known::new(copies.clone());
        let space = method.solve::<f64>(&mut op, &request, Start::Random).unwrap();
        verify(&mut op, &request, &space);
    }
}

#[test]
fn blocks_cope_with_tiny_low_rank_and_closed_spaces() {
    for method in BLOCKED {
        for dim in 1..=7 {
            for k in 1..=dim {
                let request = Request::new(k, 1e-9, 200, 0);
                let mut op = Known::new((0..dim).map(|i| 1.5 - i as f64).collect::<Vec<f64>>());
                let space = method.solve::<f64>(&mut op, &request, Start::Random).unwrap();
                verify(&mut op, &request, &space);
            }
        }
        for (nonzero, k) in [(vec![4.0, -6.0, 1.0], 5), (vec![], 2), (vec![-1.0, -2.0], 3)] {
            let mut spectrum: Vec<f64> = nonzero;
            spectrum.resize(200, 0.0);
            let mut op = Known::new(spectrum);
            let space = method.solve::<f64>(&mut op, &Request::new(k, 1e-8, 2000, 0), Start::Random).unwrap();
            for (value, truth) in space.values.iter().zip(op.largest(k)) {
                assert!((value - truth).abs() < 1e-9, "{method:?}: {:?}", space.values);
            }
        }
        let mut op = Known::new([vec![3.0; 9], vec![2.0; 30], vec![-4.0; 61]].concat());
        let request = Request::new(12, 1e-9, 2000, 0);
        let space = method.solve::<f64>(&mut op, &request, Start::Random).unwrap();
        verify(&mut op, &request, &space);
    }
}

#[test]
fn blocks_restart_in_little_memory_start_near_and_resume() {
    for method in BLOCKED {
        let spectrum = power_law(0.7, 2000);
        let mut request = Request::new(6, 1e-6, 20_000, 1);
        if let Blocked::Lanczos(block) = method {
            request.columns = Some(fewest_columns(6, block, 2000));
        }
        let mut op = Known::new(spectrum.clone());
        let space = method.solve::<f64>(&mut op, &request, Start::Random).unwrap();
        verify(&mut op, &request, &space);

        let mut op = Known::new(spectrum.iter().map(|s| s * 1.01).collect::<Vec<_>>());
        let near = method.solve::<f64>(&mut op, &request, Start::Near(&space.vectors)).unwrap();
        verify(&mut op, &request, &near);
        assert!(near.products <= space.products, "{method:?}: {} and {}", near.products, space.products);

        request.columns = None;
        request.k = 8;
        let mut op = Known::new(spectrum.clone());
        let resumed = method.solve::<f64>(&mut op, &request, Start::Resume(&space)).unwrap();
        verify(&mut op, &request, &resumed);
        let afresh = method.solve::<f64>(&mut Known::new(spectrum), &request, Start::Random).unwrap();
        assert!(resumed.products < afresh.products, "{method:?}: {} and {}", resumed.products, afresh.products);
    }
}

#[test]
fn blocks_keep_to_the_rules_of_every_solver() {
    for method in BLOCKED {
        // Digits do not depend on the threads.
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut op = Known::new(power_law(0.8, 10_000));
                let space = method.solve::<f32>(&mut op, &Request::new(5, 1e-3, 2000, 7), Start::Random).unwrap();
                (space.values, space.vectors.cols().flatten().map(|x| x.to_bits()).collect::<Vec<_>>(), space.products)
            })
        };
        assert!(run(1) == run(3));
        // A spent budget, a cancelled product, a product that is not finite.
        let request = Request::new(16, 1e-6, 40, 0);
        let mut op = Known::new(power_law(1.0, 2000));
        let space = method.solve::<f64>(&mut op, &request, Start::Random).unwrap();
        assert_eq!((space.outcome, space.values.len()), (Outcome::Exhausted, 16));
        assert!(space.products == op.products && op.products <= 40, "{} products", op.products);
        let mut op = Known::new(power_law(1.0, 500));
        op.cancelled_after = 5;
        let request = Request::new(4, 1e-3, 500, 0);
        assert!(matches!(method.solve::<f64>(&mut op, &request, Start::Random), Err(Error::Cancelled)));
        let mut op = Known::new([f64::NAN; 30]);
        assert!(matches!(method.solve::<f64>(&mut op, &request, Start::Random), Err(Error::NotFinite(_))));
    }
    // The residual of a random vector, ‖H‖_F/√dim = 0.07, is less than half the tolerance of 0.16.
    let mut spectrum = vec![0.001; 20_000];
    spectrum[..4].copy_from_slice(&[8.0, 5.0, 3.4, 3.0]);
    let request = Request::new(4, 0.02, 2000, 0);
    let mut op = Known::new(spectrum);
    let space = lobpcg::<f64>(&mut op, &request, Start::Random, &mut |_| {}).unwrap();
    verify(&mut op, &request, &space);
}

/// A dense row-major matrix.
struct Dense(usize, Vec<f64>);

impl SymmetricOperator<f64> for Dense {
    fn dim(&self) -> usize {
        self.0
    }

    fn apply(&mut self, v: &[f64], out: &mut [f64]) -> Result<()> {
        for (out, row) in out.iter_mut().zip(self.1.chunks_exact(self.0)) {
            *out = row.iter().zip(v).map(|(a, b)| a * b).sum();
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_symmetric_matrices_agree_with_the_dense_solver(
        (n, entries, k, seed) in (1usize..40).prop_flat_map(|n| {
            (Just(n), prop::collection::vec(-1f64..1.0, n * n), 1..=n, any::<u64>())
        })
    ) {
        let a: Vec<f64> = (0..n * n).map(|at| entries[at] + entries[at % n * n + at / n]).collect();
        let truth = symmetric_eigen(n, &a).unwrap();
        let request = Request::new(k, 1e-9, 10_000, seed);
        for method in BLOCKED {
            let space = method.solve(&mut Dense(n, a.clone()), &request, Start::Random).unwrap();
            for (value, truth) in space.values.iter().zip(&truth.values) {
                prop_assert!((value - truth).abs() < 1e-7, "{method:?}: {:?} is not {:?}", space.values, truth);
            }
            prop_assert!(space.orthonormality < 1e-12);
        }
        let space = lanczos(&mut Dense(n, a), &request, Start::Random, &mut |_| {}).unwrap();
        for (value, truth) in space.values.iter().zip(&truth.values) {
            prop_assert!((value - truth).abs() < 1e-8, "{:?} is not {:?}", space.values, truth);
        }
        prop_assert!(space.orthonormality < 1e-13);
        if k < n {
            prop_assert!(space.next.is_none_or(|next| next <= truth.values[k] + 1e-9));
        }
    }
}
