// Threads, a condition lock and atomic pointers in raw memory, for the storage's background work and its memtables.
#ifndef CSTORAGE_THREADS_H
#define CSTORAGE_THREADS_H

#include <stdbool.h>
#include <stdint.h>

// A mutex with one condition. Never null: allocation failure aborts, as it does everywhere in Swift.
typedef struct cstorage_condition cstorage_condition;
cstorage_condition *_Nonnull cstorage_condition_create(void);
void cstorage_condition_destroy(cstorage_condition *_Nonnull condition);
void cstorage_condition_lock(cstorage_condition *_Nonnull condition);
void cstorage_condition_unlock(cstorage_condition *_Nonnull condition);
void cstorage_condition_wait(cstorage_condition *_Nonnull condition);
// Waits at most `nanoseconds`; false when the time ran out.
bool cstorage_condition_wait_for(cstorage_condition *_Nonnull condition, uint64_t nanoseconds);
void cstorage_condition_signal_all(cstorage_condition *_Nonnull condition);

// A word that threads sleep on: they wait while it has the value they saw, and who changes it wakes them. Sleeping and
// waking take one system call each and no lock that those who wake would fight for.
typedef struct cstorage_event cstorage_event;
cstorage_event *_Nonnull cstorage_event_create(void);
void cstorage_event_destroy(cstorage_event *_Nonnull event);
uint32_t cstorage_event_load(const cstorage_event *_Nonnull event);
// Returns at once if the word is not `seen`, otherwise after it changed; may return early.
void cstorage_event_wait(cstorage_event *_Nonnull event, uint32_t seen);
// The same for `nanoseconds` at most.
void cstorage_event_wait_for(cstorage_event *_Nonnull event, uint32_t seen, uint64_t nanoseconds);
// Changes the word and wakes all.
void cstorage_event_advance(cstorage_event *_Nonnull event);

// Starts a detached thread with a name (15 characters kept on Linux) that runs `body(context)`; false if it could not.
bool cstorage_thread_start(const char *_Nonnull name, void (*_Nonnull body)(void *_Nonnull), void *_Nonnull context);

// Where there are fewer processors than threads that want to run, the calling thread gets a tenth of what others get.
void cstorage_thread_let_others_go_first(void);

// A number that tells the calling thread from every other living one; never zero.
uintptr_t cstorage_thread_identity(void);

// Naturally aligned pointers inside raw memory.
static inline void *_Nullable cstorage_load_acquire_pointer(const void *_Nonnull address) {
    return __atomic_load_n((void *const *)address, __ATOMIC_ACQUIRE);
}
static inline void *_Nullable cstorage_load_relaxed_pointer(const void *_Nonnull address) {
    return __atomic_load_n((void *const *)address, __ATOMIC_RELAXED);
}
static inline void cstorage_store_release_pointer(void *_Nonnull address, void *_Nullable value) {
    __atomic_store_n((void **)address, value, __ATOMIC_RELEASE);
}
static inline void cstorage_store_relaxed_pointer(void *_Nonnull address, void *_Nullable value) {
    __atomic_store_n((void **)address, value, __ATOMIC_RELAXED);
}

// Naturally aligned words inside raw memory: links of the memtable's trie, tag bits and all.
static inline uintptr_t cstorage_load_acquire_word(const void *_Nonnull address) {
    return __atomic_load_n((const uintptr_t *)address, __ATOMIC_ACQUIRE);
}
static inline void cstorage_store_release_word(void *_Nonnull address, uintptr_t value) {
    __atomic_store_n((uintptr_t *)address, value, __ATOMIC_RELEASE);
}
static inline uint64_t cstorage_load_relaxed_64(const void *_Nonnull address) {
    return __atomic_load_n((const uint64_t *)address, __ATOMIC_RELAXED);
}
static inline void cstorage_store_relaxed_64(void *_Nonnull address, uint64_t value) {
    __atomic_store_n((uint64_t *)address, value, __ATOMIC_RELAXED);
}
static inline uint8_t cstorage_load_acquire_8(const void *_Nonnull address) {
    return __atomic_load_n((const uint8_t *)address, __ATOMIC_ACQUIRE);
}
static inline void cstorage_store_release_8(void *_Nonnull address, uint8_t value) {
    __atomic_store_n((uint8_t *)address, value, __ATOMIC_RELEASE);
}

// A hint that the caller is spinning.
static inline void cstorage_spin_hint(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
