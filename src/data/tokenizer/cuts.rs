//! Where a text can be cut so that the tokens of its beginning are the first tokens of the whole.
//!
//! Most tokenizers split a text into pieces by a pattern and give each piece its tokens, whatever stands around it. So a
//! cut is good where a piece ends in any case, and where no piece before it would be another without the rest.
//! Sentencepiece's take the text as one piece, and a cut is good where none of their tokens can lie across it.

use serde_json::Value;

/// Where a tokenizer's texts can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// Everywhere: each byte is a token.
    Anywhere,
    /// Before what follows a word: a space after anything to be seen, a line end or East Asian punctuation after a letter.
    AfterWords,
    /// Before the space that follows a word: sentencepiece's way, in which no token has a space behind anything else.
    BeforeSpaces,
    /// Nowhere that is known: its pieces may reach, or be decided by, however far.
    Nowhere,
}

/// The alternatives of the patterns in use, greedy: GPT-2's, nanochat's, Llama 3's, `cl100k_base` and `o200k_base`.
///
/// Each takes at most one character of another kind and then a run of one kind: letters with their marks, digits, what
/// is neither nor whitespace (and line ends or slashes behind it), or whitespace. None takes whitespace behind a letter
/// or a digit, and none looks further than one character behind its run. Whoever adds one must see that this stays true.
const PIECES: [&str; 29] = [
    "'s",
    "'t",
    "'re",
    "'ve",
    "'m",
    "'ll",
    "'d",
    r"'(?:[sdmt]|ll|ve|re)",
    r"'(?i:[sdmt]|ll|ve|re)",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
    r" ?\p{L}+",
    r"[^\r\n\p{L}\p{N}]?\p{L}+",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r" ?\p{N}+",
    r"\p{N}+",
    r"\p{N}",
    r"\p{N}{1,2}",
    r"\p{N}{1,3}",
    r"\p{N}{1,3}+",
    r" ?[^\s\p{L}\p{N}]+",
    r" ?[^\s\p{L}\p{N}]+[\r\n]*",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]",
    r"\s*[\r\n]+",
    r"\s+$",
    r"\s+(?!\S)",
    r"\s+",
    r"\s",
];

impl Cuts {
    /// Where the texts can be cut that a pattern splits.
    pub(super) fn of_pattern(pattern: &str) -> Cuts {
        // Possessive or not, an alternative takes and looks at the same characters.
        let greedy = |piece: &str| piece.replace("++", "+").replace("?+", "?").replace("*+", "*");
        let known = |piece: &&str| PIECES.contains(&greedy(piece).as_str());
        if alternatives(pattern).iter().all(known) { Cuts::AfterWords } else { Cuts::Nowhere }
    }

    /// Where the texts can be cut that a `tokenizer.json` splits.
    pub(super) fn of_json(tokenizer: &Value) -> Cuts {
        let (normalizer, model) = (&tokenizer["normalizer"], &tokenizer["model"]);
        // Added tokens are found before anything is split.
        let added = tokenizer["added_tokens"].as_array().into_iter().flatten();
        let spans = |token: &Value| token["content"].as_str().is_none_or(|content| last(content, ends_piece).is_some());
        let by_chance = model["dropout"].as_f64().is_some_and(|share| share > 0.0);
        if by_chance || added.into_iter().any(spans) {
            return Cuts::Nowhere;
        }
        let splitter = &tokenizer["pre_tokenizer"];
        if marks_spaces(normalizer, splitter) {
            return if leads_with_spaces(model) { Cuts::BeforeSpaces } else { Cuts::Nowhere };
        }
        // These join nothing to what is cut off. Others may: a letter taken apart ends in a mark, which is no letter.
        if !(normalizer.is_null() || matches!(kind(normalizer), "NFC" | "NFKC")) {
            return Cuts::Nowhere;
        }
        let steps = splitter["pretokenizers"].as_array().map_or(std::slice::from_ref(splitter), Vec::as_slice);
        // Digits stand apart from everything, and what comes after a step with a pattern sees its pieces alone.
        match steps.iter().find(|step| kind(step) != "Digits") {
            Some(step) if kind(step) == "ByteLevel" && step["use_regex"].as_bool().unwrap_or(true) => Cuts::AfterWords,
            Some(step)
                if kind(step) == "Split" && matches!(step["behavior"].as_str(), Some("Isolated" | "Removed")) =>
            {
                step["pattern"]["Regex"].as_str().map_or(Cuts::Nowhere, Cuts::of_pattern)
            }
            _ => Cuts::Nowhere,
        }
    }

