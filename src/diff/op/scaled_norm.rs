//! Norms with weights: layer norm (Ba, Kiros and Hinton 2016) and root-mean-square norm (Zhang and Sennrich 2019).

use super::linear::columns;
use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::{put, sum};

/// What is taken away from a row before it is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centre {
    /// Its mean: layer norm.
    Mean,
    /// Nothing: root-mean-square norm.
    Nothing,
}

/// y = w ∘ x̂ + b with x̂ = r·Cx, r = 1/√(mean((Cx)²) + ε), for each row of `width` elements; C takes the row's mean away,
/// or nothing. Inputs: x (rows × `width`), w (`width`), and optionally b (`width`).
pub struct ScaledNorm {
    /// Elements of a row.
    pub width: usize,
    /// Added to the mean square.
    pub epsilon: f64,
    /// What C takes away.
    pub centre: Centre,
}

/// Position of r among the kept arrays.
const R: usize = 0;
/// Position of the rows' means; 0 where nothing is taken away.
const MEAN: usize = 1;

impl ScaledNorm {
    /// The share of a row's sum that C takes away from every element.
    #[inline(always)]
    fn away<T: Real>(&self) -> T {
        match self.centre {
            Centre::Mean => T::of(1.0 / self.width as f64),
            Centre::Nothing => T::zero(),
        }
    }
}

/// The bias among a rule's inputs, if there is one.
fn bias<'a, T>(x: &[&'a [T]]) -> Option<&'a [T]> {
    x.get(2).copied()
}

/// The inner products that a row's derivatives need, with g = w ∘ ȳ.
struct Row<T> {
    r: T,
    mean: T,
    /// Mean of ẋ where C takes the mean away.
    dmean: T,
    /// mean(x̂∘ẋ)·r, so that x̂˙ = r·Cẋ − μ·x̂.
    mu: T,
}

impl<T: Real> Row<T> {
    /// x̂ of an element.
    #[inline(always)]
    fn hat(&self, x: T) -> T {
        self.r * (x - self.mean)
    }

    /// x̂˙ of an element.
    #[inline(always)]
    fn dhat(&self, x: T, dx: T) -> T {
        self.r * (dx - self.dmean) - self.mu * self.hat(x)
    }
}

#[inline(always)]
fn row<T: Real>(op: &ScaledNorm, r: T, mean: T, x: &[T], dx: &[T]) -> Row<T> {
    let share = T::of(1.0 / op.width as f64);
    let dmean = op.away::<T>() * sum([dx], |[dx]| dx);
    let mu = r * share * sum([x, dx], |[x, dx]| r * (x - mean) * (dx - dmean));
    Row { r, mean, dmean, mu }
}

