//! What rules read and write: arrays with a tangent for each direction of a block, and what a kernel is given of them.

use cudarc::driver::DeviceRepr;

use super::blas::Matrix;
use super::memory::Ptr;
use crate::diff::primitive::Write;

/// An argument of a kernel, some words of 64 bits: an address, a number, or the kernels' structures.
pub struct Argument<const N: usize>(pub [u64; N]);

// SAFETY: plain words, laid out as the kernels' own structures are.
unsafe impl<const N: usize> DeviceRepr for Argument<N> {}

/// What a kernel is given, in order.
pub enum Given {
    /// An address or a number.
    One(Argument<1>),
    /// `Lanes`.
    Two(Argument<2>),
    /// `Pair` or `Slot`.
    Three(Argument<3>),
    /// `Matrices`.
    Four(Argument<4>),
}

/// Something that becomes an argument of a kernel.
pub trait Arguments {
    /// As the kernel sees it.
    fn given(&self) -> Given;
}

impl<T> Arguments for Ptr<T> {
    fn given(&self) -> Given {
        Given::One(Argument([self.0]))
    }
}

impl Arguments for usize {
    fn given(&self) -> Given {
        Given::One(Argument([*self as u64]))
    }
}

impl Arguments for f64 {
    fn given(&self) -> Given {
        Given::One(Argument([self.to_bits()]))
    }
}

/// An array for each direction, `step` elements from one to the next.
pub struct Lanes<T> {
    /// The first direction's.
    pub first: Ptr<T>,
    /// Elements from one direction's to the next.
    pub step: usize,
}

impl<T> Lanes<T> {
    /// Arrays that are not there.
    pub const NULL: Lanes<T> = Lanes { first: Ptr::NULL, step: 0 };

    /// Each from a later element on.
    pub fn plus(self, elements: usize) -> Lanes<T> {
        Lanes { first: self.first.plus(elements), ..self }
    }

    /// Whether they are not there.
    pub fn is_null(self) -> bool {
        self.first.is_null()
    }
}

/// One array: every direction's, or that of a sweep of values.
impl<T> From<Ptr<T>> for Lanes<T> {
    fn from(first: Ptr<T>) -> Lanes<T> {
        Lanes { first, step: 0 }
    }
}

impl<T> Arguments for Lanes<T> {
    fn given(&self) -> Given {
        Given::Two(Argument([self.first.0, self.step as u64]))
    }
}

/// An array with its tangents; there are none in a sweep of values.
pub struct Pair<T> {
    /// The array, one for all directions.
    pub value: Ptr<T>,
    /// Its tangents.
    pub tangent: Lanes<T>,
}

impl<T> Pair<T> {
    /// A pair that is not there.
    pub const NULL: Pair<T> = Pair { value: Ptr::NULL, tangent: Lanes::NULL };

    /// Both from a later element on.
    pub fn plus(self, elements: usize) -> Pair<T> {
        Pair { value: self.value.plus(elements), tangent: self.tangent.plus(elements) }
    }
}

/// An array without tangents.
impl<T> From<Ptr<T>> for Pair<T> {
    fn from(value: Ptr<T>) -> Pair<T> {
        Pair { value, tangent: Lanes::NULL }
    }
}

impl<T> Arguments for Pair<T> {
    fn given(&self) -> Given {
        Given::Three(Argument([self.value.0, self.tangent.first.0, self.tangent.step as u64]))
    }
}

/// A slot that a backward rule writes; none where nobody reads it.
pub struct Slot<T> {
    /// Where.
    pub to: Lanes<T>,
    /// Set or add.
    pub write: Write,
    /// Its elements for one direction.
    pub len: usize,
}

impl<T> Arguments for Slot<T> {
    fn given(&self) -> Given {
        Given::Three(Argument([self.to.first.0, self.to.step as u64, u64::from(self.write == Write::Add)]))
    }
}

/// Where a batch of row-major matrices lies in an array.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// The first element.
    pub first: usize,
    /// Elements from one row to the next.
    pub step: usize,
    /// Elements from one matrix of the batch to the next, along both of its levels.
    pub strides: [usize; 2],
    /// Whether the transposes are meant.
    pub transposed: bool,
}

impl Grid {
    /// One matrix with rows of `step` elements.
    pub fn rows(step: usize) -> Grid {
        Grid { first: 0, step, strides: [0; 2], transposed: false }
    }

    /// The transposes.
    pub fn t(self) -> Grid {
        Grid { transposed: !self.transposed, ..self }
    }

    /// In an array with its tangents.
    pub fn of<T>(self, x: Pair<T>) -> Factor<T> {
        Factor { pair: x, grid: self }
    }

    /// In each direction's array.
    pub fn to<T>(self, lanes: Lanes<T>) -> Matrix<T> {
        let Grid { first, step, strides: [one, other], transposed } = self;
        Matrix { at: lanes.first.plus(first), step, strides: [one, other, lanes.step], transposed }
    }
}

/// A batch of matrices with their tangents.
pub struct Factor<T> {
    pair: Pair<T>,
    grid: Grid,
}

impl<T> Factor<T> {
    /// The transposes.
    pub fn t(self) -> Factor<T> {
        Factor { grid: self.grid.t(), ..self }
    }

    /// The matrices themselves, every direction's.
    pub fn value(self) -> Matrix<T> {
        self.grid.to(self.pair.value.into())
    }

    /// Their tangents.
    pub fn tangent(self) -> Matrix<T> {
        self.grid.to(self.pair.tangent)
    }
}

macro_rules! copied {
    ($($kind:ident),*) => {
        $(impl<T> Clone for $kind<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $kind<T> {})*
    };
}

copied!(Lanes, Pair, Factor);
