#ifndef SUREFOOT_CORE_PREFLIGHT_H
#define SUREFOOT_CORE_PREFLIGHT_H

/* preflight.h: is the machine ready? A table of checks, one row a kind (preflight_*.c), each
 * looking and changing nothing, but for a program that policy says may be ended after its time. All
 * are asked, and all that does not hold is reported; the first by the order of PRODUCT.md section 5
 * is the result.
 *
 * What it does not check: anything of the release but its sizes and its list of files. */

#include "installer/core/event.h"
#include "installer/core/setup.h"
#include "installer/core/survey.h"
#include "manifest/release.h"
#include "manifest/result.h"

#define PREFLIGHT_FINDINGS_MAX 256
#define PREFLIGHT_TEXT_ROOM 300

struct preflight_finding {
    char result[RESULT_WORD_MAX + 1]; /* "": nothing could be found out */
    enum result_phase phase;
    char text[PREFLIGHT_TEXT_ROOM]; /* what, where, and what to do */
};

/* struct preflight: sorted by the order that results have; what could not be found out is last. */
struct preflight {
    size_t n, n_unknown;
    struct preflight_finding items[PREFLIGHT_FINDINGS_MAX];
};

/* Which checks: bits 1 << enum result_phase. All before the download; ACTIVITY, DISK and SERVICE
 * once more right before the stop. */
#define PREFLIGHT_ALL UINT32_MAX

struct preflight_ask {
    const struct setup *setup;
    const struct events *events; /* or NULL */
    uint32_t phases;
    bool is_first; /* a first installation: services need not run, nor be there */
    const struct payload
        *payload;                /* what is to come; NULL: not known, then disk has only headroom */
    const struct survey *survey; /* of the installed tree; NULL: none is there */
    const char *stage_folder;    /* where payload and new tree go: its volume is asked for room */
    uint64_t staged_bytes;       /* of what is already there of payload and tree */
    int64_t busy_since;          /* when an upgrade was first kept waiting by programs; 0: never */
    size_t n_related;            /* of an MSI: products that have its upgrade code */
    bool is_old_lost;            /* of an MSI: what is installed could not be put back */
    bool may_terminate;          /* a real upgrade: programs past their time are ended */
};

/* preflight_run asks everything. E_OK with findings (n 0: all holds); errors only of our own:
 * memory and the like. A check that could not find out is a finding with an empty result. */
MUST_USE enum errc preflight_run(const struct preflight_ask *ask, struct preflight *out,
                                 struct err *err);

/* preflight_conditions asks <default-state>'s conditions, in their order. */
MUST_USE enum errc preflight_conditions(const struct setup *setup, const struct check_list *list,
                                        struct preflight *out, struct err *err);

#endif
