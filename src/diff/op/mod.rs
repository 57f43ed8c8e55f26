//! The primitives, one idea a file.

pub mod attention;
pub mod combine;
pub mod embed;
pub mod gelu;
pub mod head;
pub mod head_rotary;
pub mod linear;
pub mod position;
pub mod relu2;
pub mod rms_norm;
pub mod scaled_norm;
pub mod smear;
pub mod swiglu;
pub mod value_gate;

#[cfg(test)]
mod check;
