//! Floats that survive JSON: JSON has no infinity and no NaN, so they are written as the strings `"inf"`, `"-inf"` and
//! `"NaN"`. For use as `#[serde(with = "…")]` on the fields of events.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One float as it stands in a session.
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            x if x.is_finite() => serializer.serialize_f64(x),
            x if x.is_nan() => serializer.serialize_str("NaN"),
            x if x > 0.0 => serializer.serialize_str("inf"),
            _ => serializer.serialize_str("-inf"),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a number, \"inf\", \"-inf\" or \"NaN\"")
            }

            fn visit_f64<E: de::Error>(self, x: f64) -> Result<Number, E> {
                Ok(Number(x))
            }

            fn visit_i64<E: de::Error>(self, x: i64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }

            fn visit_u64<E: de::Error>(self, x: u64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "inf" => Ok(Number(f64::INFINITY)),
                    "-inf" => Ok(Number(f64::NEG_INFINITY)),
                    "NaN" => Ok(Number(f64::NAN)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// For a field of type `f64`.
pub mod one {
    use super::*;

    /// Write it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        Number(*x).serialize(serializer)
    }

    /// Read it.
    ///
    /// # Errors
    /// Anything but a number or one of the three strings.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Number::deserialize(deserializer).map(|n| n.0)
    }
}

/// For a field of type `Option<f64>`; `null` is `None`.
pub mod maybe {
    use super::*;

    /// Write it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(x: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        x.map(Number).serialize(serializer)
    }

    /// Read it.
    ///
    /// # Errors
    /// Anything but null, a number or one of the three strings.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
        Ok(Option::<Number>::deserialize(deserializer)?.map(|n| n.0))
    }
}

/// For a field of type `Vec<f64>`.
pub mod many {
    use super::*;

    /// Write it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().copied().map(Number))
    }

    /// Read it.
    ///
    /// # Errors
    /// Anything but a list of numbers and the three strings.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<Number>::deserialize(deserializer)?.into_iter().map(|n| n.0).collect())
    }
}

/// For a field of type `Vec<Option<f64>>`; `null` is `None`.
pub mod many_maybe {
    use super::*;

    /// Write it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(values: &[Option<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|x| x.map(Number)))
    }

    /// Read it.
    ///
    /// # Errors
    /// Anything but a list of nulls, numbers and the three strings.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Option<f64>>, D::Error> {
        Ok(Vec::<Option<Number>>::deserialize(deserializer)?.into_iter().map(|x| x.map(|n| n.0)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    struct All {
        #[serde(with = "one")]
        one: f64,
        #[serde(with = "maybe")]
        maybe: Option<f64>,
        #[serde(with = "many")]
        many: Vec<f64>,
        #[serde(with = "many_maybe")]
        many_maybe: Vec<Option<f64>>,
    }

    #[test]
    fn every_float_comes_back_bit_for_bit() {
        for x in [0.0, -0.0, 1.0, 0.1, -1e-310, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]
        {
            let all = All { one: x, maybe: Some(x), many: vec![x, 2.0], many_maybe: vec![None, Some(x)] };
            let back: All = serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
            assert_eq!(back.one.to_bits(), x.to_bits());
            assert_eq!(back.maybe.unwrap().to_bits(), x.to_bits());
            assert_eq!(back.many[0].to_bits(), x.to_bits());
            assert!(back.many_maybe[0].is_none() && back.many_maybe[1].unwrap().to_bits() == x.to_bits());
        }
    }

    #[test]
    fn other_strings_are_refused() {
        let text = r#"{"one": "huge", "maybe": null, "many": [], "many_maybe": []}"#;
        let message = serde_json::from_str::<All>(text).unwrap_err().to_string();
        assert!(message.contains("\"huge\"") && message.contains("NaN"), "{message}");
    }
}
