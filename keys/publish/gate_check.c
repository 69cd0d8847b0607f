/* The order of the gate: the feed, then each release that it offers. */

#include "keys/publish/gate_private.h"

static bool is_wanted(const struct gate_ask *ask, const struct feed_release *r)
{
    if (ask->only != NULL)
        return version_compare(&r->version, ask->only) == 0;
    return r->status != STATUS_WITHDRAWN;
}

/* A folder that is not there says nothing of a release. */
static bool is_folder(const struct gate_ask *ask, struct gate *g)
{
    enum fs_kind kind = FS_ABSENT;
    struct err err;
    if (ask->platform->fs->kind(ask->platform->self, ask->folder, &kind, &err) != E_OK)
        gate_add_err(g, ask->folder, &err);
    else if (kind != FS_FOLDER)
        gate_add(g, GATE_FAILED, "ReadError", ask->folder, "there is no such folder");
    return kind == FS_FOLDER;
}

enum errc gate_check(const struct gate_ask *ask, struct gate *g, struct err *err)
{
    struct verified_feed *proven = is_folder(ask, g) ? gate_feed(ask, g) : NULL;
    const struct feed *feed = proven == NULL ? NULL : verified_feed_get(proven);
    size_t n_checked = 0;
    for (size_t i = 0; feed != NULL && i < feed->releases.n; i++) {
        if (!is_wanted(ask, &feed->releases.items[i]))
            continue;
        gate_release(ask, proven, &feed->releases.items[i], g);
        n_checked++;
    }
    if (feed != NULL && n_checked == 0)
        gate_add(g, ask->only != NULL ? GATE_REFUSED : GATE_WARNING, "Missing", "feed.xml",
                 ask->only != NULL ? "no release %s in the feed" : "the feed offers no release%s",
                 ask->only != NULL ? ask->only->text : "");
    verified_feed_free(proven);
    return g->is_full && g->n == 0 ? err_nomem(err) : E_OK;
}
