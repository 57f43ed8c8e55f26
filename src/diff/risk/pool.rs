//! Buffers between uses, so that a product allocates nothing once they exist.

use std::sync::{Mutex, PoisonError};

/// Buffers of one kind.
pub(super) struct Pool<B>(Mutex<Vec<B>>);

impl<B> Pool<B> {
    pub(super) fn new() -> Pool<B> {
        Pool(Mutex::new(Vec::new()))
    }

    /// Take a buffer, or make one.
    pub(super) fn take(&self, make: impl FnOnce() -> B) -> B {
        let pooled = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(make)
    }

    pub(super) fn put(&self, buffer: B) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}