    /// Length of the longest beginning of a text that can be cut off, if the text goes on behind it; `None` if there is
    /// none. Bytes that are no text are kept, so that whoever reads them can say where they stand.
    pub fn last(self, text: &[u8]) -> Option<usize> {
        match self {
            Cuts::Anywhere => Some(text.len()),
            Cuts::Nowhere => None,
            Cuts::AfterWords => of_text(text, ends_piece),
            Cuts::BeforeSpaces => of_text(text, |before, after| after == ' ' && ends_piece(before, after)),
        }
    }
}

fn kind(step: &Value) -> &str {
    step["type"].as_str().unwrap_or_default()
}

/// Sentencepiece's sign for a space.
const MARK: char = '▁';

/// Whether all that is done to a text before its tokens are sought is to write [`MARK`] for its spaces, and one more in
/// front: it stays one piece.
fn marks_spaces(normalizer: &Value, splitter: &Value) -> bool {
    let marked = |with: &Value| with.as_str().is_some_and(|with| with.chars().eq([MARK]));
    let steps = normalizer["normalizers"].as_array().map_or(std::slice::from_ref(normalizer), Vec::as_slice);
    let replaces = |step: &Value| {
        kind(step) == "Replace" && step["pattern"]["String"].as_str() == Some(" ") && marked(&step["content"])
    };
    let prepends = |step: &Value| kind(step) == "Prepend" && marked(&step["prepend"]);
    if splitter.is_null() {
        return steps.iter().any(replaces) && steps.iter().all(|step| replaces(step) || prepends(step));
    }
    normalizer.is_null() && kind(splitter) == "Metaspace" && marked(&splitter["replacement"])
}

/// Whether no token has [`MARK`] behind anything else, so that none reaches from a word into the space behind it: merges
/// of pairs, or the best way through the text, then go their way on either side alone. A model that looks at where its
/// piece ends is none of these.
fn leads_with_spaces(model: &Value) -> bool {
    let whole = model["ignore_merges"] == true || model["end_of_word_suffix"].as_str().is_some_and(|s| !s.is_empty());
    let apart = |token: &str| !token.trim_start_matches(MARK).contains(MARK);
    match (kind(model), &model["vocab"]) {
        ("BPE", Value::Object(tokens)) => !whole && tokens.keys().all(|token| apart(token)),
        ("Unigram", Value::Array(tokens)) => tokens.iter().all(|token| token[0].as_str().is_some_and(apart)),
        _ => false,
    }
}

/// What stands between the bars of a pattern that are in no group and no class.
fn alternatives(pattern: &str) -> Vec<&str> {
    let (mut depth, mut from, mut escaped, mut all) = (0usize, 0, false, Vec::new());
    for (at, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                all.push(&pattern[from..at]);
                from = at + 1;
            }
            _ => (),
        }
    }
    all.push(&pattern[from..]);
    all
}

/// The last cut in a text that may be cut off within a character; the whole of what is no text.
fn of_text(text: &[u8], is_cut: impl Fn(char, char) -> bool) -> Option<usize> {
    let whole = match std::str::from_utf8(text) {
        Ok(text) => Some(text),
        Err(e) if e.error_len().is_none() => std::str::from_utf8(&text[..e.valid_up_to()]).ok(),
        Err(_) => None,
    };
    whole.map_or(Some(text.len()), |text| last(text, is_cut))
}

/// The last place in a text that is between two such characters.
fn last(text: &str, is_cut: impl Fn(char, char) -> bool) -> Option<usize> {
    let mut after: Option<(usize, char)> = None;
    text.char_indices().rev().find_map(|(at, before)| {
        let cut = after.filter(|(_, after)| is_cut(before, *after)).map(|(at, _)| at);
        after = Some((at, before));
        cut
    })
}

