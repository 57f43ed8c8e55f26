//! Tokenizers: a text goes in, and tokens come out as the library that trained the tokenizer would give them.
//!
//! A text is data: nothing that is written in it is a special token, as in tiktoken's `encode_ordinary`.

mod bpe;
mod choice;
mod cuts;
mod json;

pub use bpe::Bpe;
pub use choice::TokenizerChoice;
pub use cuts::Cuts;
pub use json::JsonTokenizer;

/// A byte-level model's vocabulary: one token a byte.
pub const BYTE_VOCAB: usize = 256;

/// What begins a sequence, by the names that are in use, the most telling first.
const BEGINNINGS: [&str; 6] = ["<|bos|>", "<|begin_of_text|>", "<bos>", "<s>", "<|endoftext|>", "[CLS]"];

/// A tokenizer that has been read.
#[derive(Debug)]
pub enum Tokenizer {
    /// One token a byte.
    Bytes,
    /// Byte pairs with ranks: nanochat's, and GPT-2's.
    Bpe(Box<Bpe>),
    /// Whatever a `tokenizer.json` describes.
    Json(Box<JsonTokenizer>),
}

impl Tokenizer {
    /// The tokens of a text in UTF-8; bytes are taken as they are.
    ///
    /// # Errors
    /// A message, if it is not UTF-8 or the tokenizer cannot split it; the caller knows the file.
    pub fn encode(&self, text: &[u8]) -> Result<Vec<u32>, String> {
        let utf8 = || {
            std::str::from_utf8(text).map_err(|e| {
                let what = format!("not UTF-8 text: byte {} does not belong there", e.valid_up_to());
                what + "; convert it, or read it with --tokenizer bytes"
            })
        };
        match self {
            Tokenizer::Bytes => Ok(text.iter().map(|byte| u32::from(*byte)).collect()),
            Tokenizer::Bpe(bpe) => bpe.encode(utf8()?),
            Tokenizer::Json(json) => json.encode(utf8()?),
        }
    }

    /// Number of tokens, special ones among them: every token lies below.
    pub fn vocabulary(&self) -> usize {
        match self {
            Tokenizer::Bytes => BYTE_VOCAB,
            Tokenizer::Bpe(bpe) => bpe.vocabulary(),
            Tokenizer::Json(json) => json.vocabulary(),
        }
    }

    /// The token that begins a sequence, if there is one.
    pub fn beginning(&self) -> Option<u32> {
        match self {
            Tokenizer::Bytes => None,
            Tokenizer::Bpe(bpe) => bpe.beginning(),
            Tokenizer::Json(json) => json.beginning(),
        }
    }

    /// Where texts can be cut so that the tokens of a beginning are the first of the whole.
    pub fn cuts(&self) -> Cuts {
        match self {
            Tokenizer::Bytes => Cuts::Anywhere,
            Tokenizer::Bpe(bpe) => bpe.cuts(),
            Tokenizer::Json(json) => json.cuts(),
        }
    }

    /// Whether a model of `known` tokens knows all of these.
    ///
    /// # Errors
    /// A message with both vocabularies.
    pub fn check(&self, known: usize) -> Result<(), String> {
        match self.vocabulary() {
            count if count <= known => Ok(()),
            count => Err(format!(
                "it has {count} tokens, but the model's vocabulary only {known}: this is not the tokenizer that the model \
                 was trained with; give that one by --tokenizer"
            )),
        }
    }
}
