//! Python pickles, read as plain data.
//!
//! A pickle is a program for a small stack machine (protocols 2 to 5; the instructions are those of Python's
//! `pickletools`). Here its values are built and nothing else: what it would call is noted and never called, and a name
//! that the caller does not expect is refused before anything is built from it. Values lie in one table and refer to
//! each other by index, and bytes and texts are slices of the input, so the memory taken is at most a fixed multiple of
//! the input's length, whatever the pickle says, and neither depth nor cycles can overflow a stack.

mod machine;

use self::machine::{Machine, PROTO};

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
        let (values, root) = Machine::new(bytes, expected).run()?;
        Ok(Pickle { values, root })
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
