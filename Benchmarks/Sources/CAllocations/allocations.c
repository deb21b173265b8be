#include "allocations.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__linux__) && defined(__GLIBC__)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *bytes, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// In the program itself, so that reading it allocates nothing.
static __thread uint64_t count;

void *malloc(size_t size) {
    count++;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count++;
    return __libc_calloc(number, size);
}

void *realloc(void *bytes, size_t size) {
    count++;
    return __libc_realloc(bytes, size);
}

void *memalign(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count++;
    void *bytes = __libc_memalign(alignment, size);
    if (bytes == NULL) return ENOMEM;
    *result = bytes;
    return 0;
}

bool callocations_is_counting(void) { return true; }

uint64_t callocations_count(void) { return count; }

#else

bool callocations_is_counting(void) { return false; }

uint64_t callocations_count(void) { return 0; }

#endif
