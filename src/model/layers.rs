//! Pieces that more than one kind of model is made of.

use crate::diff::graph::{Builder, Var};
use crate::diff::op::combine::{Coefficient, Combine};
use crate::diff::op::linear::{Linear, Weights};
use crate::math::array::Real;

/// x + y, rows of `width` elements.
pub(super) fn add<T: Real>(b: &mut Builder<T>, x: Var, y: Var, width: usize) -> Var {
    b.push(Combine { terms: vec![Coefficient::One, Coefficient::One] }, &[x, y], width)
}

/// Whether a map has a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bias {
    /// It has none.
    Without,
    /// `NAME.bias` beside `NAME.weight`.
    With,
}

impl Bias {
    /// As a configuration's key says.
    pub(super) fn of(key: bool) -> Bias {
        if key { Bias::With } else { Bias::Without }
    }
}

/// The linear map of the parameters `name`.weight and, if it has one, `name`.bias, from `from` to `to` channels.
pub(super) fn linear<T: Real>(b: &mut Builder<T>, name: &str, bias: Bias, x: Var, from: usize, to: usize) -> Var {
    map(b, name, bias, x, Linear::new(from, to))
}

/// The same for weights stored as `map` says.
pub(super) fn map<T: Real>(b: &mut Builder<T>, name: &str, bias: Bias, x: Var, map: Linear) -> Var {
    let mut inputs = vec![x, b.parameter(&format!("{name}.weight"))];
    if bias == Bias::With {
        inputs.push(b.parameter(&format!("{name}.bias")));
    }
    let to = map.to;
    b.push(map, &inputs, to)
}

/// The part from channel `first` on, `to` channels wide, of a map that is stored (in, out) with `columns` outputs and has
/// a bias.
pub(super) fn block(from: usize, columns: usize, first: usize, to: usize) -> Linear {
    Linear { from, to, weights: Weights::InOut { columns, first } }
}
