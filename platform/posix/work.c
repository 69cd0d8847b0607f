#include "platform/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#define WORK_THREADS_MAX 64

struct crew {
    size_t n;
    work_fn fn;
    void *ctx;
    atomic_size_t next;
};

static _Thread_local bool inside_a_piece;

static void *take_pieces(void *arg)
{
    struct crew *crew = arg;
    bool was_inside = inside_a_piece;
    inside_a_piece = true;
    for (size_t i; (i = atomic_fetch_add(&crew->next, 1)) < crew->n;)
        crew->fn(crew->ctx, i);
    inside_a_piece = was_inside;
    return NULL;
}

size_t work_n_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > WORK_THREADS_MAX ? WORK_THREADS_MAX : (size_t)n;
}

void work_run(size_t n, work_fn fn, void *ctx)
{
    struct crew crew = { .n = n, .fn = fn, .ctx = ctx };
    pthread_t threads[WORK_THREADS_MAX];
    size_t n_threads = 0;
    size_t wanted = inside_a_piece ? 1 : work_n_cores();
    if (wanted > n)
        wanted = n;
    while (n_threads + 1 < wanted &&
           pthread_create(&threads[n_threads], NULL, take_pieces, &crew) == 0)
        n_threads++;
    (void)take_pieces(&crew);
    for (size_t i = 0; i < n_threads; i++)
        (void)pthread_join(threads[i], NULL);
}
