//! Byte-pair encodings with ranks, as tiktoken has them: a regular expression splits a text into pieces, and in each
//! piece the adjacent pair that is the lowest-ranking token is merged until none is left.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use fancy_regex::{Regex, RegexBuilder};
use tiktoken_rs::CoreBPE;

use super::{BEGINNINGS, Cuts};
use crate::error::{Error, Result};
use crate::file;
use crate::pickle::{Id, Pickle, Value};

/// GPT-2's pattern, as tiktoken has it (`tiktoken_ext/openai_public.py`), and its one special token.
const GPT2_PATTERN: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";
const GPT2_ORDINARY: u32 = 50256;
const GPT2_END: (&str, u32) = ("<|endoftext|>", GPT2_ORDINARY);

/// tiktoken's class, and how it is named in a pickle.
const ENCODING: (&str, &str) = ("tiktoken.core", "Encoding");

/// The largest tokenizer in use takes some 10 MB.
const LARGEST_FILE: u64 = 256 << 20;

/// Steps back that matching one piece may take; a million blanks take a million.
const BACKTRACK_LIMIT: usize = 100_000_000;

/// A byte-pair encoding.
pub struct Bpe {
    /// Merges one piece: its own pattern takes all that it is given. Splitting is not left to it, for it panics where a
    /// pattern cannot be matched.
    pieces: CoreBPE,
    pattern: Regex,
    cuts: Cuts,
    vocabulary: usize,
    beginning: Option<u32>,
}

impl std::fmt::Debug for Bpe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Bpe { pattern, vocabulary, .. } = self;
        f.debug_struct("Bpe").field("pattern", pattern).field("vocabulary", vocabulary).finish_non_exhaustive()
    }
}

impl Bpe {
    /// The encoding of GPT-2, which is built in.
    ///
    /// # Errors
    /// None in a build whose tests pass.
    pub fn gpt2() -> Result<Bpe> {
        let fault = |what: String| Error::Computation(format!("the built-in tokenizer of GPT-2: {what}"));
        let core = tiktoken_rs::r50k_base().map_err(|e| fault(e.to_string()))?;
        let token = |rank| core.decode_bytes(&[rank]).map(|bytes| (bytes, rank));
        let ranks = (0..GPT2_ORDINARY).map(token).collect::<std::result::Result<Vec<_>, _>>();
        Bpe::new(ranks.map_err(|e| fault(e.to_string()))?, &[GPT2_END], GPT2_PATTERN).map_err(fault)
    }

    /// Read `tokenizer.pkl`, a pickled `tiktoken.Encoding` as nanochat keeps it: as data, nothing in it is run.
    ///
    /// # Errors
    /// A file that is missing, is no such pickle, names anything but the encoding, or lacks ranks.
    pub fn from_pickle(path: &Path) -> Result<Bpe> {
        let bytes = file::read_plain(path, LARGEST_FILE)?;
        let wrong = |what: String| Error::file(path, format!("not a pickled tiktoken encoding: {what}"));
        let pickle = Pickle::read(&bytes, &[ENCODING]).map_err(wrong)?;
        let Value::Object { state: Some(state), .. } = pickle.root() else {
            return Err(wrong("it is of something else".into()));
        };
        match pickle.get(*state) {
            Value::Dict(state) => from_state(&pickle, state).map_err(wrong),
            // tiktoken writes an encoding that it knows by its name alone.
            Value::Text("gpt2" | "r50k_base") => Bpe::gpt2(),
            Value::Text(name) => Err(Error::file(
                path,
                format!(
                    "holds only the name {name:?} of an encoding and no ranks; build tiktoken.Encoding from its ranks \
                     under another name and pickle that, or give tokenizer.json"
                ),
            )),
            _ => Err(wrong("it has no state".into())),
        }
    }

    fn new(ranks: Vec<(Vec<u8>, u32)>, special: &[(&str, u32)], pattern: &str) -> std::result::Result<Bpe, String> {
        let taken: HashSet<u32> = ranks.iter().map(|(_, rank)| *rank).collect();
        let tokens: HashSet<&[u8]> = ranks.iter().map(|(token, _)| token.as_slice()).collect();
        let count = ranks.len();
        if taken.len() != count || tokens.len() != count {
            return Err("two tokens have one rank, or one token has two".into());
        }
        if let Some(byte) = (0..=u8::MAX).find(|byte| !tokens.contains([*byte].as_slice())) {
            return Err(format!("ranks are missing: the byte {byte:#04x} has none"));
        }
        let top = taken.iter().max().map_or(0, |top| *top);
        let gap = (0..top).find(|rank| !taken.contains(rank) && special.iter().all(|(_, id)| id != rank));
        if let Some(rank) = gap {
            return Err(format!("ranks are missing: {count} go up to {top}, but no token has rank {rank}"));
        }
        let last = special.iter().map(|(_, id)| *id).fold(top, u32::max);
        let beginning = BEGINNINGS.iter().find_map(|name| special.iter().find(|(special, _)| special == name));
        let regex = RegexBuilder::new(&linear(pattern)).backtrack_limit(BACKTRACK_LIMIT).build();
        let pieces = CoreBPE::new(ranks.into_iter().collect(), HashMap::default(), "(?s:.+)");
        Ok(Bpe {
            pieces: pieces.map_err(|e| e.to_string())?,
            cuts: Cuts::of_pattern(pattern),
            pattern: regex.map_err(|e| format!("its pattern cannot be used: {e}"))?,
            vocabulary: last as usize + 1,
            beginning: beginning.map(|(_, id)| *id),
        })
    }

