//! Stage Subspace (I): the basis of the probing law.

use crate::criteria::projection;
use crate::engine::climb::{Climb, Found, Ritz, SubspaceKey};
use crate::engine::emitter::Emitter;
use crate::engine::event::{Event, Stage};
use crate::engine::hessian::{Deformation, Hessian, block, request, solve};
use crate::engine::knobs::{Law, Method, SolverKind};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::basis::{Basis, cosines};
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::spectrum::lanczos::lanczos;
use crate::spectrum::lobpcg;
use crate::spectrum::operator::{BLOCK, Negated};
use crate::spectrum::paper::paper_power;
use crate::spectrum::solver::{Eigenspace, Iteration, Order, Outcome, Request, Start, identity};

/// Which end of the spectrum a solve looks at.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Largest,
    Smallest,
}

/// Who hears of a solve.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Voice {
    /// The stage: every iteration is an event, and progress is the number of converged pairs.
    Stage,
    /// Nobody but the count of products.
    Quiet,
}

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn subspace(&mut self) -> Result<()> {
        let knobs = self.knobs();
        let key = SubspaceKey::of(&knobs);
        if self.found.as_ref().is_some_and(|f| f.key == key) {
            self.emitter.still_holds(Stage::Subspace);
            return Ok(());
        }
        self.emitter.begin(Stage::Subspace, key.k);
        let (space, ritz) = self.space_of(&key, Voice::Stage)?;
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
        if let Some(former) = self.found.as_ref().filter(|f| f.key.law == key.law && f.key.n != key.n) {
            let cosines = cosines(&former.space.vectors, &space.vectors)?;
            self.emitter.emit(Event::Overlap { basis: number, former: former.key.n, n: key.n, cosines });
        }
        self.found = Some(Found { number, key, space, ritz });
        self.emitter.complete();
        Ok(())
    }

    /// The subspace of a law, with Rayleigh quotients and images under H^(n).
    pub(super) fn space_of(&mut self, key: &SubspaceKey, voice: Voice) -> Result<(Eigenspace<T>, Ritz)> {
        let request = request(key.k, key.tol, key.seed, key.n, self.columns);
        let (space, ritz) = match (key.law, key.method) {
            (Law::Top, Method::Paper) => (self.solve(key, &request, End::Largest, voice)?, Ritz::Full),
            (Law::Top, Method::Exact) => (self.solve(key, &request, End::Largest, voice)?, Ritz::Diagonal),
            (Law::Bottom, _) => (self.solve(key, &request, End::Smallest, voice)?, Ritz::Diagonal),
            (Law::Random, _) => (self.span(self.random_basis(key)?, key.n, voice)?, Ritz::Full),
            (Law::Gradients, _) => (self.span(self.gradient_basis(key)?, key.n, voice)?, Ritz::Full),
            (Law::Increment, _) => (self.span(self.increment_basis(key.n)?, key.n, voice)?, Ritz::Full),
            (Law::Frozen, _) => {
                let earlier = SubspaceKey { n: key.n.div_ceil(2), law: Law::Top, ..key.clone() };
                let request = Request { block: block(earlier.n), ..request };
                let solved = self.solve(&earlier, &request, End::Largest, voice)?;
                (self.span_of(solved, key.n, voice)?, Ritz::Full)
            }
            (Law::Deformation, _) => {
                let request = Request { order: Order::Magnitude, block: 1, ..request };
                let solved = self.solve_deformation(key, &request)?;
                (self.span_of(solved, key.n, voice)?, Ritz::Full)
            }
        };
        match space.outcome {
            Outcome::Converged => (),
            Outcome::Rounding => self.warn(format!(
                "law {}: residuals reached the rounding level of the precision before the tolerance",
                key.law
            )),
            // The stage's own warning says how far off the pairs of the law in force are.
            Outcome::Exhausted if voice == Voice::Stage && key.law.is_eigenspace() => (),
            Outcome::Exhausted => self.warn(format!(
                "law {}: {} products were spent before every pair reached the tolerance {:.0e}·λ₁",
                key.law, space.products, key.tol
            )),
        }
        Ok((space, ritz))
    }

    /// Say in the log how many directions go together, and why.
    fn tell_block(&mut self, key: &SubspaceKey, start: Start<'_, T>) {
        let n = key.n;
        let text = match (key.method, key.solver) {
            (Method::Paper, _) | (_, SolverKind::Power) => return,
            (_, SolverKind::Lobpcg) => {
                let width = lobpcg::block(key.k, self.risk.parameters());
                format!("lobpcg: blocks of up to {width} directions, the {} wanted ones and guards", key.k)
            }
            (_, SolverKind::Lanczos) => match (block(n), start) {
                (1, _) => format!("lanczos: one direction at a time, for {n} sequences share out the threads"),
                (_, Start::Near(_)) => {
                    "lanczos: one direction at a time, for it starts from the blend of the former basis".to_owned()
                }
                (b, _) => format!("lanczos: blocks of {b} directions, for {n} sequences alone leave threads idle"),
            },
        };
        self.emitter.log(text);
    }

    fn solve(&mut self, key: &SubspaceKey, request: &Request, end: End, voice: Voice) -> Result<Eigenspace<T>> {
        // A solve of the same kind nearby saves products; another solver starts afresh, to be compared.
        let found = self.found.take();
        let near = found.as_ref().filter(|f| {
            (f.key.law, f.key.method, f.key.solver) == (key.law, key.method, key.solver)
                && f.key.seed == key.seed
                && end == End::Largest
        });
        let start = match near {
            Some(f) if f.key.n == key.n && f.key.k <= key.k => Start::Resume(&f.space),
            Some(f) => Start::Near(&f.space.vectors),
            None => Start::Random,
        };
        if voice == Voice::Stage {
            self.tell_block(key, start);
        }
        let space = self.solve_from(key, request, end, voice, start);
        self.found = found;
        space
    }

    fn solve_from(
        &mut self,
        key: &SubspaceKey,
        request: &Request,
        end: End,
        voice: Voice,
        start: Start<'_, T>,
    ) -> Result<Eigenspace<T>> {
        let Climb { risk, emitter, .. } = self;
        let mut watch = Watch { emitter, solver: key.solver, n: key.n, k: key.k, tol: key.tol, end, voice, seen: 0 };
        let mut hessian = Hessian { risk, sequences: 0..key.n };
        if key.method == Method::Paper {
            return paper_power(&mut hessian, request, &mut |i| watch.see(i));
        }
        if end == End::Largest {
            return solve(&mut hessian, key.solver, request, start, &mut |i| watch.see(i));
        }
        let mut space = solve(&mut Negated(hessian), key.solver, request, start, &mut |i| watch.see(i))?;
        // Pairs of −H are pairs of H with the sign turned; so is what is left over.
        space.values.iter_mut().for_each(|v| *v = -*v);
        space.weights.iter_mut().for_each(|w| *w = -*w);
        space.next = space.next.map(|v| -v);
        space.smallest = space.values.iter().take(4).copied().collect();
        Ok(space)
    }

    /// Eigenpairs of A, by Lanczos whatever the solver of H is: the others find one end of a spectrum alone.
    fn solve_deformation(&mut self, key: &SubspaceKey, request: &Request) -> Result<Eigenspace<T>> {
        let Climb { risk, emitter, .. } = self;
        let per_product = (key.n + 1) as f64 / key.n as f64;
        lanczos(&mut Deformation::new(risk, key.n), request, Start::Random, &mut |_| {
            emitter.work.hvps += per_product;
            emitter.tick();
        })
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

    /// b = (g_{n+1} − g^(n))/(n+1), normalised.
    fn increment_basis(&self, n: usize) -> Result<Basis<T>> {
        let b = projection::increment_gradient(&self.risk, n, n)?;
        orthonormal(self.risk.parameters(), std::iter::once(b))
    }

    /// The span of another operator's eigenvectors; it is as far converged as they are.
    fn span_of(&mut self, solved: Eigenspace<T>, n: usize, voice: Voice) -> Result<Eigenspace<T>> {
        let (products, outcome) = (solved.products, solved.outcome);
        let space = self.span(solved.vectors, n, voice)?;
        Ok(Eigenspace { products: products + space.products, outcome, ..space })
    }

    /// A given orthonormal basis with its Rayleigh quotients and images under H^(n): k products.
    fn span(&mut self, vectors: Basis<T>, n: usize, voice: Voice) -> Result<Eigenspace<T>> {
        let k = vectors.len();
        let (mut values, mut residuals) = (Vec::new(), Vec::new());
        let mut remainder = Basis::new(vectors.dim(), k);
        let columns: Vec<&[T]> = vectors.cols().collect();
        for block in columns.chunks(BLOCK) {
            let mut images = remainder.grow(block.len());
            self.risk.hvps(0..n, block, &mut images)?;
            for (column, image) in block.iter().zip(images) {
                let value = vector::dot(column, image);
                vector::axpy(-value, column, image);
                values.push(value);
                residuals.push(vector::norm(image));
                self.emitter.work.hvps += 1.0;
            }
            if voice == Voice::Stage {
                self.emitter.progress(values.len(), k);
            }
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
    voice: Voice,
    /// Products seen.
    seen: usize,
}

impl Watch<'_> {
    fn see(&mut self, i: &Iteration<'_>) {
        self.emitter.work.hvps += (i.products - self.seen) as f64;
        self.seen = i.products;
        if self.voice == Voice::Quiet {
            return self.emitter.tick();
        }
        let sign = if self.end == End::Largest { 1.0 } else { -1.0 };
        let signed = |values: &[f64]| values.iter().map(|v| sign * v).collect::<Vec<f64>>();
        let tolerance = self.tol * i.values.first().map_or(0.0, |v| v.abs());
        let converged = i.residuals.iter().filter(|r| r.is_some_and(|r| r <= tolerance)).count();
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
