#ifndef SUREFOOT_PUBLISH_GATE_PRIVATE_H
#define SUREFOOT_PUBLISH_GATE_PRIVATE_H

/* gate_private.h: the steps of gate_check, and how they read the folder. */

#include "keys/publish/gate.h"
#include "platform/base/buf.h"

#define GATE_PATH_ROOM 4096
#define GATE_SIGNATURES_MAX 2

/* The detached signatures beside a file: NAME.minisig, NAME.p7s. */
struct gate_signatures {
    size_t n;
    struct buf bytes[GATE_SIGNATURES_MAX];
    struct span spans[GATE_SIGNATURES_MAX];
    const char *suffixes[GATE_SIGNATURES_MAX];
};

/* gate_join writes FOLDER/NAME to `to`; E_LIMIT where it does not fit. */
MUST_USE enum errc gate_join(const struct gate_ask *ask, const char *name, char to[GATE_PATH_ROOM],
                             struct err *err);

/* gate_read reads a file of the folder; what goes wrong is a finding, and the answer false. Caller
 * frees *out with buf_fini in any case. */
bool gate_read(const struct gate_ask *ask, const char *name, size_t cap, struct buf *out,
               struct gate *g);

/* gate_read_signatures reads those that are there. Caller frees with gate_signatures_fini. */
void gate_read_signatures(const struct gate_ask *ask, const char *name, struct gate_signatures *out,
                          struct gate *g);
void gate_signatures_fini(struct gate_signatures *s);

/* gate_can_judge: is there anything in the trust of the command line that a signature of this
 * system could be judged by? gate_missing_option says what to give otherwise. */
bool gate_can_judge(const struct gate_ask *ask, enum sig_system system);
const char *gate_missing_option(enum sig_system system);

/* gate_set_aside takes out those that this trust can't judge, which is GATE_FAILED: they may be
 * good or bad. With a product file all stay: what it can't judge its clients refuse. */
void gate_set_aside(const struct gate_ask *ask, const char *name, struct gate_signatures *s,
                    struct gate *g);

/* gate_feed proves the feed; NULL where it is refused or could not be read. Caller frees with
 * verified_feed_free. */
struct verified_feed *gate_feed(const struct gate_ask *ask, struct gate *g);

/* gate_release checks one release of the feed: its document, its payloads. */
void gate_release(const struct gate_ask *ask, const struct verified_feed *feed,
                  const struct feed_release *from, struct gate *g);

/* gate_archive holds the entries of a proven archive against the document's list. */
void gate_archive(const struct verified_package *package, const char *where, struct gate *g);

#endif
