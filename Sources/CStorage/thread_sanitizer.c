// Tells the thread sanitizer about a contended Synchronization.Mutex. The mutex waits and wakes inside the standard
// library, which is not instrumented, so each handover between threads that had to wait would be reported as a data
// race. These two functions stand before the library's own and add what the sanitizer cannot see. Without the sanitizer
// this file is empty.
#define _GNU_SOURCE
#if defined(__has_feature) && defined(__linux__)
#if __has_feature(thread_sanitizer)
#include <dlfcn.h>
#include <stdint.h>

// Synchronization._MutexHandle._lockSlow(_: UInt32) and _unlockSlow().
#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *handle

void __tsan_acquire(void *);
void __tsan_release(void *);

static SWIFT void (*lock_slow)(uint32_t, SELF);
static SWIFT void (*unlock_slow)(SELF);

__attribute__((constructor)) static void find_originals(void) {
    *(void **)&lock_slow = dlsym(RTLD_NEXT, LOCK_SLOW);
    *(void **)&unlock_slow = dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

SWIFT void cstorage_lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
SWIFT void cstorage_unlock_slow(SELF) __asm__(UNLOCK_SLOW);

SWIFT void cstorage_lock_slow(uint32_t thread, SELF) {
    lock_slow(thread, handle);
    __tsan_acquire(handle);
}

SWIFT void cstorage_unlock_slow(SELF) {
    __tsan_release(handle);
    unlock_slow(handle);
}
#endif
#endif