crate::kernel! {
    fn normed[T](op: &'a ScaledNorm, x: &'a [&'a [T]], y: &'a mut [T], r: &'a mut [T], mean: &'a mut [T]) -> () {
        let (w, away, share, epsilon) = (op.width, op.away::<T>(), T::of(1.0 / op.width as f64), T::of(op.epsilon));
        let weight = x[1];
        for (((x, y), r), mean) in x[0].chunks_exact(w).zip(y.chunks_exact_mut(w)).zip(r).zip(mean) {
            let m = away * sum([x], |[x]| x);
            let square = sum([x], |[x]| (x - m) * (x - m)) * share;
            let scale = T::one() / (square + epsilon).sqrt();
            (*mean, *r) = (m, scale);
            put(Write::Set, y, [x, weight], |[x, w]| w * (scale * (x - m)));
        }
    }

    /// y += b in every row.
    fn biased[T](b: &'a [T], y: &'a mut [T]) -> () {
        for y in y.chunks_exact_mut(b.len()) {
            put(Write::Add, y, [b], |[b]| b);
        }
    }

    /// ẏ = ẇ∘x̂ + w∘x̂˙.
    fn normed_tangent[T](op: &'a ScaledNorm, at: &'a At<'a, T>, dx: &'a [&'a [T]], dy: &'a mut [T]) -> () {
        let (w, weight, dweight) = (op.width, at.x[1], dx[1]);
        for (i, dy) in dy.chunks_exact_mut(w).enumerate() {
            let (x, dx) = (&at.x[0][i * w..(i + 1) * w], &dx[0][i * w..(i + 1) * w]);
            let row = row(op, at.kept[R][i], at.kept[MEAN][i], x, dx);
            put(Write::Set, dy, [x, dx, weight, dweight], |[x, dx, w, dw]| dw * row.hat(x) + w * row.dhat(x, dx));
        }
    }

    /// x̄ = r·(Cg − x̂ m) with m = mean(x̂∘g), w̄ += ȳ∘x̂.
    fn normed_adjoint[T](op: &'a ScaledNorm, x: &'a [&'a [T]], ybar: &'a [T], kept: &'a [Vec<T>], write: Write,
        to_x: &'a mut [T], to_w: &'a mut [T]) -> () {
        let (w, away, share) = (op.width, op.away::<T>(), T::of(1.0 / op.width as f64));
        let (x, weight) = (x[0], x[1]);
        for (i, to_x) in to_x.chunks_exact_mut(w).enumerate() {
            let (x, ybar, r, mean) = (&x[i * w..(i + 1) * w], &ybar[i * w..(i + 1) * w], kept[R][i], kept[MEAN][i]);
            let g = away * sum([weight, ybar], |[w, y]| w * y);
            let m = share * sum([x, weight, ybar], |[x, w, y]| r * (x - mean) * (w * y));
            put(write, to_x, [x, weight, ybar], |[x, w, y]| r * (w * y - g - r * (x - mean) * m));
            put(Write::Add, to_w, [x, ybar], |[x, y]| y * (r * (x - mean)));
        }
    }

    /// With ġ = ẇ∘ȳ + w∘ȳ˙ and ṁ = mean(x̂˙∘g + x̂∘ġ): x̄˙ = −μ·r·(Cg − x̂m) + r·(Cġ − x̂˙m − x̂ṁ), w̄˙ = ȳ˙∘x̂ + ȳ∘x̂˙.
    fn normed_adjoint_tangent[T](op: &'a ScaledNorm, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T],
        dybar: &'a [T], write: Write, to: [&'a mut [T]; 2]) -> () {
        let [to_x, to_w] = to;
        let (w, away, share) = (op.width, op.away::<T>(), T::of(1.0 / op.width as f64));
        let (weight, dweight) = (at.x[1], dx[1]);
        for (i, to_x) in to_x.chunks_exact_mut(w).enumerate() {
            let here = i * w..(i + 1) * w;
            let (x, dx) = (&at.x[0][here.clone()], &dx[0][here.clone()]);
            let (ybar, dybar) = (&ybar[here.clone()], &dybar[here]);
            let row = row(op, at.kept[R][i], at.kept[MEAN][i], x, dx);
            let g = away * sum([weight, ybar], |[w, y]| w * y);
            let dg = away * sum([weight, dweight, ybar, dybar], |[w, dw, y, dy]| dw * y + w * dy);
            let m = share * sum([x, weight, ybar], |[x, w, y]| row.hat(x) * (w * y));
            let dm = share * sum([x, dx, weight, dweight, ybar, dybar], |[x, dx, w, dw, y, dy]| {
                row.dhat(x, dx) * (w * y) + row.hat(x) * (dw * y + w * dy)
            });
            put(write, to_x, [x, dx, weight, dweight, ybar, dybar], |[x, dx, w, dw, y, dy]| {
                let (hat, dhat) = (row.hat(x), row.dhat(x, dx));
                row.r * (dw * y + w * dy - dg - dhat * m - hat * dm - row.mu * (w * y - g - hat * m))
            });
            put(Write::Add, to_w, [x, dx, ybar, dybar], |[x, dx, y, dy]| dy * row.hat(x) + y * row.dhat(x, dx));
        }
    }
}

crate::kernel! {
    /// Σ ⟨ȳ, 2ẇ∘x̂˙ + w∘x̂¨⟩; ⟨g, x̂¨⟩ = ⟨ẋ, x̄˙⟩ of `normed_adjoint_tangent` with ẇ = ȳ˙ = 0.
    fn curvature[T](op: &'a ScaledNorm, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T]) -> f64 {
        let (w, share, count, two) = (op.width, T::of(1.0 / op.width as f64), T::of(op.width as f64), T::of(2.0));
        let (weight, dweight, mut total) = (at.x[1], dx[1], 0.0);
        for (i, ybar) in ybar.chunks_exact(w).enumerate() {
            let (x, dx) = (&at.x[0][i * w..(i + 1) * w], &dx[0][i * w..(i + 1) * w]);
            let row = row(op, at.kept[R][i], at.kept[MEAN][i], x, dx);
            let m = share * sum([x, weight, ybar], |[x, w, y]| row.hat(x) * (w * y));
            let dm = share * sum([x, dx, weight, ybar], |[x, dx, w, y]| row.dhat(x, dx) * (w * y));
            let across = sum([dx, weight, ybar], |[dx, w, y]| (dx - row.dmean) * (w * y));
            // ⟨ẋ, x̂⟩ and ⟨ẋ, x̂˙⟩; both x̂ and x̂˙ are centred where ẋ need not be.
            let along = row.mu / row.r * count;
            let bent = sum([x, dx], |[x, dx]| (dx - row.dmean) * row.dhat(x, dx));
            let own = row.r * (-bent * m - along * dm - row.mu * (across - along * m));
            let mixed = two * sum([x, dx, dweight, ybar], |[x, dx, dw, y]| dw * y * row.dhat(x, dx));
            total += (own + mixed).wide();
        }
        total
    }
}

impl<T: Real> Primitive<T> for ScaledNorm {
    fn name(&self) -> &'static str {
        "scaled norm"
    }

    fn keeps(&self, batch: &Batch) -> Vec<usize> {
        vec![batch.rows(); 2]
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], kept: &mut [Vec<T>]) {
        let [r, mean] = kept else { unreachable!("two kept arrays") };
        normed(self, x, y, r, mean);
        if let Some(b) = bias(x) {
            biased(b, y);
        }
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        normed_tangent(self, at, dx, dy);
        if let Some(db) = bias(dx) {
            biased(db, dy);
        }
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], kept: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_x, to_w, to_b @ ..] = out else { unreachable!("two inputs or three") };
        normed_adjoint(self, x, ybar, kept, to_x.write, to_x.to, to_w.open());
        if let [to_b] = to_b {
            columns(ybar, to_b.open());
        }
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_x, to_w, to_b @ ..] = out else { unreachable!("two inputs or three") };
        normed_adjoint_tangent(self, at, dx, ybar, dybar, to_x.write, [to_x.to, to_w.open()]);
        if let [to_b] = to_b {
            columns(dybar, to_b.open());
        }
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        curvature(self, at, dx, ybar)
    }
}