/// Whether a piece ends between two characters, whatever stands around them: a space follows something to be seen, or a
/// line end or East Asian punctuation follows a letter. The letters are those that every version of Unicode knows as such.
fn ends_piece(before: char, after: char) -> bool {
    let letter = |c| matches!(c, 'a'..='z' | 'A'..='Z' | 'ぁ'..='ゖ' | 'ァ'..='ヺ' | '一'..='龥' | '가'..='힣');
    match after {
        ' ' => before.is_ascii_graphic() || before.is_alphabetic(),
        '\n' | '\r' | '、' | '。' | '，' => letter(before),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use fancy_regex::Regex;
    use serde_json::json;

    use super::*;
    use crate::data::tokenizer::JsonTokenizer;

    /// Patterns of tokenizers in use: GPT-2's as it was and as it is, nanochat's, `cl100k_base` (Llama 3) as it was and as
    /// it is, `o200k_base`.
    const PATTERNS: [&str; 6] = [
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*",
            r"|\s*[\r\n]|\s+(?!\S)|\s+"
        ),
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*",
            r"|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
        concat!(
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+",
            r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
        ),
        concat!(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
    ];

    /// Compiled once, which takes longer than a text.
    static COMPILED: LazyLock<[Regex; 6]> = LazyLock::new(|| PATTERNS.map(|pattern| Regex::new(pattern).unwrap()));

    fn pieces<'t>(pattern: &Regex, text: &'t str) -> Vec<&'t str> {
        pattern.find_iter(text).map(|piece| piece.unwrap().as_str()).collect()
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 2048, failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_pieces_before_a_cut_are_the_first_of_the_whole(
            text in r"[ \t\n\r\u{a0}\u{3000}aSs'lL1²٣.,/{é\u{301}\u{94d}क한の字、。，🙂\u{200d}]{0,32}",
        ) {
            for pattern in COMPILED.iter() {
                let whole = pieces(pattern, &text);
                for (end, _) in text.char_indices() {
                    if let Some(cut) = last(&text[..end], ends_piece) {
                        let before = pieces(pattern, &text[..cut]);
                        proptest::prop_assert!(whole.starts_with(&before), "{:?} of {:?}", before, whole);
                    }
                }
            }
        }
    }

    #[test]
    fn the_patterns_in_use_are_known_and_others_are_not_cut() {
        for pattern in PATTERNS {
            assert_eq!(Cuts::of_pattern(pattern), Cuts::AfterWords, "{pattern}");
            assert_eq!(Cuts::of_pattern(&format!("{pattern}|.+")), Cuts::Nowhere);
            assert_eq!(Cuts::of_pattern(&format!("(?x){pattern}")), Cuts::Nowhere);
        }
        assert_eq!(Cuts::of_pattern(r"\S+|\s+"), Cuts::Nowhere);
        assert_eq!(Cuts::of_pattern(r"[|]| ?\p{L}+"), Cuts::Nowhere);
    }

    #[test]
    fn a_json_is_cut_if_none_of_its_steps_reaches_over() {
        let known = json!({
            "normalizer": null,
            "added_tokens": [{"content": "<|bos|>"}, {"content": "    "}],
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true},
                {"type": "Split", "pattern": {"Regex": PATTERNS[3]}, "behavior": "Isolated", "invert": false},
                {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
            ]},
            "model": {"type": "BPE", "dropout": null},
        });
        let with = |path: &str, value: Value| {
            let mut other = known.clone();
            *other.pointer_mut(path).unwrap() = value;
            Cuts::of_json(&other)
        };
        assert_eq!(Cuts::of_json(&known), Cuts::AfterWords);
        assert_eq!(with("/normalizer", json!({"type": "NFC"})), Cuts::AfterWords);
        assert_eq!(with("/pre_tokenizer", json!({"type": "ByteLevel"})), Cuts::AfterWords);
        for (path, value) in [
            ("/normalizer", json!({"type": "Prepend", "prepend": "▁"})),
            ("/normalizer", json!({"type": "NFD"})),
            ("/added_tokens/0/content", json!("the end")),
            ("/model/dropout", json!(0.1)),
            ("/pre_tokenizer", Value::Null),
            ("/pre_tokenizer", json!({"type": "ByteLevel", "use_regex": false})),
            ("/pre_tokenizer", json!({"type": "Metaspace"})),
            ("/pre_tokenizer/pretokenizers/1/behavior", json!("MergedWithNext")),
            ("/pre_tokenizer/pretokenizers/1/pattern", json!({"String": " "})),
            ("/pre_tokenizer/pretokenizers/1/pattern/Regex", json!(r".+")),
        ] {
            assert_eq!(with(path, value.clone()), Cuts::Nowhere, "{path} {value}");
        }
    }

    /// Sentencepiece's way with these tokens beside 256 bytes: some of one character, the others merged of the two that
    /// follow them.
    fn marking(characters: &[&str], merged: &[(&str, &str)]) -> Value {
        let bytes = (0..=255u8).map(|byte| format!("<0x{byte:02X}>"));
        let whole = merged.iter().map(|(left, right)| format!("{left}{right}"));
        let tokens = std::iter::once("<unk>".to_owned()).chain(bytes).chain(characters.iter().map(|c| (*c).to_owned()));
        let vocab: serde_json::Map<String, Value> = tokens.chain(whole).zip((0..).map(Value::from)).collect();
        let merges: Vec<Value> = merged.iter().map(|(left, right)| json!([left, right])).collect();
        json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "pre_tokenizer": null,
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ]},
            "model": {
                "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
                "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
                "vocab": vocab, "merges": merges,
            },
            "post_processor": null, "decoder": null,
        })
    }

    #[test]
    fn tokens_with_marks_for_spaces_are_cut_before_them() {
        let characters = ["▁", "t", "h", "e", "n", ",", "の"];
        let merged = [("▁", "▁"), ("h", "e"), ("t", "he"), ("▁", "the"), ("▁▁", "▁▁"), ("the", "n"), ("▁", "e")];
        let legacy = marking(&characters, &merged);
        let mut metaspace = legacy.clone();
        metaspace["normalizer"] = Value::Null;
        metaspace["pre_tokenizer"] =
            json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false});
        let text = "then the  hen, the\nnet     the e é the の, then ▁ the  の the     ".repeat(3);
        let folder = tempfile::tempdir().unwrap();
        for (i, described) in [legacy, metaspace].iter().enumerate() {
            let path = folder.path().join(format!("{i}.json"));
            std::fs::write(&path, described.to_string()).unwrap();
            let tokenizer = JsonTokenizer::open(&path).unwrap();
            assert_eq!(tokenizer.cuts(), Cuts::BeforeSpaces);
            let whole = tokenizer.encode(&text).unwrap();
            let cuts: BTreeSet<usize> =
                (0..text.len()).filter_map(|end| Cuts::BeforeSpaces.last(&text.as_bytes()[..end])).collect();
            assert!(cuts.len() > 30, "{cuts:?}");
            for cut in cuts {
                let before = tokenizer.encode(&text[..cut]).unwrap();
                assert!(whole.starts_with(&before), "{:?}: {before:?}", &text[..cut]);
            }
        }
        // A token that goes on behind a space, or a step that does more, leaves no cut that is known.
        assert_eq!(Cuts::of_json(&marking(&characters, &[("e", "▁")])), Cuts::Nowhere);
        for (path, value) in [
            ("/normalizer/normalizers/0", json!({"type": "Strip", "strip_left": true, "strip_right": true})),
            ("/model/ignore_merges", json!(true)),
            ("/model/end_of_word_suffix", json!("</w>")),
        ] {
            let mut other = marking(&characters, &merged);
            *other.pointer_mut(path).unwrap() = value;
            assert_eq!(Cuts::of_json(&other), Cuts::Nowhere, "{path}");
        }
    }

    #[test]
    fn a_text_that_ends_within_a_character_is_cut_before_it_and_what_is_no_text_is_kept() {
        let text = "ein Wörtchen".as_bytes();
        assert_eq!(Cuts::AfterWords.last(&text[..6]), Some(3));
        assert_eq!(Cuts::AfterWords.last(b"word"), None);
        assert_eq!(Cuts::AfterWords.last("数。字".as_bytes()), Some(3));
        assert_eq!(Cuts::AfterWords.last(b"a b\xff c d"), Some(8));
        assert_eq!(Cuts::BeforeSpaces.last("数。字 x\ny".as_bytes()), Some(9));
        assert_eq!((Cuts::Anywhere.last(text), Cuts::Nowhere.last(text)), (Some(text.len()), None));
    }
}
