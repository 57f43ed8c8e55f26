//! Floor 1. The second-order tape: linearise once at w*, then push many directions.
//!
//! A model is a [`graph::Graph`] of primitives over the tokens of a batch of sequences. Each primitive has exactly four
//! rules ([`primitive::Primitive`]): value, tangent, adjoint and adjoint tangent. [`sweep`] runs them over the graph:
//! a value sweep and an adjoint sweep once per checkpoint, then for each direction v a tangent sweep forward and an
//! adjoint-tangent sweep backward give Hv (Pearlmutter's R-operator) at the price of two gradients. [`risk`] averages
//! over sequences, in parallel and in a fixed order, so digits do not depend on the number of threads.
//!
//! Arrays are plain slices, row-major, one row a token: at these sizes a sequence's activations fit the processor's
//! caches, which whole-batch tensor operations do not. Matrix products are faer's.

#[cfg(feature = "cuda")]
pub mod cuda;
#[cfg(not(feature = "cuda"))]
#[path = "no_cuda.rs"]
pub mod cuda;
pub mod graph;
pub mod op;
pub mod primitive;
pub mod product;
pub mod risk;
pub mod share;
pub mod sweep;
