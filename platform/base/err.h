#ifndef SUREFOOT_BASE_ERR_H
#define SUREFOOT_BASE_ERR_H

/* err.h says how a function reports that it could not find out. A verdict ("I found out, and it is
 * bad") is not an error; see verify/verdict.h. An error code says what a caller does about it; the
 * detail is in the text. Nothing here allocates. */

#include "platform/base/cc.h"

enum errc {
    E_OK = 0,
    E_ARGUMENT,    /* the caller asked for something that makes no sense: a usage error */
    E_NOMEM,       /* memory ran out */
    E_IO,          /* the device or the network failed; trying again may help */
    E_ABSENT,      /* what was named is not there */
    E_ACCESS,      /* it is there, and we may not touch it (or others may, and must not) */
    E_EXISTS,      /* something is in the place where something new was to go */
    E_BUSY,        /* somebody else holds it; try again later */
    E_SPACE,       /* the device is full */
    E_TIMEOUT,     /* it took too long */
    E_TRUNCATED,   /* bytes end before what they promise */
    E_MALFORMED,   /* bytes are not of the form they must have */
    E_LIMIT,       /* more than we are willing to read */
    E_UNSUPPORTED, /* we know what this is and do not do it */
    E_REFUSED,     /* it was judged and did not pass; the verdict has the reasons */
    E_INTERNAL,    /* our own mistake */
};

/* struct err: caller's storage. `os` is the operating system's own code, 0 where there is none.
 * `text` is one line. */
struct err {
    enum errc code;
    int os;
    char text[240];
};

/* err_set fills `err` (which may be NULL) and returns `code`, so that it can stand in a return
 * statement. */
enum errc err_set(struct err *err, enum errc code, const char *fmt, ...) PRINTF_FORMAT(3, 4);

/* err_prefix puts context before the text, keeps code and os, and returns the code. */
enum errc err_prefix(struct err *err, const char *fmt, ...) PRINTF_FORMAT(2, 3);

/* err_nomem is err_set for the one message that never varies. */
enum errc err_nomem(struct err *err);

/* errc_name is a short English name such as "malformed". Never NULL. */
const char *errc_name(enum errc code);

/* errc_is_about_bytes is true for the codes that say something of the input, not of the machine. */
int errc_is_about_bytes(enum errc code);

#endif
