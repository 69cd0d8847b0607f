#ifndef SUREFOOT_TESTS_ALLOC_PLAN_H
#define SUREFOOT_TESTS_ALLOC_PLAN_H

/* alloc_plan.h: stands in for malloc, and fails allocations as planned. For one file of a tool. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

#define SEEN_BY_ALL __attribute__((visibility("default")))

/* Which fail: number `first` up to, not with, number `end`; the first is number 1. One thread. */
static struct {
    uint64_t n_seen, first, end;
    int64_t n_live;
} plan;

static bool fails(void)
{
    uint64_t n = ++plan.n_seen;
    if (n < plan.first || n >= plan.end)
        return false;
    errno = ENOMEM;
    return true;
}

static void *counted(void *p)
{
    plan.n_live += p != NULL;
    return p;
}

SEEN_BY_ALL void *malloc(size_t n)
{
    return fails() ? NULL : counted(__libc_malloc(n));
}

SEEN_BY_ALL void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(n, size));
}

SEEN_BY_ALL void *realloc(void *p, size_t n)
{
    if (fails())
        return NULL;
    return p == NULL ? counted(__libc_realloc(p, n)) : __libc_realloc(p, n);
}

SEEN_BY_ALL void free(void *p)
{
    plan.n_live -= p != NULL;
    __libc_free(p);
}

#endif
