//! Rows packed from documents as nanochat packs them (`nanochat/dataloader.py`, best fit with cropping).
//!
//! Every document begins with the token that begins a sequence. A row is filled from a buffer of documents: the longest
//! one that fits comes next, and when none fits, the shortest is cropped to what room is left, and its rest is lost. So
//! every row is full and begins with that token. nanochat's documents come round again for ever; here they end, and a
//! row that can't be filled is left out.

use crate::error::Result;

/// Documents that the buffer holds at least, while there are more (`buffer_size` there).
const BUFFER: usize = 1000;

/// At most `count` rows of `length` tokens. `more` gives further documents, none after the last; it is not called once
/// the rows are full.
///
/// # Errors
/// Those of `more`.
pub fn pack(
    count: usize,
    length: usize,
    mut more: impl FnMut() -> Result<Option<Vec<Vec<u32>>>>,
) -> Result<Vec<Vec<u32>>> {
    let (mut buffer, mut at_end): (Vec<Vec<u32>>, bool) = (Vec::new(), false);
    let mut rows = Vec::new();
    while rows.len() < count {
        let mut row = Vec::with_capacity(length);
        while row.len() < length {
            while buffer.len() < BUFFER && !at_end {
                match more()? {
                    Some(documents) => buffer.extend(documents.into_iter().filter(|document| !document.is_empty())),
                    None => at_end = true,
                }
            }
            let room = length - row.len();
            // Of equals the first, as there.
            let fitting = (0..buffer.len()).rev().filter(|i| buffer[*i].len() <= room).max_by_key(|i| buffer[*i].len());
            let Some(next) = fitting.or_else(|| (0..buffer.len()).min_by_key(|i| buffer[*i].len())) else {
                return Ok(rows);
            };
            let document = buffer.remove(next);
            row.extend(&document[..document.len().min(room)]);
        }
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Documents of these lengths, in batches; the tokens of the i-th are i.
    fn batches(lengths: &[usize], batch: usize) -> impl FnMut() -> Result<Option<Vec<Vec<u32>>>> {
        let documents: Vec<Vec<u32>> = lengths.iter().zip(0..).map(|(length, i)| vec![i; *length]).collect();
        let mut batches = documents.chunks(batch).map(<[_]>::to_vec).collect::<Vec<_>>().into_iter();
        move || Ok(batches.next())
    }

    #[test]
    fn the_longest_that_fits_comes_next_and_the_shortest_is_cropped() {
        let rows = pack(9, 10, batches(&[7, 3, 4, 12, 2, 3, 11], 3)).unwrap();
        let of = |parts: &[(u32, usize)]| parts.iter().flat_map(|(i, n)| vec![*i; *n]).collect::<Vec<u32>>();
        // 4 + 3 + 2 leave room for one token, which the shorter of the two long ones gives; the other one fills no row.
        assert_eq!(rows, [of(&[(0, 7), (1, 3)]), of(&[(2, 4), (5, 3), (4, 2), (6, 1)]), of(&[(3, 10)])]);
    }

    #[test]
    fn no_more_documents_are_asked_for_than_the_rows_need() {
        let mut asked = 0;
        let rows = pack(3, 8, || {
            asked += 1;
            Ok(Some(vec![vec![1; 8]; 128]))
        });
        // The buffer is filled before each row's only document is taken.
        assert_eq!((rows.unwrap().len(), asked), (3, 8));
        let none = pack(0, 8, || panic!("no row was asked for")).unwrap();
        assert!(none.is_empty());
        assert!(pack(1, 8, batches(&[7, 0], 1)).unwrap().is_empty());
    }
}
