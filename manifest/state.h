#ifndef SUREFOOT_MANIFEST_STATE_H
#define SUREFOOT_MANIFEST_STATE_H

/* state.h: what a machine remembers of one product between runs (urn:surefoot:state:1, state.rng):
 * a small file in the state folder, replaced as a whole.
 *
 *   <state xmlns="urn:surefoot:state:1" product="orchard" word="suspended" set="true"
 *          reason="UpgradeAbortedSyncExeInUse" since="2026-11-25T22:00:00Z"
 *          installed="2.0.0" tree="2.0.0-1f0c" switch="exchange">
 *     <look time="2026-11-25T23:00:00Z"/>
 *     <last version="2.1.0" result="UpgradeAbortedSyncExeInUse" time="2026-11-25T22:00:00Z"/>
 *     <mark key="minisign:855F5F4D29B74E0D" serial="42" issued="2026-11-25T00:00:00Z"/>
 *     <seen version="2.1.0" first="2026-11-25T20:00:00Z"/>
 *     <hold version="2.0.5" since="2026-11-01T00:00:00Z"/>
 *     <kept version="1.9.0" tree="1.9.0-77aa" since="2026-10-01T00:00:00Z"/>
 *     <waiting version="2.1.0" since="2026-11-25T22:00:00Z"/>
 *   </state>
 *
 * What it does not check: whether it is true of the machine. A damaged one is an error and never
 * taken for an empty one: with it the marks would be lost that keep old feeds out. */

#include <stdbool.h>
#include <stdint.h>

#include "manifest/arena.h"
#include "manifest/schema.h"
#include "manifest/version.h"
#include "platform/base/buf.h"
#include "platform/base/err.h"
#include "platform/base/span.h"

#define STATE_NS "urn:surefoot:state:1"
#define STATE_BYTES_MAX (256 * 1024)
#define STATE_MARKS_MAX 64
#define STATE_SEEN_MAX 64
#define STATE_HOLDS_MAX 64
#define STATE_KEPT_MAX 100
#define STATE_KEY_ROOM 80
#define STATE_TREE_ROOM 96 /* a generated name, as in the journal */

enum state_word { STATE_ENABLED, STATE_SUSPENDED, STATE_DISABLED };
extern const char *const state_words[];

struct state_mark {
    char key[STATE_KEY_ROOM];
    uint64_t serial;
    int64_t issued;
};

struct state_seen {
    struct version version;
    int64_t first; /* when this machine first saw the release */
};

struct state_hold {
    struct version version;
    int64_t since;
};

/* An old version that can be gone back to. */
struct state_kept {
    struct version version;
    char tree[STATE_TREE_ROOM]; /* its generated name; its signed release lies under it as well */
    int64_t since;              /* when it was put away */
};

/* How the product's trees take each other's place: chosen once, at installation. */
enum state_switch {
    STATE_SWITCH_NONE,
    STATE_SWITCH_EXCHANGE,
    STATE_SWITCH_POINTER,
    STATE_SWITCH_MSI, /* by Windows Installer */
};
extern const char *const state_switch_words[];

/* struct upgrade_state: a plain value, copied; no pointers. Times are seconds since 1970, 0: never.
 */
struct upgrade_state {
    char product[65];
    int word;          /* enum state_word */
    bool is_set;       /* by `enable` or `disable`: the product file's default holds no more */
    char reason[1025]; /* "" where there is none */
    int64_t since;     /* of the word and the reason */
    bool has_installed;
    struct version installed;
    char tree[STATE_TREE_ROOM]; /* the generated name of what is installed; "": not known */
    int switch_mode;            /* enum state_switch */
    bool has_waiting;           /* an upgrade to this waits for programs to end, since then */
    struct version waiting_version;
    int64_t waiting_since;
    int64_t looked; /* at the feed, the last time */
    bool has_last;  /* the last attempt */
    struct version last_version;
    char last_result[1025];
    int64_t last_time;
    size_t n_marks, n_seen, n_holds, n_kept;
    struct state_mark marks[STATE_MARKS_MAX];
    struct state_seen
        seen[STATE_SEEN_MAX]; /* each version once; the oldest make room for new ones */
    struct state_hold holds[STATE_HOLDS_MAX]; /* likewise */
    struct state_kept kept[STATE_KEPT_MAX];   /* the newest last */
};

/* state_read reads the file's bytes into `out`. E_MALFORMED with line and cause, E_LIMIT, E_NOMEM.
 */
MUST_USE enum errc state_read(struct span bytes, struct upgrade_state *out, struct err *err);

/* state_write appends the document and reads it back. E_MALFORMED for a text that no document can
 * hold. */
MUST_USE enum errc state_write(const struct upgrade_state *s, struct buf *out, struct err *err);

/* state_first_seen gives when a release was first seen, recording `now` where it was not yet. */
int64_t state_first_seen(struct upgrade_state *s, const struct version *v, int64_t now);

/* state_is_on_hold, state_set_hold: a release that was rolled back is skipped until it is asked for
 * by name. */
bool state_is_on_hold(const struct upgrade_state *s, const struct version *v);
void state_set_hold(struct upgrade_state *s, const struct version *v, int64_t now);
void state_clear_hold(struct upgrade_state *s, const struct version *v);

/* state_keep puts a version at the end of what is kept; E_LIMIT past STATE_KEPT_MAX.
 * state_drop_kept takes one out; state_find_kept is NULL where none of that version is kept (the
 * newest of several).
 */
MUST_USE enum errc state_keep(struct upgrade_state *s, const struct version *v, const char *tree,
                              int64_t now, struct err *err);
void state_drop_kept(struct upgrade_state *s, const char *tree);
const struct state_kept *state_find_kept(const struct upgrade_state *s, const struct version *v);

#endif
