//! Stage Subspace (I): the basis of the probing law.

use crate::engine::climb::{Climb, Found, Ritz, SubspaceKey};
use crate::engine::emitter::Emitter;
use crate::engine::event::{Event, Stage};
use crate::engine::hessian::{Hessian, block, solve};
use crate::engine::knobs::{Law, Method, SolverKind};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::spectrum::basis::Basis;
use crate::spectrum::lobpcg;
use crate::spectrum::operator::Negated;
use crate::spectrum::paper::paper_power;
use crate::spectrum::solver::{Eigenspace, Iteration, Outcome, Request, Start, identity};

/// Most products per wanted pair before a solver gives up, and a floor for small k.
const PRODUCTS_PER_PAIR: usize = 100;
const FEWEST_PRODUCTS: usize = 400;
/// Products Lanczos spends on a fresh random start once converged, so that a missed or repeated pair shows.
const CHECK: usize = 8;

/// Which end of the spectrum a solve looks at.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Largest,
    Smallest,
}

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn subspace(&mut self) -> Result<()> {
        let knobs = self.knobs();
        let key = SubspaceKey::of(&knobs);
        if self.found.as_ref().is_some_and(|f| f.key == key) {
            self.emitter.still_holds(Stage::Subspace);
            return Ok(());
        }
        let request = Request {
            check: CHECK,
            columns: Some(self.columns),
            block: block(key.n),
            ..Request::new(key.k, key.tol, (PRODUCTS_PER_PAIR * key.k).max(FEWEST_PRODUCTS), key.seed)
        };
        self.emitter.begin(Stage::Subspace, key.k);
        self.tell_block(&key);
        let (space, ritz) = match (key.law, key.method) {
            (Law::Top, Method::Paper) => (self.solve(&key, &request, End::Largest)?, Ritz::Full),
            (Law::Top, Method::Exact) => (self.solve(&key, &request, End::Largest)?, Ritz::Diagonal),
            (Law::Bottom, _) => (self.solve(&key, &request, End::Smallest)?, Ritz::Diagonal),
            (Law::Random, _) => (self.span(self.random_basis(&key)?, key.n)?, Ritz::Full),
            (Law::Gradients, _) => (self.span(self.gradient_basis(&key)?, key.n)?, Ritz::Full),
        };
        if space.outcome == Outcome::Rounding {
            self.warn("residuals reached the rounding level of the precision before the tolerance".into());
        }
        self.bases += 1;
        let number = self.bases;
        self.emitter.emit(Event::Eigenspace {
            basis: number,
            n: key.n,
            law: key.law,
            solver: key.solver,
            values: space.values.clone(),
            residuals: space.residuals.clone(),
            smallest: space.smallest.clone(),
            orthonormality: space.orthonormality,
            products: space.products,
            next: space.next,
        });
        self.found = Some(Found { number, key, space, ritz });
        self.emitter.complete();
        Ok(())
    }

    /// Say in the log how many directions go together, and why.
    fn tell_block(&mut self, key: &SubspaceKey) {
        let n = key.n;
        let text = match (key.law, key.method, key.solver) {
            (Law::Random | Law::Gradients, ..) | (_, Method::Paper, _) | (.., SolverKind::Power) => return,
            (.., SolverKind::Lobpcg) => {
                let width = lobpcg::block(key.k, self.risk.parameters());
                format!("lobpcg: blocks of up to {width} directions, the {} wanted ones and guards", key.k)
            }
            (.., SolverKind::Lanczos) => match block(n) {
                1 => format!("lanczos: one direction at a time, for {n} sequences share out the threads"),
                b => format!("lanczos: blocks of {b} directions, for {n} sequences alone leave threads idle"),
            },
        };
        self.emitter.log(text);
    }

    fn solve(&mut self, key: &SubspaceKey, request: &Request, end: End) -> Result<Eigenspace<T>> {
        let Climb { risk, emitter, found, .. } = self;
        let mut watch = Watch { emitter, solver: key.solver, n: key.n, k: key.k, tol: key.tol, end, seen: 0 };
        let mut hessian = Hessian { risk, n: key.n };
        if key.method == Method::Paper {
            return paper_power(&mut hessian, request, &mut |i| watch.see(i));
        }
        if end == End::Smallest {
            let mut space = solve(&mut Negated(hessian), key.solver, request, Start::Random, &mut |i| watch.see(i))?;
            // Pairs of −H are pairs of H with the sign turned; so is what is left over.
            space.values.iter_mut().for_each(|v| *v = -*v);
            space.weights.iter_mut().for_each(|w| *w = -*w);
            space.next = space.next.map(|v| -v);
            space.smallest = space.values.iter().take(4).copied().collect();
            return Ok(space);
        }
        // A solve of the same kind nearby saves products; another solver starts afresh, to be compared.
        let near = found.as_ref().filter(|f| {
            (f.key.law, f.key.method, f.key.solver) == (key.law, key.method, key.solver) && f.key.seed == key.seed
        });
        let start = match near {
            Some(f) if f.key.n == key.n && f.key.k <= key.k => Start::Resume(&f.space),
            Some(f) => Start::Near(&f.space.vectors),
            None => Start::Random,
        };
        solve(&mut hessian, key.solver, request, start, &mut |i| watch.see(i))
    }

    /// k random directions, orthonormalised.
    fn random_basis(&self, key: &SubspaceKey) -> Result<Basis<T>> {
        let directions = (0..key.k)
            .map(|j| vector::normals(&mut Stream::new(key.seed, Purpose::Law, j as u64), self.risk.parameters()));
        orthonormal(self.risk.parameters(), directions)
    }

    /// The gradients of the first k sequences, orthonormalised.
    fn gradient_basis(&self, key: &SubspaceKey) -> Result<Basis<T>> {
        let gradients: Vec<Vec<T>> =
            (0..key.k).map(|i| Ok(self.risk.sequence_gradient(i)?.to_flat())).collect::<Result<_>>()?;
        orthonormal(self.risk.parameters(), gradients.into_iter())
    }

    /// A given orthonormal basis with its Rayleigh quotients and images under H^(n): k products.
    fn span(&mut self, vectors: Basis<T>, n: usize) -> Result<Eigenspace<T>> {
        let k = vectors.len();
        let (mut values, mut residuals) = (Vec::new(), Vec::new());
        let mut remainder = Basis::new(vectors.dim(), k);
        let mut image = vec![T::zero(); vectors.dim()];
        for j in 0..k {
            self.risk.hvp(0..n, vectors.col(j), &mut image)?;
            let value = vector::dot(vectors.col(j), &image);
            vector::axpy(-value, vectors.col(j), &mut image);
            values.push(value);
            residuals.push(vector::norm(&image));
            remainder.push(&image);
            self.emitter.work.hvps += 1.0;
            self.emitter.progress(j + 1, k);
            self.emitter.tick();
        }
        let orthonormality = vectors.orthonormality();
        Ok(Eigenspace {
            values,
            residuals,
            vectors,
            remainder,
            weights: identity(k),
            smallest: Vec::new(),
            next: None,
            products: k,
            orthonormality,
            outcome: Outcome::Converged,
        })
    }
}

