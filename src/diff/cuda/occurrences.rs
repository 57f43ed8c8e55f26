//! Which rows each distinct token has, so that a table's derivative is added up in a fixed order.

use std::collections::HashMap;
use std::ops::Range;

use super::device::Device;
use super::memory::{Array, Ptr};
use crate::error::Result;

/// The rows of some sequences by token.
#[derive(Clone, Copy)]
pub struct Occurrences {
    /// Distinct tokens.
    pub distinct: usize,
    /// The tokens.
    pub tokens: Ptr<u32>,
    /// Where each token's rows begin in `order`; one more for the end.
    pub starts: Ptr<u32>,
    /// Rows by token.
    pub order: Ptr<u32>,
}

impl Occurrences {
    /// For sweeps that add to no table.
    pub const NONE: Occurrences = Occurrences { distinct: 0, tokens: Ptr::NULL, starts: Ptr::NULL, order: Ptr::NULL };
}

/// Occurrences of the ranges of sequences that were asked for, on the device.
pub struct Known {
    tokens: Vec<u32>,
    length: usize,
    held: HashMap<Range<usize>, (Occurrences, [Array<u32>; 3])>,
    rows: usize,
}

/// Rows that are held at most, as a multiple of all sequences' rows: enough for every sequence by itself, the whole, and
/// some of each prefix. Beside a linearisation, thousands of elements a row, they are nothing.
const HELD: usize = 8;

impl Known {
    /// Over sequences of `length` tokens.
    pub fn new(tokens: Vec<u32>, length: usize) -> Known {
        Known { tokens, length, held: HashMap::new(), rows: 0 }
    }

    /// Those of a range of sequences, rows counted from its first.
    pub fn of(&mut self, device: &Device, sequences: &Range<usize>) -> Result<Occurrences> {
        if let Some((occurrences, _)) = self.held.get(sequences) {
            return Ok(*occurrences);
        }
        let tokens = &self.tokens[sequences.start * self.length..sequences.end * self.length];
        self.rows += tokens.len();
        if self.rows > HELD * self.tokens.len() {
            // A sweep under way may read what goes.
            device.wait()?;
            self.rows = tokens.len();
            self.held.clear();
        }
        let [distinct, starts, order] = by_token(tokens);
        let arrays = [device.holding(&distinct)?, device.holding(&starts)?, device.holding(&order)?];
        let [tokens, starts, order] = [arrays[0].at(), arrays[1].at(), arrays[2].at()];
        let occurrences = Occurrences { distinct: distinct.len(), tokens, starts, order };
        self.held.insert(sequences.clone(), (occurrences, arrays));
        Ok(occurrences)
    }
}

/// Distinct tokens, where each one's rows begin among those by token, and these.
fn by_token(tokens: &[u32]) -> [Vec<u32>; 3] {
    let mut order: Vec<u32> = (0..tokens.len() as u32).collect();
    order.sort_by_key(|row| tokens[*row as usize]);
    let (mut distinct, mut starts) = (Vec::new(), Vec::new());
    for (i, row) in order.iter().enumerate() {
        let token = tokens[*row as usize];
        if distinct.last() != Some(&token) {
            distinct.push(token);
            starts.push(i as u32);
        }
    }
    starts.push(order.len() as u32);
    [distinct, starts, order]
}

#[cfg(test)]
mod tests {
    #[test]
    fn rows_are_listed_by_token_in_their_order() {
        let [distinct, starts, order] = super::by_token(&[7, 3, 7, 5, 3]);
        assert_eq!(distinct, [3, 5, 7]);
        assert_eq!(starts, [0, 2, 3, 5]);
        assert_eq!(order, [1, 4, 3, 0, 2]);
    }
}
