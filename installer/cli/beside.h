#ifndef SUREFOOT_CLI_BESIDE_H
#define SUREFOOT_CLI_BESIDE_H

/* beside.h: the detached signatures of one file: the ones that were named, else FILE.p7s and
 * FILE.minisig where they lie beside it. */

#include "platform/base/buf.h"
#include "platform/platform.h"
#include "verify/judge.h"

#define BESIDE_MAX 8

struct beside {
    size_t n;
    struct judge_signature list[BESIDE_MAX]; /* for judge_file */
    struct buf bytes[BESIDE_MAX];            /* what they point into */
};

/* beside_find reads them. An error names the signature's file. Caller frees with beside_fini, also
 * after an error. */
MUST_USE enum errc beside_find(struct platform *platform, const char *file,
                               const char *const *named, size_t n_named, struct beside *out,
                               struct err *err);
void beside_fini(struct beside *b);

#endif
