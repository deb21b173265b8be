// The file calls of cstorage_files.h; what differs between systems differs here.
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "cstorage_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif
#include <unistd.h>

// The value of an expression that is -1 and errno on failure, tried again while a signal interrupts it.
#define RETRYING(result, call) \
    do {                       \
        (result) = (call);     \
    } while ((result) == -1 && errno == EINTR)

static int32_t outcome(int result) { return result == -1 ? -errno : result; }

int32_t cstorage_open(const char *path, int32_t mode) {
    static const int flags[] = {
        [CSTORAGE_OPEN_READ] = O_RDONLY,
        [CSTORAGE_OPEN_READ_WRITE] = O_RDWR,
        [CSTORAGE_OPEN_CREATE] = O_RDWR | O_CREAT | O_EXCL,
        [CSTORAGE_OPEN_CREATE_OR_TRUNCATE] = O_RDWR | O_CREAT | O_TRUNC,
        [CSTORAGE_OPEN_LOCK_FILE] = O_RDWR | O_CREAT,
    };
    if (mode < 0 || mode > CSTORAGE_OPEN_LOCK_FILE) return -EINVAL;
    int result;
    RETRYING(result, open(path, flags[mode] | O_CLOEXEC, 0644));
    if (result == -1 || mode != CSTORAGE_OPEN_READ) return outcome(result);
    // Opening a directory for writing is refused by the system, for reading it is not.
    struct stat status;
    if (fstat(result, &status) == 0 && !S_ISDIR(status.st_mode)) return result;
    close(result);
    return -EISDIR;
}

// Not retried: the descriptor is gone even when close is interrupted, and another thread may already own its number.
int32_t cstorage_close(int32_t descriptor) {
    int result = close(descriptor);
    return result == -1 && errno == EINTR ? 0 : outcome(result);
}

// Larger transfers are refused on Darwin and cut short on Linux anyway.
static size_t transfer(int64_t count) { return count > INT_MAX - 4095 ? INT_MAX - 4095 : (size_t)count; }

int64_t cstorage_read(int32_t descriptor, void *bytes, int64_t count, int64_t offset) {
    ssize_t result;
    RETRYING(result, pread(descriptor, bytes, transfer(count), offset));
    return result == -1 ? -errno : result;
}

int64_t cstorage_write(int32_t descriptor, const void *bytes, int64_t count, int64_t offset) {
    ssize_t result;
    RETRYING(result, pwrite(descriptor, bytes, transfer(count), offset));
    return result == -1 ? -errno : result;
}

int64_t cstorage_byte_count(int32_t descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == -1 ? -errno : status.st_size;
}

int32_t cstorage_truncate(int32_t descriptor, int64_t count) {
    int result;
    RETRYING(result, ftruncate(descriptor, count));
    return outcome(result);
}

int32_t cstorage_allocate(int32_t descriptor, int64_t count) {
    if (count <= 0) return 0;
    int result;
#if defined(__APPLE__)
    struct stat status;
    if (fstat(descriptor, &status) == -1) return -errno;
    // F_PREALLOCATE counts from the end of what is allocated.
    int64_t missing = count - (int64_t)status.st_blocks * 512;
    if (missing <= 0) return 0;
    fstore_t store = {.fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE, .fst_offset = 0, .fst_length = missing};
    RETRYING(result, fcntl(descriptor, F_PREALLOCATE, &store));
#elif defined(__linux__)
    RETRYING(result, fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, count));
#else
    result = 0;
#endif
    if (result == -1 && (errno == EOPNOTSUPP || errno == ENOTSUP || errno == ENOSYS)) return 0;
    return outcome(result);
}

void cstorage_start_write_back(int32_t descriptor, int64_t offset, int64_t count) {
#if defined(__linux__)
    (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)count;
#endif
}

void cstorage_will_read(int32_t descriptor, int64_t offset, int64_t count) {
#if defined(__linux__)
    (void)posix_fadvise(descriptor, offset, count, POSIX_FADV_WILLNEED);
#else
    (void)descriptor, (void)offset, (void)count;
#endif
}

int32_t cstorage_sync(int32_t descriptor) {
    int result;
#if defined(__APPLE__)
    // fsync on Darwin stops at the drive's cache. File systems without F_FULLFSYNC (network shares) refuse it.
    RETRYING(result, fcntl(descriptor, F_FULLFSYNC));
    if (result == -1 && (errno == ENOTSUP || errno == EOPNOTSUPP || errno == EINVAL)) RETRYING(result, fsync(descriptor));
#else
    RETRYING(result, fdatasync(descriptor));
#endif
    return result == -1 ? -errno : 0;
}

