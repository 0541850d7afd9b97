//! Locks that ignore poisoning.
//!
//! A lock is poisoned when a thread panics while it holds the lock. The engine catches each panic, refuses the batches
//! of the component that panicked, and drains all others. A second panic at a poisoned lock would stop this drain, and
//! with it the acknowledgements of senders that the first panic does not concern. So code that holds one of these locks
//! must leave the value valid wherever it can panic.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks a mutex.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The value of a mutex that no other thread can lock.
pub fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the value out of a mutex.
pub fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for reading.
pub fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for writing.
pub fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::lock;

    #[test]
    fn a_lock_works_after_a_panic_of_its_holder() {
        let count = Mutex::new(1);
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _held = lock(&count);
                panic!("on purpose");
            });
            holder.join().unwrap_err();
        });
        *lock(&count) += 1;
        assert_eq!(*lock(&count), 2);
    }
}
