// Counts the allocations of a thread. The program that links this has malloc and its relatives replaced by ones that count
// and go on to glibc's; elsewhere nothing is counted.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdbool.h>
#include <stdint.h>

bool callocations_is_counting(void);

// The allocations of the calling thread so far.
uint64_t callocations_count(void);

#endif
