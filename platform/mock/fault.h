#ifndef SUREFOOT_PLATFORM_MOCK_FAULT_H
#define SUREFOOT_PLATFORM_MOCK_FAULT_H

/* fault.h: what goes wrong, and when. A plan is asked before each step of a machine, and says
 * whether it is taken, fails, or is passed over in silence as a lying device does. A plan that
 * wants the machine to stop there does not return.
 *
 * The mock asks its plan before each change of its disk and each program (mock.h); fault_wrap puts
 * a plan before each operation of any machine, the native one too. */

#include <stdbool.h>
#include <stdint.h>

#include "platform/platform.h"

enum fault_act {
    FAULT_NONE = 0, /* the step is taken */
    FAULT_FAILS,    /* it fails with `code`, and nothing has changed */
    FAULT_IGNORED,  /* it is said to be done, and is not */
    FAULT_HALF,     /* the first half of what is written is, then it fails with `code` */
};

/* What a step is of. */
enum fault_kind {
    FAULT_LOOK = 0, /* changes nothing */
    FAULT_CHANGE,   /* of the disk: names, contents, permissions */
    FAULT_FLUSH,    /* makes changes last */
    FAULT_ACT,      /* of programs and services */
};

struct fault_step {
    const char *what; /* "rename_new", "write", "flush"; a word of the code, never NULL */
    const char *path; /* or the service's or program's name; "" where there is none */
    enum fault_kind kind;
};

struct fault {
    enum fault_act act;
    enum errc code; /* of FAULT_FAILS and FAULT_HALF */
};

typedef struct fault (*fault_fn)(void *ctx, const struct fault_step *step);

/* A plan without a function lets everything be. */
struct fault_plan {
    fault_fn fn;
    void *ctx;
};

/* fault_ask asks the plan (NULL: there is none). E_OK: take the step, or with *out_ignored pass it
 * over and say E_OK; else the step fails so. */
MUST_USE enum errc fault_ask(const struct fault_plan *plan, enum fault_kind kind, const char *what,
                             const char *path, bool *out_ignored, struct err *err);

/* fault_ask_write is the same before something is written: *out_len is how many of its `len` bytes
 * are to be written, whatever it returns. Where a step is no write, FAULT_HALF is FAULT_FAILS. */
MUST_USE enum errc fault_ask_write(const struct fault_plan *plan, const char *path, size_t len,
                                   size_t *out_len, struct err *err);

/* fault_nth is a plan's function for the simplest case: the nth step of these kinds (bits 1 << enum
 * fault_kind), counted from 1, is not taken. With n 0 it counts alone. */
struct fault_nth {
    uint64_t n;
    unsigned kinds;
    struct fault fault;
    uint64_t n_seen; /* steps of these kinds so far */
};
struct fault fault_nth(void *ctx, const struct fault_step *step);

/* fault_wrap is `inner` with the plan before each of its operations, also the writing, committing
 * and reading of what it opens. Both must outlive it. A step that is IGNORED and must give
 * something (a source, a text) fails with E_IO instead. Caller frees with fault_unwrap. Ends the
 * program where there is no memory: it is for tests. */
struct platform *fault_wrap(struct platform *inner, const struct fault_plan *plan);
void fault_unwrap(struct platform *wrapped);

#endif
