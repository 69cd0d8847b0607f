#ifndef SUREFOOT_PUBLISH_PASSPHRASE_H
#define SUREFOOT_PUBLISH_PASSPHRASE_H

/* passphrase.h: passphrases (and the PINs of tokens), and memory that is wiped. A passphrase comes
 * from a file, from an inherited descriptor, or is asked for on the terminal; never from the
 * command line or the environment, which others can read.
 *
 * A passphrase is one line: bytes as they are, with one LF or CR LF at the end cut. What it does
 * not check: how good a passphrase is. */

#include <stdbool.h>

#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/platform.h"

#define PASSPHRASE_MAX 1024 /* bytes */
#define NO_DESCRIPTOR (-1)

/* Where it comes from: the file, else the descriptor, else the terminal. `warn` (may be NULL) is
 * told, in a line for the user, where a file that others may read holds a secret: that is said and
 * not refused, since those who run CI often can't choose the mode of such a file. */
typedef void (*secret_warn_fn)(void *ctx, const char *line);
struct passphrase_ask {
    const char *file;
    int fd; /* NO_DESCRIPTOR where there is none */
    secret_warn_fn warn;
    void *warn_ctx;
};

/* passphrase_option takes --passphrase-file and --passphrase-fd, and says in *out_taken whether it
 * was one of them; passphrase_check is E_ARGUMENT where both were given. */
#define DESCRIPTOR_MAX 1023
MUST_USE enum errc passphrase_option(struct passphrase_ask *ask, const char *name,
                                     const char *value, bool *out_taken, struct err *err);
MUST_USE enum errc passphrase_check(const struct passphrase_ask *ask, struct err *err);

/* passphrase_get gives the passphrase in *out, which the caller ends with secret_fini. `what` is
 * named in the prompt ("release.key"). Where it `is_new` it is asked for twice, and an empty one is
 * E_ARGUMENT. E_ARGUMENT, too, for a file or descriptor that gives more than one line, and where
 * there is no terminal to ask on. */
MUST_USE enum errc passphrase_get(struct platform *p, const struct passphrase_ask *ask,
                                  const char *what, bool is_new, struct buf *out, struct err *err);

/* secret_warn_if_shared tells ask->warn where others may read the file that holds `what`. */
void secret_warn_if_shared(struct platform *p, const struct passphrase_ask *ask, const char *path,
                           const char *what);

/* secret_read_file is platform_read_file for what must not stay in memory: it is wiped, also where
 * reading fails midway. Caller ends *out with secret_fini. */
MUST_USE enum errc secret_read_file(struct platform *p, const char *path, size_t cap,
                                    struct buf *out, struct err *err);

/* secret_fini wipes a buf that never grew (all of its room) and frees it. */
void secret_fini(struct buf *b);

/* secret_wipe overwrites bytes in a way that compilers keep. */
void secret_wipe(void *ptr, size_t len);

#endif
