// The calls that Swift can't make, or can't make fast: checksums, atomics in raw memory, byte comparison, clocks.
#ifndef CSTORAGE_H
#define CSTORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cstorage_fork.h"
#include "cstorage_math.h"
#include "cstorage_memory.h"
#include "cstorage_threads.h"

// Byte comparison in memcmp order; a count of zero compares equal whatever the pointers are.
static inline int cstorage_compare(const void *_Nullable left, const void *_Nullable right, size_t count) {
    return count == 0 ? 0 : memcmp(left, right, count);
}

// How many of the first `count` bytes are the same on both sides, from the start on.
static inline size_t cstorage_common_prefix(const void *_Nullable left, const void *_Nullable right, size_t count) {
    const uint8_t *a = (const uint8_t *)left, *b = (const uint8_t *)right;
    size_t index = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; index + 8 <= count; index += 8) {
        uint64_t x, y;
        memcpy(&x, a + index, 8);
        memcpy(&y, b + index, 8);
        if (x != y) return index + (size_t)(__builtin_ctzll(x ^ y) >> 3);
    }
#endif
    while (index < count && a[index] == b[index]) index++;
    return index;
}

// Wall-clock microseconds since 1970-01-01 UTC.
static inline int64_t cstorage_wall_clock_microseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

// Nanoseconds that never run backwards.
static inline uint64_t cstorage_monotonic_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Asks for a cache line before it is needed; any address will do.
static inline void cstorage_prefetch(const void *_Nullable address) { __builtin_prefetch(address); }

// Asks for the cache lines of a range that is about to be written. Where nothing is mapped, nothing happens.
static inline void cstorage_prefetch_for_stores(const void *_Nullable address, size_t count) {
    const char *line = (const char *)address;
    for (size_t offset = 0; offset < count; offset += 64) __builtin_prefetch(line + offset, 1);
}

// Loads and stores of naturally aligned words inside raw memory (arena nodes), with acquire and release order.
static inline uint32_t cstorage_load_acquire_32(const void *_Nonnull address) {
    return __atomic_load_n((const uint32_t *)address, __ATOMIC_ACQUIRE);
}
static inline uint32_t cstorage_load_relaxed_32(const void *_Nonnull address) {
    return __atomic_load_n((const uint32_t *)address, __ATOMIC_RELAXED);
}
static inline void cstorage_store_release_32(void *_Nonnull address, uint32_t value) {
    __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELEASE);
}
static inline void cstorage_store_relaxed_32(void *_Nonnull address, uint32_t value) {
    __atomic_store_n((uint32_t *)address, value, __ATOMIC_RELAXED);
}

// Whether a file descriptor is a terminal.
static inline bool cstorage_is_terminal(int descriptor) { return isatty(descriptor) == 1; }
// Writes out what standard output has gathered.
static inline void cstorage_flush_output(void) { fflush(stdout); }

// CRC-32C (Castagnoli) of `count` bytes, continuing from `seed`: with SSE4.2 or the ARMv8 CRC instructions where the
// processor has them, from a table otherwise. `cstorage_crc32c(0, "123456789", 9) == 0xE3069283`.
uint32_t cstorage_crc32c(uint32_t seed, const void *_Nullable bytes, size_t count);
// The table form, for comparison in tests.
uint32_t cstorage_crc32c_portable(uint32_t seed, const void *_Nullable bytes, size_t count);

#endif
