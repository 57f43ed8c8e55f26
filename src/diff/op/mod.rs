//! The primitives, one idea a file.

pub mod attention;
pub mod combine;
pub mod embed;
pub mod head;
pub mod head_rotary;
pub mod linear;
pub mod relu2;
pub mod rms_norm;
pub mod smear;
pub mod value_gate;

#[cfg(test)]
mod check;