/// Gram–Schmidt, refusing directions that depend on those before them.
fn orthonormal<T: Real>(dim: usize, directions: impl Iterator<Item = Vec<T>>) -> Result<Basis<T>> {
    let mut basis = Basis::new(dim, directions.size_hint().0);
    for (j, mut direction) in directions.enumerate() {
        let before = vector::norm(&direction);
        let projection = basis.orthogonalise(&mut direction);
        if projection.norm <= 1e3 * T::EPSILON * before {
            return Err(Error::knob(
                "--law",
                format!("direction {} depends on those before it; use a smaller --k", j + 1),
            ));
        }
        vector::scale(1.0 / projection.norm, &mut direction);
        basis.push(&direction);
    }
    Ok(basis)
}

/// Turns a solver's iterations into events.
struct Watch<'a> {
    emitter: &'a mut Emitter,
    solver: SolverKind,
    n: usize,
    k: usize,
    tol: f64,
    end: End,
    /// Products seen.
    seen: usize,
}

impl Watch<'_> {
    fn see(&mut self, i: &Iteration<'_>) {
        let sign = if self.end == End::Largest { 1.0 } else { -1.0 };
        let signed = |values: &[f64]| values.iter().map(|v| sign * v).collect::<Vec<f64>>();
        let tolerance = self.tol * i.values.first().map_or(0.0, |v| v.abs());
        let converged = i.residuals.iter().filter(|r| r.is_some_and(|r| r <= tolerance)).count();
        self.emitter.work.hvps += (i.products - self.seen) as f64;
        self.seen = i.products;
        self.emitter.emit(Event::Iteration {
            solver: self.solver,
            n: self.n,
            products: i.products,
            values: signed(i.values),
            residuals: i.residuals.to_vec(),
            smallest: if self.end == End::Largest { i.smallest.to_vec() } else { Vec::new() },
        });
        self.emitter.progress(converged.min(self.k), self.k);
        self.emitter.tick();
    }
}
