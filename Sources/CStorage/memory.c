// Memory in large pieces, straight from the system.
#define _GNU_SOURCE
#include "cstorage_memory.h"

#include <stdlib.h>
#include <sys/mman.h>

void *cstorage_map_chunk(size_t byte_count) {
    // Twice as much, so that an aligned piece of the wanted size lies somewhere in it; the rest goes back.
    size_t total = byte_count * 2;
    char *mapped = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) abort();
    size_t before = (byte_count - (uintptr_t)mapped % byte_count) % byte_count;
    char *chunk = mapped + before;
    if (before > 0) munmap(mapped, before);
    munmap(chunk + byte_count, total - before - byte_count);
#if defined(MADV_HUGEPAGE)
    madvise(chunk, byte_count, MADV_HUGEPAGE);
#endif
    return chunk;
}

void cstorage_prefault_chunk(void *chunk, size_t byte_count) {
    for (size_t offset = 0; offset < byte_count; offset += 4096) *(volatile char *)((char *)chunk + offset) = 0;
}

void cstorage_unmap_chunk(void *chunk, size_t byte_count) { munmap(chunk, byte_count); }