int32_t cstorage_mapping_rank(int32_t descriptor) {
#if defined(__linux__)
    struct statfs status;
    int result;
    RETRYING(result, fstatfs(descriptor, &status));
    if (result == -1) return 0;
    switch ((uint32_t)status.f_type) {
        case 0xEF53u: return 1;      // ext4
        case 0x58465342u: return 2;  // XFS
        case 0x01021994u: return 2;  // tmpfs
        default: return 0;
    }
#else
    (void)descriptor;
    return 0;
#endif
}

void *cstorage_map_file(int32_t descriptor, int64_t count, int32_t *error) {
    void *bytes = mmap(NULL, (size_t)count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    *error = bytes == MAP_FAILED ? errno : 0;
    if (bytes == MAP_FAILED) return NULL;
    // Without this, reading ahead brings in large folios, and a store dirties all of one.
    (void)madvise(bytes, (size_t)count, MADV_RANDOM);
    return bytes;
}

void cstorage_unmap_file(void *bytes, int64_t count) { (void)munmap(bytes, (size_t)count); }

int32_t cstorage_populate(void *bytes, int64_t count, bool for_writing) {
#if defined(__linux__)
    // Their numbers (Linux 5.14), since older C libraries don't name them.
    const int populate_read = 22, populate_write = 23;
    int result;
    RETRYING(result, madvise(bytes, (size_t)count, for_writing ? populate_write : populate_read));
    return result == -1 ? -errno : 0;
#else
    (void)bytes, (void)count, (void)for_writing;
    return -ENOTSUP;
#endif
}

void cstorage_detach(void *bytes, int64_t count) { (void)madvise(bytes, (size_t)count, MADV_DONTNEED); }

int32_t cstorage_lock(int32_t descriptor) {
    int result;
#if defined(__linux__) && defined(F_OFD_SETLK)
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    RETRYING(result, fcntl(descriptor, F_OFD_SETLK, &lock));
    if (result == -1 && errno == EACCES) errno = EWOULDBLOCK;
#else
    RETRYING(result, flock(descriptor, LOCK_EX | LOCK_NB));
#endif
    return result == -1 ? -errno : 0;
}

int32_t cstorage_identity(int32_t descriptor, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (fstat(descriptor, &status) == -1) return -errno;
    *device = (uint64_t)status.st_dev;
    *inode = (uint64_t)status.st_ino;
    return 0;
}

int32_t cstorage_exists(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0) return 1;
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int32_t cstorage_is_directory(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0) return S_ISDIR(status.st_mode) ? 1 : 0;
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
}

int32_t cstorage_make_directory(const char *path) { return outcome(mkdir(path, 0755)); }
int32_t cstorage_remove(const char *path) { return outcome(unlink(path)); }
int32_t cstorage_remove_directory(const char *path) { return outcome(rmdir(path)); }
int32_t cstorage_rename(const char *from, const char *to) { return outcome(rename(from, to)); }
int32_t cstorage_link(const char *from, const char *to) { return outcome(link(from, to)); }

int32_t cstorage_sync_directory(const char *path, int32_t *is_opened) {
    int descriptor, result;
    RETRYING(descriptor, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    *is_opened = descriptor != -1;
    if (descriptor == -1) return -errno;
    RETRYING(result, fsync(descriptor));
    int32_t failure = result == -1 ? -errno : 0;
    close(descriptor);
    // Some file systems (network shares) keep directories in order themselves and refuse the call.
    return failure == -EINVAL || failure == -ENOTSUP ? 0 : failure;
}

int32_t cstorage_resolve(const char *path, char *result, int32_t capacity) {
    char *resolved = realpath(path, NULL);
    if (!resolved) return -errno;
    size_t count = strlen(resolved);
    int32_t outcome = -ENAMETOOLONG;
    if (capacity > 0 && count < (size_t)capacity) {
        memcpy(result, resolved, count + 1);
        outcome = (int32_t)count;
    }
    free(resolved);
    return outcome;
}

int64_t cstorage_free_byte_count(const char *path) {
    struct statvfs status;
    int result;
    RETRYING(result, statvfs(path, &status));
    if (result == -1) return -errno;
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)status.f_bavail, (uint64_t)status.f_frsize, &bytes)) return INT64_MAX;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

void *cstorage_open_directory(const char *path, int32_t *error) {
    DIR *directory = opendir(path);
    *error = directory ? 0 : errno;
    return directory;
}

const char *cstorage_next_name(void *directory, int32_t *error) {
    errno = 0;
    struct dirent *entry = readdir(directory);
    *error = entry ? 0 : errno;
    return entry ? entry->d_name : NULL;
}

void cstorage_close_directory(void *directory) { closedir(directory); }
