// Threads and conditions over POSIX threads.
#define _GNU_SOURCE
#include "cstorage_threads.h"

#include <errno.h>
#include <limits.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct cstorage_condition {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
};

cstorage_condition *cstorage_condition_create(void) {
    cstorage_condition *condition = malloc(sizeof *condition);
    if (condition == NULL) abort();
    pthread_mutex_init(&condition->mutex, NULL);
#if defined(__APPLE__)
    pthread_cond_init(&condition->condition, NULL);
#else
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&condition->condition, &attributes);
    pthread_condattr_destroy(&attributes);
#endif
    return condition;
}

void cstorage_condition_destroy(cstorage_condition *condition) {
    pthread_cond_destroy(&condition->condition);
    pthread_mutex_destroy(&condition->mutex);
    free(condition);
}

void cstorage_condition_lock(cstorage_condition *condition) { pthread_mutex_lock(&condition->mutex); }
void cstorage_condition_unlock(cstorage_condition *condition) { pthread_mutex_unlock(&condition->mutex); }
void cstorage_condition_wait(cstorage_condition *condition) {
    pthread_cond_wait(&condition->condition, &condition->mutex);
}
void cstorage_condition_signal_all(cstorage_condition *condition) { pthread_cond_broadcast(&condition->condition); }

bool cstorage_condition_wait_for(cstorage_condition *condition, uint64_t nanoseconds) {
    struct timespec deadline;
#if defined(__APPLE__)
    deadline.tv_sec = (time_t)(nanoseconds / 1000000000u);
    deadline.tv_nsec = (long)(nanoseconds % 1000000000u);
    return pthread_cond_timedwait_relative_np(&condition->condition, &condition->mutex, &deadline) != ETIMEDOUT;
#else
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    uint64_t nanos = (uint64_t)deadline.tv_nsec + nanoseconds % 1000000000u;
    deadline.tv_sec += (time_t)(nanoseconds / 1000000000u + nanos / 1000000000u);
    deadline.tv_nsec = (long)(nanos % 1000000000u);
    return pthread_cond_timedwait(&condition->condition, &condition->mutex, &deadline) != ETIMEDOUT;
#endif
}

struct cstorage_event {
    uint32_t word;
#if !defined(__linux__)
    pthread_mutex_t mutex;
    pthread_cond_t condition;
#endif
};

cstorage_event *cstorage_event_create(void) {
    cstorage_event *event = calloc(1, sizeof *event);
    if (event == NULL) abort();
#if !defined(__linux__)
    pthread_mutex_init(&event->mutex, NULL);
    pthread_cond_init(&event->condition, NULL);
#endif
    return event;
}

void cstorage_event_destroy(cstorage_event *event) {
#if !defined(__linux__)
    pthread_cond_destroy(&event->condition);
    pthread_mutex_destroy(&event->mutex);
#endif
    free(event);
}

uint32_t cstorage_event_load(const cstorage_event *event) { return __atomic_load_n(&event->word, __ATOMIC_ACQUIRE); }

#if defined(__linux__)
void cstorage_event_wait(cstorage_event *event, uint32_t seen) {
    syscall(SYS_futex, &event->word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void cstorage_event_wait_for(cstorage_event *event, uint32_t seen, uint64_t nanoseconds) {
    struct timespec duration = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    syscall(SYS_futex, &event->word, FUTEX_WAIT_PRIVATE, seen, &duration, NULL, 0);
}

void cstorage_event_advance(cstorage_event *event) {
    __atomic_fetch_add(&event->word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &event->word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
#else
void cstorage_event_wait(cstorage_event *event, uint32_t seen) {
    pthread_mutex_lock(&event->mutex);
    while (cstorage_event_load(event) == seen) pthread_cond_wait(&event->condition, &event->mutex);
    pthread_mutex_unlock(&event->mutex);
}

void cstorage_event_wait_for(cstorage_event *event, uint32_t seen, uint64_t nanoseconds) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    uint64_t nanos = (uint64_t)deadline.tv_nsec + nanoseconds % 1000000000u;
    deadline.tv_sec += (time_t)(nanoseconds / 1000000000u + nanos / 1000000000u);
    deadline.tv_nsec = (long)(nanos % 1000000000u);
    pthread_mutex_lock(&event->mutex);
    if (cstorage_event_load(event) == seen) pthread_cond_timedwait(&event->condition, &event->mutex, &deadline);
    pthread_mutex_unlock(&event->mutex);
}

void cstorage_event_advance(cstorage_event *event) {
    pthread_mutex_lock(&event->mutex);
    __atomic_fetch_add(&event->word, 1, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&event->condition);
    pthread_mutex_unlock(&event->mutex);
}
#endif

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
#if defined(__APPLE__)
    pthread_setname_np(start.name);
#elif defined(__linux__)
    pthread_setname_np(pthread_self(), start.name);
#endif
    start.body(start.context);
    return NULL;
}

bool cstorage_thread_start(const char *name, void (*body)(void *), void *context) {
    struct start *start = malloc(sizeof *start);
    if (start == NULL) return false;
    start->body = body;
    start->context = context;
    strncpy(start->name, name, sizeof start->name - 1);
    start->name[sizeof start->name - 1] = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    pthread_t thread;
    int result = pthread_create(&thread, &attributes, run, start);
    pthread_attr_destroy(&attributes);
    if (result != 0) free(start);
    return result == 0;
}

void cstorage_thread_let_others_go_first(void) {
#if defined(__linux__)
    // On Linux niceness is a thread's own. A refusal leaves it as it was.
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
#elif defined(__APPLE__)
    (void)pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

uintptr_t cstorage_thread_identity(void) {
    static __thread char mark;
    return (uintptr_t)&mark;
}
