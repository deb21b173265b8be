// SQLite, and the few things of it that Swift can't say: a file with an object behind it, variadic calls, casts.
#ifndef CSQLITE_SHIM_H
#define CSQLITE_SHIM_H

#include <sqlite3.h>
#include <time.h>

// A file as a VFS of the storage opens it: SQLite's part first, then the object that does the work.
typedef struct csqlite_file {
    sqlite3_file base;
    void *object;
} csqlite_file;

// Binds a copy of the bytes; no bytes are an empty blob, not NULL.
static inline int csqlite_bind_copy(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return count == 0 ? sqlite3_bind_zeroblob(statement, index, 0)
                      : sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// Binds bytes that stay where they are until the statement is reset.
static inline int csqlite_bind_borrowed(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return count == 0 ? sqlite3_bind_zeroblob(statement, index, 0)
                      : sqlite3_bind_blob(statement, index, bytes, count, SQLITE_STATIC);
}

static inline int csqlite_bind_text_copy(sqlite3_stmt *statement, int index, const void *text, int count) {
    return sqlite3_bind_text(statement, index, count == 0 ? "" : (const char *)text, count, SQLITE_TRANSIENT);
}

// The last connection to close leaves the log as it is instead of copying it into the database.
static inline int csqlite_keep_log_on_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

static inline void csqlite_sleep(int microseconds) {
    struct timespec time = {microseconds / 1000000, (long)(microseconds % 1000000) * 1000};
    nanosleep(&time, NULL);
}

#endif
