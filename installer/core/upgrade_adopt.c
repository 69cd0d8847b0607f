/* A tree that is already there: if it is a release of the feed, every listed file with its hash, it
 * is taken over as it is and nothing is stopped. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/settle.h"
#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define LOOKED_AT_MAX 16 /* releases, the newest first */

/* --- candidates, the newest first */

static int newest_first(const void *a, const void *b)
{
    const struct feed_release *const *x = a, *const *y = b;
    return version_compare(&(*y)->version, &(*x)->version);
}

static size_t list_candidates(const struct feed *feed, const struct feed_release **to)
{
    size_t n = 0;
    for (size_t i = 0; i < feed->releases.n; i++)
        if (feed->releases.items[i].status != STATUS_WITHDRAWN)
            to[n++] = &feed->releases.items[i];
    qsort(to, n, sizeof(to[0]), newest_first);
    return n < LOOKED_AT_MAX ? n : LOOKED_AT_MAX;
}

/* try_one: E_OK and *out_is where the tree is this release. */
static enum errc try_one(struct upgrade *u, const char *tree, const struct feed_release *r,
                         bool *out_is, struct err *err)
{
    buf_init(&u->document, RELEASE_BYTES_MAX);
    *out_is = false;
    enum errc rc = look_at_release(&u->look_ask, &u->look, r, &u->release, &u->document, err);
    if (rc == E_OK)
        u->payload = release_find_payload(verified_release_get(u->release), u->os, u->arch,
                                          (enum payload_kind)u->setup->product.install.kind);
    if (rc == E_OK && u->payload != NULL && u->payload->kind == PAYLOAD_MSI) {
        *out_is = installed_is(&u->installed, u->payload);
    } else if (rc == E_OK && u->payload != NULL) {
        rc = stage_check_tree(u->setup, tree, u->payload, err);
        *out_is = rc == E_OK;
        if (rc == E_REFUSED)
            rc = E_OK;
    }
    return rc;
}

static void forget_one(struct upgrade *u)
{
    verified_release_free(u->release);
    buf_fini(&u->document);
    u->release = NULL;
    u->payload = NULL;
}

/* --- what the release's own configuration was, as far as nobody changed it */

static enum errc make_folders_of(struct upgrade *u, const char *name, struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    setup_parent(name, folder);
    return memory_make_folder(&u->memory, folder, err);
}

static enum errc keep_pristine(struct upgrade *u, const char *tree, const char *name,
                               const char *path, struct err *err)
{
    const struct release_file *file = payload_find_file(u->payload, span_text(path));
    char from[SETUP_PATH_ROOM], to[SETUP_PATH_ROOM];
    struct buf bytes;
    struct digest d;
    if (file == NULL)
        return E_OK;
    enum errc rc = setup_join(tree, path, from, err);
    if (rc != E_OK)
        return rc;
    if (platform_read_file(u->setup->platform, from, (size_t)file->size, &bytes, err) != E_OK)
        return err->code == E_NOMEM ? E_NOMEM : E_OK;
    rc = digest_bytes(DIGEST_SHA256, buf_span(&bytes), &d, err);
    if (rc == E_OK && span_equal(digest_span(&d), span_of(file->sha256, 32))) {
        int n = snprintf(to, sizeof(to), "pristine/%s/%s", name, path);
        rc = n < 0 || (size_t)n >= sizeof(to) ? err_set(err, E_LIMIT, "a path is too long")
                                              : make_folders_of(u, to, err);
        if (rc == E_OK)
            rc = memory_write(&u->memory, to, buf_span(&bytes), err);
    }
    buf_fini(&bytes);
    return rc;
}

static enum errc keep_all_pristine(struct upgrade *u, const char *tree, const char *name,
                                   struct err *err)
{
    const struct product_files *files = &u->setup->product.files;
    enum errc rc = E_OK;
    for (size_t i = 0; i < files->configuration.n && rc == E_OK; i++)
        rc = keep_pristine(u, tree, name, files->configuration.items[i].path, err);
    return rc;
}

/* --- taking over */

static enum errc take_over(struct upgrade *u, const char *tree, const struct feed_release *r,
                           struct err *err)
{
    struct upgrade_state *s = &u->memory.state;
    char name[STATE_TREE_ROOM];
    enum errc rc = E_OK;
    if (u->place.mode == STATE_SWITCH_POINTER)
        text_copy(name, sizeof(name), strrchr(tree, '/') + 1);
    else
        rc = place_new_name(&u->place, &r->version, name, err);
    if (rc == E_OK)
        rc = upgrade_keep_proof(u, name, err);
    if (rc == E_OK)
        rc = keep_all_pristine(u, tree, name, err);
    if (rc != E_OK)
        return rc;
    s->has_installed = true;
    s->installed = r->version;
    s->switch_mode = u->place.mode;
    text_copy(s->tree, sizeof(s->tree), name);
    u->out->to = r->version;
    u->out->decision = DECISION_UP_TO_DATE;
    char why[200];
    (void)snprintf(why, sizeof(why),
                   "the tree that is there is release %s, and is kept from now on",
                   r->version.text);
    outcome_end(u->out, result_name(RESULT_SUCCESS), why);
    events_say(u->ask->events, EVENT_ADOPTED, "%s", why);
    return E_OK;
}

enum errc upgrade_adopt(struct upgrade *u, bool *out_adopted, struct err *err)
{
    const struct feed *feed = verified_feed_get(u->look.feed);
    const struct feed_release **candidates = NULL;
    char tree[SETUP_PATH_ROOM];
    bool is_there = false;
    enum errc rc = place_open(u->setup, &u->memory.state, &u->place, err);
    *out_adopted = false;
    if (rc == E_UNSUPPORTED || rc == E_ACCESS || rc == E_ABSENT)
        return E_OK; /* said where it is asked again */
    if (rc == E_OK && setup_is_msi(u->setup)) {
        rc = installed_find(&u->place, &u->memory, u->os, u->arch, &u->installed, err);
        is_there = rc == E_OK && u->installed.n_related == 1;
    } else if (rc == E_OK) {
        rc = place_current(&u->place, tree, &is_there, err);
    }
    if (rc != E_OK || !is_there || feed->releases.n == 0)
        return rc;
    candidates = calloc(feed->releases.n, sizeof(candidates[0]));
    if (candidates == NULL)
        return err_nomem(err);
    size_t n = list_candidates(feed, candidates);
    for (size_t i = 0; i < n && rc == E_OK && !*out_adopted; i++) {
        rc = try_one(u, tree, candidates[i], out_adopted, err);
        if (rc == E_OK && *out_adopted)
            rc = take_over(u, tree, candidates[i], err);
        else
            forget_one(u);
        if (rc == E_REFUSED || rc == E_IO || rc == E_ABSENT || rc == E_TIMEOUT)
            rc = E_OK; /* one that can't be had can't be what is here */
    }
    free(candidates);
    return rc;
}
