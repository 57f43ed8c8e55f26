//! Stage Coefficients (II): c and B on the subspace, traces of A in the full space.

use crate::criteria::prefix::Prefix;
use crate::criteria::projection::{self, project};
use crate::engine::climb::{Climb, Ritz};
use crate::engine::event::{Event, Stage};
use crate::engine::knobs::Method;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::dense::{diagonal, symmetric_part};
use crate::math::stream::{Purpose, Stream};
use crate::spectrum::solver::Eigenspace;

/// Rademacher probes of A, each at the price of one product on n + 1 sequences.
const PROBES: usize = 32;
/// Rows that the paper's code keeps of each Hessian.
const PAPER_ROWS: usize = 4;

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn coefficients(&mut self) -> Result<()> {
        let Some(found) = &self.found else { return Ok(()) };
        if self.coefficients_of == Some(found.number) {
            self.emitter.still_holds(Stage::Coefficients);
            return Ok(());
        }
        let (number, n, k) = (found.number, found.key.n, found.space.values.len());
        let probes_known = self.emitter.readout.at.get(&n).map_or(0, |at| at.traces.len());
        let total = k + PROBES - probes_known.min(PROBES);
        self.emitter.begin(Stage::Coefficients, total);
        let c = projection::gradient(&self.risk, &found.space.vectors, n)?;
        let (b, leakage) = match self.knobs().method {
            Method::Exact => {
                self.emitter.work.hvps += k as f64 / n as f64;
                let own = projected_hessian(&found.space, found.ritz);
                let curvature = projection::curvature(&self.risk, &found.space, &own, n)?;
                let leakage = curvature.leakage();
                self.image2 = Some(curvature.image2);
                (curvature.b, leakage)
            }
            Method::Paper => {
                self.image2 = None;
                (self.paper_curvature(n)?, None)
            }
        };
        let b_norm2 = self.emitter.readout.b_norm2.get(&n).copied().unwrap_or(f64::NAN);
        self.emitter.emit(Event::Coefficients { basis: number, m: n, c, b, b_norm2, leakage });
        self.emitter.progress(k, total);
        for probe in probes_known..PROBES {
            self.trace(n, probe)?;
            self.emitter.progress(k + probe + 1 - probes_known, total);
            self.emitter.checkpoint()?;
        }
        self.coefficients_of = Some(number);
        self.emitter.complete();
        Ok(())
    }

    /// The paper's B: the difference of two Hessians on rows chosen separately from n and from n + 1 sequences.
    fn paper_curvature(&mut self, n: usize) -> Result<Vec<f64>> {
        let Some(found) = &self.found else { return Ok(Vec::new()) };
        let (k, seed) = (found.space.values.len(), found.key.seed);
        let columns: Vec<&[T]> = found.space.vectors.cols().collect();
        let mut b = vec![0.0; k * k];
        for (index, (rows, sign)) in [(n, -1.0), (n + 1, 1.0)].into_iter().enumerate() {
            let mut stream = Stream::new(seed, Purpose::Rows, index as u64);
            let mut pool: Vec<usize> = (0..rows).collect();
            let chosen: Vec<usize> =
                (0..PAPER_ROWS.min(rows)).map(|_| pool.swap_remove(stream.below(pool.len()))).collect();
            for &row in &chosen {
                let got = self.risk.map_hvps(row, &columns, |_, product| project(&columns, product))?;
                for (at, b) in b.iter_mut().enumerate() {
                    *b += sign * got[at % k][at / k] / chosen.len() as f64;
                }
            }
            self.emitter.work.hvps += (k * chosen.len()) as f64 / n as f64;
        }
        Ok(symmetric_part(k, &b))
    }

    /// One Rademacher probe v: vᵀA^(m)v and ‖A^(m)v‖² for every m ≤ n from one pass over the sequences.
    fn trace(&mut self, n: usize, probe: usize) -> Result<()> {
        let signs = Stream::new(self.knobs().seed, Purpose::Trace, probe as u64).signs(self.risk.parameters());
        let v: Vec<T> = signs.into_iter().map(T::of).collect();
        let mut prefix = Prefix::new(self.risk.parameters());
        let (mut sum, mut quadratic, mut square) = (0.0, Vec::new(), Vec::new());
        self.risk.each_hvp(0..n + 1, &v, |i, product| {
            let along = product.dot(&v);
            if let Some(norm2) = prefix.push(product) {
                quadratic.push((along - sum / i as f64) / (i + 1) as f64);
                square.push(norm2);
            }
            sum += along;
            Ok(())
        })?;
        self.emitter.work.hvps += (n + 1) as f64 / n as f64;
        self.emitter.emit(Event::Trace { n, probe, quadratic, square });
        Ok(())
    }
}

/// UᵀH^(n)U, row-major.
pub(super) fn projected_hessian<T: Real>(space: &Eigenspace<T>, ritz: Ritz) -> Vec<f64> {
    let k = space.values.len();
    match ritz {
        Ritz::Diagonal => diagonal(&space.values),
        Ritz::Full => {
            let columns: Vec<f64> = (0..k).flat_map(|j| space.vectors.coefficients(&space.image(j))).collect();
            symmetric_part(k, &columns)
        }
    }
}
