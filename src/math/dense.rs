//! Small dense algebra through faer.
