#include "platform/work.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "platform/work_os.h"

#define WORK_THREADS_MAX 64

struct crew {
    size_t n;
    work_fn fn, done;
    void *ctx;
    atomic_size_t next;
    struct os_lock *lock; /* guards what follows */
    unsigned char *is_ready;
    size_t n_shown;
};

static _Thread_local int inside_a_piece;

static void show_ready(struct crew *crew, size_t i)
{
    os_lock_take(crew->lock);
    crew->is_ready[i] = 1;
    while (crew->n_shown < crew->n && crew->is_ready[crew->n_shown])
        crew->done(crew->ctx, crew->n_shown++);
    os_lock_give(crew->lock);
}

static void take_pieces(void *arg)
{
    struct crew *crew = arg;
    int was_inside = inside_a_piece;
    inside_a_piece = was_inside || crew->n > 1;
    for (size_t i; (i = atomic_fetch_add(&crew->next, 1)) < crew->n;) {
        crew->fn(crew->ctx, i);
        if (crew->done != NULL)
            show_ready(crew, i);
    }
    inside_a_piece = was_inside;
}

static void run_crew(struct crew *crew)
{
    struct os_thread *threads[WORK_THREADS_MAX];
    size_t n_threads = 0;
    size_t wanted = inside_a_piece ? 1 : work_n_cores();
    if (wanted > crew->n)
        wanted = crew->n;
    while (n_threads + 1 < wanted &&
           (threads[n_threads] = os_thread_new(take_pieces, crew)) != NULL)
        n_threads++;
    take_pieces(crew);
    for (size_t i = 0; i < n_threads; i++)
        os_thread_join(threads[i]);
}

size_t work_n_cores(void)
{
    size_t n = os_n_cores();
    return n < 1 ? 1 : n > WORK_THREADS_MAX ? WORK_THREADS_MAX : n;
}

void work_run(size_t n, work_fn fn, void *ctx)
{
    struct crew crew = { .n = n, .fn = fn, .ctx = ctx };
    run_crew(&crew);
}

void work_run_ordered(size_t n, work_fn fn, work_fn done, void *ctx)
{
    struct crew crew = { .n = n, .fn = fn, .done = done, .ctx = ctx };
    crew.lock = os_lock_new();
    crew.is_ready = calloc(n == 0 ? 1 : n, 1);
    if (crew.lock != NULL && crew.is_ready != NULL) {
        run_crew(&crew);
    } else {
        for (size_t i = 0; i < n; i++) { /* no memory for order among threads: one after another */
            fn(ctx, i);
            done(ctx, i);
        }
    }
    free(crew.is_ready);
    os_lock_free(crew.lock);
}

/* --- locks */

struct work_lock {
    struct os_lock *os;
};

struct work_lock *work_lock_new(void)
{
    struct work_lock *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    l->os = os_lock_new();
    if (l->os != NULL)
        return l;
    free(l);
    return NULL;
}

void work_lock_take(struct work_lock *l)
{
    os_lock_take(l->os);
}

void work_lock_give(struct work_lock *l)
{
    os_lock_give(l->os);
}

void work_lock_free(struct work_lock *l)
{
    if (l == NULL)
        return;
    os_lock_free(l->os);
    free(l);
}
