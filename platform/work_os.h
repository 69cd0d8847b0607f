#ifndef SUREFOOT_PLATFORM_WORK_OS_H
#define SUREFOOT_PLATFORM_WORK_OS_H

/* work_os.h: the few primitives that work.c needs of a system. Only work.c uses it. */

#include <stddef.h>

struct os_thread;
struct os_lock;

/* NULL where none can be made. os_thread_join frees it. */
struct os_thread *os_thread_new(void (*fn)(void *arg), void *arg);
void os_thread_join(struct os_thread *t);

struct os_lock *os_lock_new(void);
void os_lock_take(struct os_lock *l);
void os_lock_give(struct os_lock *l);
void os_lock_free(struct os_lock *l); /* NULL is fine */

size_t os_n_cores(void);

#endif
