//! eigentop: how the loss landscape around a transformer checkpoint moves when one more training sequence is added,
//! and how much of that movement lives in the few dominant curvature directions.
//!
//! Everything that happens is an [`engine::event::Event`], and everything shown is a fold over events
//! ([`engine::readout::Readout`]). The modules are floors; each imports only from floors below it:
//!
//! | floor | module | is |
//! |---|---|---|
//! | 7 | [`ui`], [`cli`], [`report`] | front ends: dashboard, command line, figures and tables |
//! | 6 | [`session`] | record, store, list, replay |
//! | 5 | [`engine`] | worker thread, knobs, events, readout, the ladder of stages |
//! | 4 | [`criteria`] | increment field, quadratic model, estimators, proxy validity |
//! | 3 | [`spectrum`], [`newton`] | eigensolvers on symmetric operators; Newton's method on smooth functions |
//! | 2 | [`model`], [`data`], [`train`] | nanochat's GPT, GPT-2 and Llama over the tape, checkpoints; tokenizers, sequences, the demo; training |
//! | 1 | [`diff`] | the second-order tape: linearise once, push many directions |
//! | 0 | [`math`], [`mod@file`], [`pickle`], [`error`] | arrays, flat vectors and bases, statistics, seeded streams; whole files, Python pickles; the error type |

pub mod cli;
pub mod criteria;
pub mod data;
pub mod diff;
pub mod engine;
pub mod error;
pub mod file;
pub mod math;
pub mod model;
pub mod newton;
pub mod pickle;
pub mod report;
pub mod session;
pub mod spectrum;
pub mod train;
pub mod ui;
