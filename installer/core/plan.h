#ifndef SUREFOOT_CORE_PLAN_H
#define SUREFOOT_CORE_PLAN_H

/* plan.h: what an upgrade does from the moment on in which it begins to touch what runs, as a list
 * of steps. Pure. Before it, the new tree was made beside the old one; after it, the old one is put
 * away. */

#include <stdbool.h>

#include "manifest/product.h"
#include "platform/base/buf.h"

enum step_kind {
    STEP_SCHEDULER, /* the product's own scheduler is suspended */
    STEP_STOP,      /* a service is stopped */
    STEP_PROTECT,   /* data is kept as it is */
    STEP_REFRESH,   /* configuration that changed meanwhile is made again */
    STEP_MOVE,      /* data inside the tree goes into the new one */
    STEP_SWITCH,    /* the one switch */
    STEP_START,     /* a service is started */
    STEP_HEALTH,    /* the new version is watched */
    STEP_KINDS
};

#define PLAN_STEPS_MAX 1200

struct plan_step {
    enum step_kind kind;
    unsigned i; /* which service or data, by its place in the product file */
};

struct plan {
    size_t n;
    struct plan_step steps[PLAN_STEPS_MAX];
};

struct plan_ask {
    const struct product *product;
    bool has_old;         /* something is installed: it is stopped first */
    bool has_stage;       /* a tree was made, not just taken out */
    bool scheduler_is_on; /* and so must be suspended */
};

void plan_make(const struct plan_ask *ask, struct plan *out);

/* plan_step_word is what the journal calls a step: "stop". plan_step_kind is false for any other
 * word. */
const char *plan_step_word(enum step_kind kind);
bool plan_step_kind(const char *word, enum step_kind *out);

/* plan_describe appends a sentence for people: "stop orchard.service (at most 60 s)". */
MUST_USE enum errc plan_describe(const struct product *product, const struct plan_step *step,
                                 struct buf *out, struct err *err);

#endif
