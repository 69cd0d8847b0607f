#include "platform/work_os.h"

#include <windows.h>

#include <stdlib.h>

struct os_thread {
    HANDLE handle;
    void (*fn)(void *arg);
    void *arg;
};

struct os_lock {
    SRWLOCK lock;
};

static DWORD WINAPI enter(LPVOID arg)
{
    struct os_thread *t = arg;
    t->fn(t->arg);
    return 0;
}

struct os_thread *os_thread_new(void (*fn)(void *arg), void *arg)
{
    struct os_thread *t = malloc(sizeof(*t));
    if (t == NULL)
        return NULL;
    *t = (struct os_thread){ .fn = fn, .arg = arg };
    t->handle = CreateThread(NULL, 0, enter, t, 0, NULL);
    if (t->handle == NULL) {
        free(t);
        return NULL;
    }
    return t;
}

void os_thread_join(struct os_thread *t)
{
    (void)WaitForSingleObject(t->handle, INFINITE);
    (void)CloseHandle(t->handle);
    free(t);
}

struct os_lock *os_lock_new(void)
{
    struct os_lock *l = malloc(sizeof(*l));
    if (l != NULL)
        InitializeSRWLock(&l->lock);
    return l;
}

void os_lock_take(struct os_lock *l)
{
    AcquireSRWLockExclusive(&l->lock);
}

void os_lock_give(struct os_lock *l)
{
    ReleaseSRWLockExclusive(&l->lock);
}

void os_lock_free(struct os_lock *l)
{
    free(l);
}

size_t os_n_cores(void)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwNumberOfProcessors;
}