    /// The tokens of a text; nothing in it is a special token.
    ///
    /// # Errors
    /// A message, if the pattern needs too many steps for the text.
    pub fn encode(&self, text: &str) -> std::result::Result<Vec<u32>, String> {
        let mut tokens = Vec::with_capacity(text.len() / 4);
        for piece in self.pattern.find_iter(text) {
            let piece = piece.map_err(|e| format!("the tokenizer's pattern cannot split it: {e}"))?;
            tokens.extend(self.pieces.encode_ordinary(piece.as_str()));
        }
        Ok(tokens)
    }

    /// Number of tokens, special ones among them.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Where texts can be cut.
    pub(super) fn cuts(&self) -> Cuts {
        self.cuts
    }

    /// The token that begins a sequence, if there is one.
    pub fn beginning(&self) -> Option<u32> {
        self.beginning
    }
}

/// The state of `tiktoken.Encoding`: the arguments of its constructor.
fn from_state(pickle: &Pickle<'_>, state: &[(Id, Id)]) -> std::result::Result<Bpe, String> {
    let dictionary = |key: &str| match pickle.item(state, key) {
        Some(Value::Dict(pairs)) => Ok(pairs.iter().map(|(k, v)| (pickle.get(*k), pickle.get(*v)))),
        _ => Err(format!("{key} is missing")),
    };
    let token = |value: &Value<'_>| match value {
        Value::Int(token) => u32::try_from(*token).map_err(|_| format!("{token} is no rank")),
        _ => Err("a rank is no number".to_owned()),
    };
    let ranks = dictionary("mergeable_ranks")?.map(|(key, rank)| match key {
        Value::Bytes(bytes) if !bytes.is_empty() => Ok((bytes.to_vec(), token(rank)?)),
        _ => Err("a token in mergeable_ranks is not bytes".to_owned()),
    });
    let special = dictionary("special_tokens")?.map(|(key, id)| match key {
        Value::Text(name) => Ok((*name, token(id)?)),
        _ => Err("a special token's name is no text".to_owned()),
    });
    let Some(Value::Text(pattern)) = pickle.item(state, "pat_str") else {
        return Err("pat_str is missing".into());
    };
    let special = special.collect::<std::result::Result<Vec<_>, _>>()?;
    Bpe::new(ranks.collect::<std::result::Result<_, _>>()?, &special, pattern)
}

/// The same pattern, such that long runs of whitespace take no more memory than short ones.
///
/// The patterns in use end in `\s+(?!\S)` and one more alternative: all whitespace up to the text's end, or all but the
/// last before something else. Matching that greedily keeps a way back from every character, and the engine refuses to
/// keep a million. The alternatives put here match the same, the one by possession and the other from the short side.
fn linear(pattern: &str) -> String {
    const GREEDY: &str = r"|\s+(?!\S)";
    const SAME: &str = r"|\s++\z|\s+?(?=\s\S)";
    let rest = ["", r"|\s", r"|\s+"].into_iter();
    let mut heads = rest.filter_map(|rest| Some((pattern.strip_suffix(rest)?.strip_suffix(GREEDY)?, rest)));
    heads.next().map_or_else(|| pattern.to_owned(), |(head, rest)| format!("{head}{SAME}{rest}"))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    /// nanochat's pattern (`nanochat/tokenizer.py`).
    const NANOCHAT_PATTERN: &str = concat!(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*",
        r"|\s*[\r\n]|\s+(?!\S)|\s+"
    );

    /// Patterns and what stands for them, compiled once, which takes longer than a text.
    static COMPILED: LazyLock<[(Regex, Regex); 3]> = LazyLock::new(|| {
        [NANOCHAT_PATTERN, GPT2_PATTERN, r"\p{L}+|\s+(?!\S)"].map(|pattern| {
            assert_ne!(linear(pattern), pattern);
            (Regex::new(&linear(pattern)).unwrap(), Regex::new(pattern).unwrap())
        })
    });

    fn pieces<'t>(pattern: &Regex, text: &'t str) -> Vec<&'t str> {
        pattern.find_iter(text).map(|piece| piece.unwrap().as_str()).collect()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 2048, failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_linear_pattern_splits_as_the_one_it_stands_for(text in r"[ \t\n\rax1.'\u{a0}é]{0,24}") {
            for (linear, pattern) in COMPILED.iter() {
                proptest::prop_assert_eq!(pieces(linear, &text), pieces(pattern, &text));
            }
        }
    }

    #[test]
    fn tables_with_holes_are_refused() {
        let bytes: Vec<(Vec<u8>, u32)> = (0..=255u8).map(|byte| (vec![byte], byte.into())).collect();
        let with = |more: &[(&[u8], u32)]| {
            let more = more.iter().map(|(token, rank)| (token.to_vec(), *rank));
            Bpe::new(bytes.iter().cloned().chain(more).collect(), &[("<|bos|>", 257)], GPT2_PATTERN)
        };
        assert_eq!(with(&[(b"ab", 256)]).unwrap().vocabulary(), 258);
        assert_eq!(with(&[(b"ab", 256), (b"abc", 258)]).unwrap().beginning(), Some(257));
        assert!(with(&[(b"ab", 259)]).unwrap_err().contains("no token has rank 256"));
        assert!(with(&[(b"ab", 255)]).unwrap_err().contains("one rank"));
        let short = Bpe::new(bytes[..65].to_vec(), &[], GPT2_PATTERN).unwrap_err();
        assert!(short.contains("ranks are missing: the byte 0x41 has none"), "{short}");
        let pattern = Bpe::new(bytes.clone(), &[], "(").unwrap_err();
        assert!(pattern.contains("pattern cannot be used"), "{pattern}");
    }
}
