//! The first tokens of a text, of which no more is read than they need.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::data::tokenizer::{Cuts, Tokenizer};
use crate::error::{Error, Result};
use crate::file::refuse_compressed;

/// Bytes that are read at first for a token: more than a token takes in most texts.
const BYTES_PER_TOKEN: usize = 6;
/// Bytes that are read at least.
const LEAST: usize = 64 << 10;

/// The first `count` tokens of a text, or all if there are not as many: those that the whole text has there. What lies
/// behind them is not read, unless the tokenizer knows no place at which a text can be cut.
///
/// # Errors
/// An unreadable or compressed file, or one of which the tokenizer cannot take what is read.
pub fn first_tokens(path: &Path, tokenizer: &Tokenizer, count: usize) -> Result<Vec<u32>> {
    let first = match tokenizer.cuts() {
        Cuts::Nowhere => usize::MAX,
        Cuts::Anywhere | Cuts::AfterWords | Cuts::BeforeSpaces => count.saturating_mul(BYTES_PER_TOKEN).max(LEAST),
    };
    read(path, File::open(path).map_err(Error::io(path))?, tokenizer, count, first)
}

/// The same of a file that is open, read from `first` bytes on.
fn read(path: &Path, mut file: impl Read, tokenizer: &Tokenizer, count: usize, first: usize) -> Result<Vec<u32>> {
    let (mut text, mut wanted) = (Vec::new(), first);
    loop {
        let more = (wanted - text.len()) as u64;
        let at_end = (file.by_ref().take(more).read_to_end(&mut text).map_err(Error::io(path))? as u64) < more;
        refuse_compressed(path, &text)?;
        let whole = if at_end { Some(text.len()) } else { tokenizer.cuts().last(&text) };
        if let Some(end) = whole {
            let mut tokens = tokenizer.encode(&text[..end]).map_err(|what| Error::file(path, what))?;
            if at_end || tokens.len() >= count {
                tokens.truncate(count);
                return Ok(tokens);
            }
        }
        // Doubled each time, all that is tokenised on the way is no more than what is tokenised last.
        wanted = wanted.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::data::tokenizer::TokenizerChoice;

    /// Prose, code, marks, East Asian text with and without spaces, emoji, digits and long whitespace.
    fn mixed() -> String {
        let parts = [
            "It's the reader's: \"we'll see\", she said — naïve, co\u{302}té.\r\n\r\n",
            "fn main() {\n\tlet x = [1, 22, 333];  // 4444\n        println!(\"{x:?}\");\n}\n",
            "吾輩は猫である。名前はまだ無い。どこで生れたか、とんと見当がつかぬ。\n\n",
            "天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。훈민정음 나랏말싸미 中國에 달아\n",
            "👩‍👩‍👧‍👦🏳️‍🌈 🙂🙂\u{a0}\u{2003}हिन्दी में लिखा है ١٢٣ ½",
            &" ".repeat(300),
            "\n\n\n\t\t \u{3000}x ",
        ];
        parts.concat().repeat(3)
    }

    #[test]
    fn the_tokens_are_those_of_the_whole_however_much_is_read_at_first() {
        let text = mixed();
        let fixture = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/text").join(name);
        for choice in ["bytes".into(), "gpt2".into(), fixture("nanochat/tokenizer"), fixture("json")] {
            let tokenizer = choice.to_str().unwrap().parse::<TokenizerChoice>().unwrap().open().unwrap();
            let whole = tokenizer.encode(text.as_bytes()).unwrap();
            for first in (1..text.len() + 2).step_by(7) {
                for count in [1, 1 + first / 9, whole.len() - 1, whole.len(), whole.len() + 1] {
                    let tokens = read(Path::new("mixed"), text.as_bytes(), &tokenizer, count, first).unwrap();
                    assert!(tokens == whole[..count.min(whole.len())], "{tokenizer:?}: {count} from {first} bytes");
                }
            }
        }
    }

    /// Gives words for ever, and counts its bytes.
    struct Endless<'a>(&'a Cell<usize>);

    impl Read for Endless<'_> {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            let read = self.0.get();
            to.iter_mut().zip(read..).for_each(|(byte, at)| *byte = b"word "[at % 5]);
            self.0.set(read + to.len());
            Ok(to.len())
        }
    }

    #[test]
    fn what_lies_behind_is_not_read() {
        let tokenizer = TokenizerChoice::Gpt2.open().unwrap();
        let read_of = Cell::new(0);
        let tokens = read(Path::new("endless"), Endless(&read_of), &tokenizer, 1000, 64).unwrap();
        assert_eq!(tokens.len(), 1000);
        assert!((4999..10_000).contains(&read_of.get()), "{}", read_of.get());
    }
}
