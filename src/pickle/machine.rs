//! The stack machine that a pickle is a program for: it builds values and calls nothing.

use std::collections::HashMap;

use super::{Id, Value};

/// The instruction that every pickle of these protocols begins with.
pub(super) const PROTO: u8 = 0x80;

/// More bytes than this would let indices overflow.
const TOO_LONG: &str = "too many values";

/// The machine between two instructions.
pub(super) struct Machine<'a, 'e> {
    bytes: &'a [u8],
    at: usize,
    expected: &'e [(&'e str, &'e str)],
    values: Vec<Value<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a, 'e> Machine<'a, 'e> {
    /// At the first instruction of a pickle.
    pub(super) fn new(bytes: &'a [u8], expected: &'e [(&'e str, &'e str)]) -> Machine<'a, 'e> {
        let (values, stack, marks) = (Vec::new(), Vec::new(), Vec::new());
        Machine { bytes, at: 0, expected, values, stack, marks, memo: HashMap::new() }
    }

    /// Carry out all instructions: every value that was built, and which of them the pickle is of.
    ///
    /// # Errors
    /// A message with the byte at fault.
    pub(super) fn run(mut self) -> Result<(Vec<Value<'a>>, Id), String> {
        loop {
            let start = self.at;
            match self.step() {
                Ok(Some(root)) => return Ok((self.values, root)),
                Ok(None) => (),
                Err(what) => return Err(format!("byte {start}: {what}")),
            }
        }
    }

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
