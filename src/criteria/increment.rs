//! The increment field Δ_n(w) = L_{n+1}(w) − L_n(w) from per-sequence losses at one point.

/// Δ_m for m = `m` from the losses of sequences 1…(m+1), through the exact identity
/// Δ_m(w) = (ℓ_{m+1}(w) − L_m(w)) / (m + 1): no difference of two nearly equal means.
/// `None` without m + 1 losses or for m = 0.
pub fn increment(losses: &[f64], m: usize) -> Option<f64> {
    brought(losses, m, m)
}

/// The increment that sequence `next` (from 0) brings to the mean of the first m, in place of sequence m + 1.
pub fn brought(losses: &[f64], m: usize, next: usize) -> Option<f64> {
    Some((losses.get(next)? - mean(losses, m)?) / (m + 1) as f64)
}

/// The same identity for any per-sequence linear quantity (slopes, curvatures, gradients' inner products).
pub fn mean(values: &[f64], m: usize) -> Option<f64> {
    if m == 0 || m > values.len() {
        return None;
    }
    Some(values[..m].iter().sum::<f64>() / m as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_equals_the_difference_of_means() {
        let losses = [2.0, 1.5, 2.25, 1.75, 3.0];
        for m in 1..losses.len() {
            let direct = mean(&losses, m + 1).unwrap() - mean(&losses, m).unwrap();
            assert!((increment(&losses, m).unwrap() - direct).abs() < 1e-15);
        }
        assert_eq!(brought(&losses, 2, 4), Some((3.0 - 1.75) / 3.0));
        assert_eq!(increment(&losses, 0), None);
        assert_eq!(increment(&losses, 5), None);
    }
}
