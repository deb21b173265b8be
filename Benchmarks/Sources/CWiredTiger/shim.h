// Plain functions over WiredTiger's methods, some of which take variable arguments, which Swift can't call.

#include <string.h>
#include <wiredtiger.h>

static inline int wtpeer_open_session(WT_CONNECTION *connection, WT_SESSION **session) {
    return connection->open_session(connection, NULL, NULL, session);
}
static inline int wtpeer_close_connection(WT_CONNECTION *connection) { return connection->close(connection, NULL); }

static inline int wtpeer_create(WT_SESSION *session, const char *name, const char *config) {
    return session->create(session, name, config);
}
static inline int wtpeer_open_cursor(WT_SESSION *session, const char *name, WT_CURSOR **cursor) {
    return session->open_cursor(session, name, NULL, NULL, cursor);
}
static inline int wtpeer_begin(WT_SESSION *session) { return session->begin_transaction(session, NULL); }
static inline int wtpeer_commit(WT_SESSION *session) { return session->commit_transaction(session, NULL); }
static inline int wtpeer_rollback(WT_SESSION *session) { return session->rollback_transaction(session, NULL); }
static inline int wtpeer_checkpoint(WT_SESSION *session) { return session->checkpoint(session, NULL); }
static inline int wtpeer_compact(WT_SESSION *session, const char *name) {
    return session->compact(session, name, NULL);
}
static inline int wtpeer_close_session(WT_SESSION *session) { return session->close(session, NULL); }

static inline void wtpeer_set_key(WT_CURSOR *cursor, const void *bytes, size_t count) {
    WT_ITEM item;
    memset(&item, 0, sizeof item);
    item.data = bytes;
    item.size = count;
    cursor->set_key(cursor, &item);
}
static inline void wtpeer_set_value(WT_CURSOR *cursor, const void *bytes, size_t count) {
    WT_ITEM item;
    memset(&item, 0, sizeof item);
    item.data = bytes;
    item.size = count;
    cursor->set_value(cursor, &item);
}
static inline int wtpeer_key(WT_CURSOR *cursor, const void **bytes, size_t *count) {
    WT_ITEM item;
    int code = cursor->get_key(cursor, &item);
    if (code == 0) {
        *bytes = item.data;
        *count = item.size;
    }
    return code;
}
static inline int wtpeer_value(WT_CURSOR *cursor, const void **bytes, size_t *count) {
    WT_ITEM item;
    int code = cursor->get_value(cursor, &item);
    if (code == 0) {
        *bytes = item.data;
        *count = item.size;
    }
    return code;
}
static inline int wtpeer_insert(WT_CURSOR *cursor) { return cursor->insert(cursor); }
static inline int wtpeer_remove(WT_CURSOR *cursor) { return cursor->remove(cursor); }
static inline int wtpeer_search(WT_CURSOR *cursor) { return cursor->search(cursor); }
static inline int wtpeer_search_near(WT_CURSOR *cursor, int *exact) { return cursor->search_near(cursor, exact); }
static inline int wtpeer_next(WT_CURSOR *cursor) { return cursor->next(cursor); }
static inline int wtpeer_previous(WT_CURSOR *cursor) { return cursor->prev(cursor); }
static inline int wtpeer_reset(WT_CURSOR *cursor) { return cursor->reset(cursor); }
