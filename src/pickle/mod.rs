//! Python pickles, read as plain data.
//!
//! A pickle is a program for a small stack machine (protocols 2 to 5; the instructions are those of Python's
//! `pickletools`). Here its values are built and nothing else: what it would call is noted and never called, and a name
//! that the caller does not expect is refused before anything is built from it. Values lie in one table and refer to
//! each other by index, and bytes and texts are slices of the input, so the memory taken is at most a fixed multiple of
//! the input's length, whatever the pickle says, and neither depth nor cycles can overflow a stack.

use std::collections::HashMap;

/// Place of a value in [`Pickle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(u32);

/// A value; what it is made of is looked up in its [`Pickle`].
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// `str`.
    Text(&'a str),
    /// A list.
    List(Vec<Id>),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A dictionary, in the order it was filled; a key may come more than once, and the last one counts.
    Dict(Vec<(Id, Id)>),
    /// A class or function by its module and name.
    Global(&'a str, &'a str),
    /// What calling `callable` with `arguments` would have given.
    Object {
        /// Normally a [`Value::Global`].
        callable: Id,
        /// Normally a [`Value::Tuple`].
        arguments: Id,
        /// What `__setstate__` would have been given.
        state: Option<Id>,
        /// What would have been set in it as in a dictionary.
        items: Vec<(Id, Id)>,
    },
    /// What the program that wrote the pickle keeps elsewhere, under this name.
    Persistent(Id),
}

/// The values of a pickle.
#[derive(Debug, Clone, PartialEq)]
pub struct Pickle<'a> {
    values: Vec<Value<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Read a pickle that names no other classes and functions than `expected`, each as module and name.
    ///
    /// # Errors
    /// A message with the byte at fault; the caller knows the file.
    pub fn read(bytes: &'a [u8], expected: &[(&str, &str)]) -> Result<Pickle<'a>, String> {
        if !matches!(bytes, [PROTO, 2..=5, ..]) {
            return Err("not a pickle of protocol 2 to 5".into());
        }
        let mut machine = Machine {
            bytes,
            at: 0,
            expected,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        };
        loop {
            let start = machine.at;
            match machine.step() {
                Ok(Some(root)) => return Ok(Pickle { values: machine.values, root }),
                Ok(None) => (),
                Err(what) => return Err(format!("byte {start}: {what}")),
            }
        }
    }

    /// The value that the pickle is of.
    pub fn root(&self) -> &Value<'a> {
        self.get(self.root)
    }

    /// A value by its place.
    pub fn get(&self, id: Id) -> &Value<'a> {
        &self.values[id.0 as usize]
    }

    /// The value of a text key among a dictionary's pairs; the last one, as in Python.
    pub fn item(&self, pairs: &[(Id, Id)], key: &str) -> Option<&Value<'a>> {
        let pair = pairs.iter().rev().find(|(k, _)| *self.get(*k) == Value::Text(key));
        pair.map(|(_, value)| self.get(*value))
    }
}

const PROTO: u8 = 0x80;

/// More bytes than this would let indices overflow.
const TOO_LONG: &str = "too many values";

