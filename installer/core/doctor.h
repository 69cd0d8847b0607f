#ifndef SUREFOOT_CORE_DOCTOR_H
#define SUREFOOT_CORE_DOCTOR_H

/* doctor.h: would an upgrade work here? Everything that it leans on is tried, one thing after
 * another, without changing anything that lasts; each is well, or has a fault and what to do about
 * it, or could not be found out.
 *
 * What it does not check: what only an upgrade can show, such as whether a service stops. */

#include "installer/core/setup.h"
#include "platform/base/err.h"

#define DOCTOR_ROWS_MAX 64

enum doctor_word { DOCTOR_NONE = 0, DOCTOR_WELL, DOCTOR_WARNING, DOCTOR_FAULT };

struct doctor_row {
    const char *what; /* "feed": one word, the same in every run */
    enum doctor_word word;
    enum errc code; /* of a fault: what kind, for the exit code */
    char text[300];
    char mend[240]; /* what to do; "" where it is well */
};

struct doctor {
    size_t n;
    struct doctor_row rows[DOCTOR_ROWS_MAX];
};

/* doctor_examine fills in the rows. Errors only of our own: memory. */
MUST_USE enum errc doctor_examine(const struct setup *setup, struct doctor *out, struct err *err);

#endif
