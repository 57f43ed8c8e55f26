//! The demo that is compiled in: a small byte-level nanochat and the text it was trained on, so that the program shows
//! something true before it is given anything.

use std::path::Path;

use crate::data::sequences::{Sequences, row_length};
use crate::data::tokenizer::{BYTE_VOCAB, Tokenizer};
use crate::error::{Error, Result};
use crate::model::architecture::Limits;
use crate::model::checkpoint::Checkpoint;

/// The first book of Cicero's *De finibus bonorum et malorum* (45 BC, public domain).
pub const TEXT: &str = lipsum::LIBER_PRIMUS;

const CONFIG: &str = include_str!("../../assets/demo/config.json");
const WEIGHTS: &[u8] = include_bytes!("../../assets/demo/model.safetensors");

/// The checkpoint, trained on [`TEXT`].
///
/// # Errors
/// None in a build whose tests pass: the files under `assets/demo` are checked there.
pub fn checkpoint() -> Result<Checkpoint> {
    Checkpoint::from_bytes("demo", CONFIG, WEIGHTS)
}

/// All sequences of [`TEXT`], cut to `length` tokens, or to the model's length.
///
/// # Errors
/// A model whose tokens are not bytes; those of [`row_length`]; sequences longer than the text.
pub fn text(config: impl Into<Limits>, length: Option<usize>) -> Result<Sequences> {
    let limits = config.into();
    let (known, length) = (limits.vocab_size, row_length(length, limits)?);
    let wrong = |what| Error::file(Path::new("demo text"), what);
    if known != BYTE_VOCAB {
        return Err(wrong(format!(
            "one token a byte, but this model's vocabulary has {known} tokens, not {BYTE_VOCAB}; give --text FILE (with \
             --tokenizer), --shards or --tokens"
        )));
    }
    let tokens = Tokenizer::Bytes.encode(TEXT.as_bytes()).map_err(wrong)?;
    Sequences::cut("Cicero, De finibus I", &tokens, length).map_err(wrong)
}

/// The first `rows` sequences of [`TEXT`], cut to the model's length: the checkpoint was trained on them.
///
/// # Errors
/// More rows than the text has; otherwise as [`text`].
pub fn sequences(config: impl Into<Limits>, rows: usize) -> Result<Sequences> {
    let mut all = text(config, None)?;
    if rows > all.rows() {
        let what = format!("{rows} sequences were asked, but the demo text has {}; give --text FILE", all.rows());
        return Err(Error::file(Path::new("demo text"), what));
    }
    all.truncate(rows);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_whole_and_its_rows_follow_the_text() {
        let demo = checkpoint().unwrap();
        assert!(demo.notes.is_empty());
        assert_eq!(demo.parameters.len(), demo.config.layout().len());
        let data = sequences(&demo.config, 2).unwrap();
        let len = demo.config.limits().sequence_len;
        let bytes: Vec<u32> = TEXT.bytes().map(u32::from).collect();
        assert_eq!(data.inputs, [&bytes[..len], &bytes[len..2 * len]]);
        assert_eq!(data.targets, [&bytes[1..len + 1], &bytes[len + 1..2 * len + 1]]);
        assert_eq!(data.check(&demo.config), Ok(()));
        assert!(sequences(&demo.config, 1_000_000).unwrap_err().to_string().contains("--text"));
    }
}
