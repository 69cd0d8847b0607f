#include "platform/work_os.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct os_thread {
    pthread_t id;
    void (*fn)(void *arg);
    void *arg;
};

struct os_lock {
    pthread_mutex_t mutex;
};

static void *enter(void *arg)
{
    struct os_thread *t = arg;
    t->fn(t->arg);
    return NULL;
}

struct os_thread *os_thread_new(void (*fn)(void *arg), void *arg)
{
    struct os_thread *t = malloc(sizeof(*t));
    if (t == NULL)
        return NULL;
    *t = (struct os_thread){ .fn = fn, .arg = arg };
    if (pthread_create(&t->id, NULL, enter, t) != 0) {
        free(t);
        return NULL;
    }
    return t;
}

void os_thread_join(struct os_thread *t)
{
    (void)pthread_join(t->id, NULL);
    free(t);
}

struct os_lock *os_lock_new(void)
{
    struct os_lock *l = malloc(sizeof(*l));
    if (l != NULL && pthread_mutex_init(&l->mutex, NULL) != 0) {
        free(l);
        return NULL;
    }
    return l;
}

void os_lock_take(struct os_lock *l)
{
    (void)pthread_mutex_lock(&l->mutex);
}

void os_lock_give(struct os_lock *l)
{
    (void)pthread_mutex_unlock(&l->mutex);
}

void os_lock_free(struct os_lock *l)
{
    if (l == NULL)
        return;
    (void)pthread_mutex_destroy(&l->mutex);
    free(l);
}

size_t os_n_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (size_t)n;
}