struct Machine<'a, 'e> {
    bytes: &'a [u8],
    at: usize,
    expected: &'e [(&'e str, &'e str)],
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a, '_> {
    /// Carry out one instruction; the pickle's value after the last.
    fn step(&mut self) -> Result<Option<Id>, String> {
        let code = self.byte()?;
        match code {
            PROTO => self.skip(1)?,
            // FRAME: how many bytes may be read at once.
            0x95 => self.skip(8)?,
            b'.' => return self.pop().map(Some),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.above_mark()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }

            b'N' => self.push(Value::None)?,
            0x88 => self.push(Value::Bool(true))?,
            0x89 => self.push(Value::Bool(false))?,
            b'K' => self.push_int(1)?,
            b'M' => self.push_int(2)?,
            b'J' => {
                let number = self.array().map(i32::from_le_bytes)?;
                self.push(Value::Int(number.into()))?;
            }
            0x8a => {
                let length = usize::from(self.byte()?);
                self.push_long(length)?;
            }
            b'G' => {
                let number = self.array().map(f64::from_be_bytes)?;
                self.push(Value::Float(number))?;
            }
            b'C' => self.push_bytes(1)?,
            b'B' => self.push_bytes(4)?,
            0x8e => self.push_bytes(8)?,
            0x8c => self.push_text(1)?,
            b'X' => self.push_text(4)?,
            0x8d => self.push_text(8)?,

            b']' => self.push(Value::List(Vec::new()))?,
            b'a' => {
                let item = self.pop()?;
                self.extend(&[item])?;
            }
            b'e' => {
                let items = self.above_mark()?;
                self.extend(&items)?;
            }
            b')' => self.push(Value::Tuple(Vec::new()))?,
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(code - 0x84))?;
                self.push(Value::Tuple(items))?;
            }
            b't' => {
                let items = self.above_mark()?;
                self.push(Value::Tuple(items))?;
            }
            b'}' => self.push(Value::Dict(Vec::new()))?,
            b's' => {
                let pair = self.pop_many(2)?;
                self.set(&pair)?;
            }
            b'u' => {
                let pairs = self.above_mark()?;
                self.set(&pairs)?;
            }

            // BINPUT, LONG_BINPUT, MEMOIZE; BINGET, LONG_BINGET.
            b'q' => self.byte().and_then(|key| self.keep(key.into()))?,
            b'r' => self.array().and_then(|key| self.keep(u32::from_le_bytes(key)))?,
            0x94 => self.keep(u32::try_from(self.memo.len()).map_err(|_| TOO_LONG)?)?,
            b'h' => self.byte().and_then(|key| self.recall(key.into()))?,
            b'j' => self.array().and_then(|key| self.recall(u32::from_le_bytes(key)))?,

            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push_global(module, name)?;
            }
            0x93 => {
                let names = self.pop_many(2)?;
                match (&self.values[names[0].0 as usize], &self.values[names[1].0 as usize]) {
                    (&Value::Text(module), &Value::Text(name)) => self.push_global(module, name)?,
                    _ => return Err("the name of a class is not a text".into()),
                }
            }
            // REDUCE and NEWOBJ: called with a tuple, and made with a tuple.
            b'R' | 0x81 => {
                let parts = self.pop_many(2)?;
                let [callable, arguments] = [parts[0], parts[1]];
                self.push(Value::Object { callable, arguments, state: None, items: Vec::new() })?;
            }
            b'b' => self.build()?,
            b'Q' => {
                let name = self.pop()?;
                self.push(Value::Persistent(name))?;
            }
            other => return Err(format!("instruction {other:#04x} does not occur in such a file")),
        }
        Ok(None)
    }

    /// The state of an object; a dictionary's is added to it.
    fn build(&mut self) -> Result<(), String> {
        let given = self.pop()?;
        let top = self.top()?;
        match &mut self.values[top.0 as usize] {
            Value::Object { state, .. } => *state = Some(given),
            _ => return Err("a state is given to what is no object".into()),
        }
        Ok(())
    }

    fn extend(&mut self, items: &[Id]) -> Result<(), String> {
        let top = self.top()?;
        match &mut self.values[top.0 as usize] {
            Value::List(list) => list.extend(items),
            _ => return Err("items are appended to what is no list".into()),
        }
        Ok(())
    }

    fn set(&mut self, flat: &[Id]) -> Result<(), String> {
        if !flat.len().is_multiple_of(2) {
            return Err("a key has no value".into());
        }
        let pairs = flat.chunks_exact(2).map(|pair| (pair[0], pair[1]));
        let top = self.top()?;
        match &mut self.values[top.0 as usize] {
            Value::Dict(items) | Value::Object { items, .. } => items.extend(pairs),
            _ => return Err("keys are set in what is no dictionary".into()),
        }
        Ok(())
    }

    fn keep(&mut self, key: u32) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u32) -> Result<(), String> {
        let id = *self.memo.get(&key).ok_or("it refers to a value that is not there")?;
        self.stack.push(id);
        Ok(())
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), String> {
        let id = u32::try_from(self.values.len()).map_err(|_| TOO_LONG)?;
        self.values.push(value);
        self.stack.push(Id(id));
        Ok(())
    }

    fn push_global(&mut self, module: &'a str, name: &'a str) -> Result<(), String> {
        if !self.expected.contains(&(module, name)) {
            return Err(format!(
                "it names {module}.{name}, which has no business in such a file; nothing in it was run"
            ));
        }
        self.push(Value::Global(module, name))
    }

    /// An unsigned number of `width` bytes.
    fn push_int(&mut self, width: usize) -> Result<(), String> {
        let number = self.length(width)?;
        self.push(Value::Int(i64::try_from(number).map_err(|_| TOO_LONG)?))
    }

    /// A signed number of `length` bytes.
    fn push_long(&mut self, length: usize) -> Result<(), String> {
        let bytes = self.take(length)?;
        if length > 8 {
            return Err(format!("a number of {length} bytes"));
        }
        let fill = if bytes.last().is_some_and(|top| top & 0x80 != 0) { 0xff } else { 0 };
        let mut wide = [fill; 8];
        wide[..length].copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(wide)))
    }

    fn push_bytes(&mut self, width: usize) -> Result<(), String> {
        let length = self.length(width)?;
        let bytes = self.take(length)?;
        self.push(Value::Bytes(bytes))
    }

    fn push_text(&mut self, width: usize) -> Result<(), String> {
        let length = self.length(width)?;
        let text = std::str::from_utf8(self.take(length)?).map_err(|e| format!("a text is not UTF-8: {e}"))?;
        self.push(Value::Text(text))
    }

    fn pop(&mut self) -> Result<Id, String> {
        self.pop_many(1).map(|ids| ids[0])
    }

    /// The uppermost values, none of them below the last mark; the last pushed comes last.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let left = self.stack.len().checked_sub(count).filter(|left| *left >= floor);
        Ok(self.stack.split_off(left.ok_or("it takes values that are not there")?))
    }

    fn above_mark(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("it goes back to a mark that is not there")?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = self.stack.get(floor..).and_then(<[Id]>::last);
        top.copied().ok_or_else(|| "it uses a value that is not there".into())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or("the file ends in the middle of a value; copy it again")?;
        self.at += length;
        Ok(taken)
    }

    fn skip(&mut self, length: usize) -> Result<(), String> {
        self.take(length).map(drop)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    /// An unsigned little-endian number of `width` bytes.
    fn length(&mut self, width: usize) -> Result<usize, String> {
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.take(width)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| TOO_LONG.into())
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("the file ends in the middle of a name")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|e| format!("a name is not UTF-8: {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERED: (&str, &str) = ("collections", "OrderedDict");

    /// What Python writes for `OrderedDict([("a", [1, -2, 2**40]), ("b", (1.5, b"\xff", None, True))])`.
    fn sample(protocol: u8) -> &'static [u8] {
        match protocol {
            2 => {
                b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x01\x00\x00\x00aq\x02]q\x03(K\x01J\xfe\xff\xff\xff\
                 \x8a\x06\x00\x00\x00\x00\x00\x01eX\x01\x00\x00\x00bq\x04(G?\xf8\x00\x00\x00\x00\x00\x00C\x01\xff\
                 N\x88tq\x05u."
            }
            _ => {
                b"\x80\x04\x95E\x00\x00\x00\x00\x00\x00\x00\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94\
                 (\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xff\x8a\x06\x00\x00\x00\x00\x00\x01e\x8c\x01b\x94\
                 (G?\xf8\x00\x00\x00\x00\x00\x00C\x01\xff\x94N\x88t\x94u."
            }
        }
    }

    #[test]
    fn both_dialects_give_the_same_values() {
        for protocol in [2, 4] {
            let pickle = Pickle::read(sample(protocol), &[ORDERED]).unwrap();
            let Value::Object { callable, items, state: None, .. } = pickle.root() else { panic!("{pickle:?}") };
            assert_eq!(pickle.get(*callable), &Value::Global(ORDERED.0, ORDERED.1));
            let Some(Value::List(list)) = pickle.item(items, "a") else { panic!("{pickle:?}") };
            let list: Vec<_> = list.iter().map(|id| pickle.get(*id).clone()).collect();
            assert_eq!(list, [Value::Int(1), Value::Int(-2), Value::Int(1 << 40)]);
            let Some(Value::Tuple(tuple)) = pickle.item(items, "b") else { panic!("{pickle:?}") };
            let tuple: Vec<_> = tuple.iter().map(|id| pickle.get(*id).clone()).collect();
            assert_eq!(tuple, [Value::Float(1.5), Value::Bytes(&[0xff]), Value::None, Value::Bool(true)]);
            assert_eq!(pickle.item(items, "c"), None);
        }
    }

    #[test]
    fn a_name_that_is_not_expected_is_refused_whichever_way_it_is_written() {
        for hostile in [
            &b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R."[..],
            b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.",
        ] {
            let refused = Pickle::read(hostile, &[ORDERED]).unwrap_err();
            assert!(refused.contains("os.system") && refused.contains("nothing in it was run"), "{refused}");
        }
    }

    #[test]
    fn a_pickle_that_doubles_itself_or_nests_without_end_stays_small() {
        // Each tuple holds the one before twice: 2^5000 leaves, were they ever written out.
        let mut doubling = b"\x80\x02)".to_vec();
        doubling.extend(b"2\x86".repeat(5000));
        doubling.push(b'.');
        assert_eq!(Pickle::read(&doubling, &[]).unwrap().values.len(), 5001);
        let mut deep = b"\x80\x02".to_vec();
        deep.extend(std::iter::repeat_n(b']', 1_000_000));
        deep.extend(std::iter::repeat_n(b'a', 999_999));
        deep.push(b'.');
        assert_eq!(Pickle::read(&deep, &[]).unwrap().values.len(), 1_000_000);
        let endless = b"\x80\x04]\x94h\x00a.";
        assert_eq!(Pickle::read(endless, &[]).unwrap().root(), &Value::List(vec![Id(0)]));
    }

    #[test]
    fn lengths_beyond_the_file_take_no_memory() {
        for claim in
            [&b"B\xff\xff\xff\xff"[..], b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", b"X\xff\xff\xff\x7f", b"C\x02x"]
        {
            let refused = Pickle::read(&[b"\x80\x04", claim].concat(), &[]).unwrap_err();
            assert!(refused.contains("byte 2: the file ends"), "{refused}");
        }
        assert!(Pickle::read(b"", &[]).is_err());
        assert!(Pickle::read(b"PK\x03\x04", &[]).unwrap_err().contains("not a pickle"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 4096, failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_bytes_can_make_it_panic_or_grow(
            cut in 0usize..120,
            changes in proptest::collection::vec((0usize..120, proptest::num::u8::ANY), 0..12),
            tail in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            protocol in 0u8..2,
        ) {
            let mut bytes = sample(2 + 2 * protocol).to_vec();
            bytes.truncate(cut.max(2));
            bytes.extend(tail);
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            if let Ok(pickle) = Pickle::read(&bytes, &[ORDERED]) {
                proptest::prop_assert!(pickle.values.len() <= bytes.len());
            }
        }
    }
}
