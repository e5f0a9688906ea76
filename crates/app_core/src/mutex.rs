//! Locking that outlives a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A panic elsewhere must not hide what was recorded so far.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
