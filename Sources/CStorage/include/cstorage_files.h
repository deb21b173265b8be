// The file calls: one shape for all of them, so that Swift needs neither variadic functions nor errno.
//
// Every function returns a result of zero or more, or the negated errno. Interrupted calls (EINTR) are retried.
#ifndef CSTORAGE_FILES_H
#define CSTORAGE_FILES_H

#include <stdbool.h>
#include <stdint.h>

// How cstorage_open opens. Do not renumber: Swift passes the numbers.
enum {
    CSTORAGE_OPEN_READ = 0,                // must exist
    CSTORAGE_OPEN_READ_WRITE = 1,          // must exist
    CSTORAGE_OPEN_CREATE = 2,              // must not exist
    CSTORAGE_OPEN_CREATE_OR_TRUNCATE = 3,  // empty afterwards
    CSTORAGE_OPEN_LOCK_FILE = 4,           // created if missing, its content left alone
};

// A descriptor that is closed on exec.
int32_t cstorage_open(const char *_Nonnull path, int32_t mode);
int32_t cstorage_close(int32_t descriptor);
// One call: may transfer fewer bytes than asked for.
int64_t cstorage_read(int32_t descriptor, void *_Nullable bytes, int64_t count, int64_t offset);
int64_t cstorage_write(int32_t descriptor, const void *_Nullable bytes, int64_t count, int64_t offset);
int64_t cstorage_byte_count(int32_t descriptor);
int32_t cstorage_truncate(int32_t descriptor, int64_t count);
// Reserves blocks without changing the file's length; does nothing where the file system can't.
int32_t cstorage_allocate(int32_t descriptor, int64_t count);
// Asks the system to begin writing a range of dirty pages; a hint.
void cstorage_start_write_back(int32_t descriptor, int64_t offset, int64_t count);
// Tells the system that a range will be read soon; a hint.
void cstorage_will_read(int32_t descriptor, int64_t offset, int64_t count);
// The file's bytes and length to stable storage: fdatasync, or F_FULLFSYNC on Darwin.
int32_t cstorage_sync(int32_t descriptor);
// Whether stores through a mapping of the file are known to dirty no more than writes do: 1 for file systems on which that
// was measured (Linux ext4), 2 where mappings work as well (Linux XFS, memory), 0 elsewhere.
int32_t cstorage_mapping_rank(int32_t descriptor);
// The file's first bytes in memory, for reading and writing, or NULL with *error set to an errno.
void *_Nullable cstorage_map_file(int32_t descriptor, int64_t count, int32_t *_Nonnull error);
void cstorage_unmap_file(void *_Nonnull bytes, int64_t count);
// Brings pages of a mapping in place, for writing or reading; a negated errno where the system can't, or the device fails.
int32_t cstorage_populate(void *_Nonnull bytes, int64_t count, bool for_writing);
// Takes pages of a mapping out of the process's view; the file keeps what was stored.
void cstorage_detach(void *_Nonnull bytes, int64_t count);
// An exclusive lock of the open file description; -EWOULDBLOCK if someone else holds it.
int32_t cstorage_lock(int32_t descriptor);
// The device and inode numbers that tell one file from another.
int32_t cstorage_identity(int32_t descriptor, uint64_t *_Nonnull device, uint64_t *_Nonnull inode);

// 1 if something has this name, 0 if not.
int32_t cstorage_exists(const char *_Nonnull path);
// 1 if a directory has this name, 0 if not.
int32_t cstorage_is_directory(const char *_Nonnull path);
int32_t cstorage_make_directory(const char *_Nonnull path);
int32_t cstorage_remove(const char *_Nonnull path);
int32_t cstorage_remove_directory(const char *_Nonnull path);
int32_t cstorage_rename(const char *_Nonnull from, const char *_Nonnull to);
int32_t cstorage_link(const char *_Nonnull from, const char *_Nonnull to);
// Sets `is_opened` to whether the directory could be opened; if not, nothing was synced.
int32_t cstorage_sync_directory(const char *_Nonnull path, int32_t *_Nonnull is_opened);
// The absolute path of an existing file, without symbolic links; its length, which is below `capacity`.
int32_t cstorage_resolve(const char *_Nonnull path, char *_Nonnull result, int32_t capacity);
// What an unprivileged process may still write.
int64_t cstorage_free_byte_count(const char *_Nonnull path);

// An open directory stream, or NULL with *error set to an errno.
void *_Nullable cstorage_open_directory(const char *_Nonnull path, int32_t *_Nonnull error);
// The next name, valid until the next call; NULL at the end (*error 0) or on failure.
const char *_Nullable cstorage_next_name(void *_Nonnull directory, int32_t *_Nonnull error);
void cstorage_close_directory(void *_Nonnull directory);

#endif
