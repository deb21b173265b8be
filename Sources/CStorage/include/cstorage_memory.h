// Memory in large pieces, for arenas.
#ifndef CSTORAGE_MEMORY_H
#define CSTORAGE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

// Zeroed memory aligned to its size, a power of two; from huge pages where the system has them to give: one page fault
// for two mebibytes, and one entry of the processor's page table cache. Allocation failure aborts, as everywhere in Swift.
void *_Nonnull cstorage_map_chunk(size_t byte_count);
// Brings the pages of a chunk that nobody uses yet in place.
void cstorage_prefault_chunk(void *_Nonnull chunk, size_t byte_count);
void cstorage_unmap_chunk(void *_Nonnull chunk, size_t byte_count);

#endif
