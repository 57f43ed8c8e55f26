//! Flat vectors: products, norms and updates, with reductions in f64 and a fixed order.
