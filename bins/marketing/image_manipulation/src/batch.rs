//! Many images in parallel, under a cap on memory.

use std::sync::{Condvar, Mutex, PoisonError};

/// Memory that may be in use, in bytes. Whoever wants more than there is waits.
pub struct MemoryCap {
    free: Mutex<u64>,
    total: u64,
    returned: Condvar,
}

impl MemoryCap {
    /// A cap of `total` bytes.
    pub fn new(total: u64) -> Self {
        Self {
            free: Mutex::new(total),
            total,
            returned: Condvar::new(),
        }
    }

    /// Runs `work` once `bytes` are free. A single piece of work larger than the whole cap runs alone.
    pub fn run<T>(&self, bytes: u64, work: impl FnOnce() -> T) -> T {
        let share = bytes.min(self.total);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free < share {
            free = self.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= share;
        drop(free);
        let _share = Share {
            cap: self,
            bytes: share,
        };
        work()
    }
}

/// Given back when dropped, also when the work panics.
struct Share<'a> {
    cap: &'a MemoryCap,
    bytes: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.cap.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.cap.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn the_cap_is_never_passed() {
        let cap = MemoryCap::new(100);
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for index in 0..16u64 {
                let (cap, used, most) = (&cap, &used, &most);
                scope.spawn(move || {
                    let bytes = 20 + index * 8;
                    cap.run(bytes, || {
                        let now = used.fetch_add(bytes.min(100), Ordering::SeqCst) + bytes.min(100);
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        used.fetch_sub(bytes.min(100), Ordering::SeqCst);
                    });
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 100);
    }
}
