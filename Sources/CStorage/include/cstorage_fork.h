// Whether this process is a fork of the one that asked before.
#ifndef CSTORAGE_FORK_H
#define CSTORAGE_FORK_H

#include <stdint.h>

// A number that grows in a process with every fork that led to it; as cheap as reading a variable after the first call.
uint32_t cstorage_fork_generation(void);

#endif
