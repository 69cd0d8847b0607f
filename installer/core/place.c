/* Where trees are. How they change places is in place_switch.c. */

#include "installer/core/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/core/stage.h"
#include "platform/base/text.h"

#define RANDOM_LEN 6

/* --- paths */

static enum errc store_of(struct place *p, struct err *err)
{
    char parent[SETUP_PATH_ROOM], name[100];
    if (p->mode == STATE_SWITCH_POINTER)
        return setup_join(p->setup->install, ".surefoot", p->store, err);
    if (p->mode == STATE_SWITCH_MSI)
        return setup_join(p->setup->state, "packages", p->store, err);
    setup_parent(p->setup->install, parent);
    (void)snprintf(name, sizeof(name), ".surefoot-%s", p->setup->product.name);
    return setup_join(parent, name, p->store, err);
}

enum errc place_run(const struct place *p, const char *name, char to[SETUP_PATH_ROOM],
                    struct err *err)
{
    return setup_join(p->store, name, to, err);
}

enum errc place_staged(const struct place *p, const char *name, char to[SETUP_PATH_ROOM],
                       struct err *err)
{
    char run[SETUP_PATH_ROOM];
    enum errc rc = place_run(p, name, run, err);
    return rc == E_OK ? setup_join(run, "tree", to, err) : rc;
}

enum errc place_versions(const struct place *p, char to[SETUP_PATH_ROOM], struct err *err)
{
    return setup_join(p->setup->install, "versions", to, err);
}

enum errc place_put_away(const struct place *p, const char *name, char to[SETUP_PATH_ROOM],
                         struct err *err)
{
    char versions[SETUP_PATH_ROOM];
    if (p->mode == STATE_SWITCH_MSI)
        return place_run(p, name, to, err);
    if (p->mode == STATE_SWITCH_EXCHANGE)
        return place_staged(p, name, to, err);
    enum errc rc = place_versions(p, versions, err);
    return rc == E_OK ? setup_join(versions, name, to, err) : rc;
}

enum errc place_current(const struct place *p, char to[SETUP_PATH_ROOM], bool *out_there,
                        struct err *err)
{
    struct platform *m = p->setup->platform;
    char link[SETUP_PATH_ROOM], target[SETUP_PATH_ROOM];
    struct fs_info info;
    struct buf b;
    enum errc rc;
    if (p->mode == STATE_SWITCH_MSI) {
        text_copy(to, SETUP_PATH_ROOM, p->setup->install);
        *out_there = false;
        return E_OK;
    }
    if (p->mode == STATE_SWITCH_EXCHANGE) {
        text_copy(to, SETUP_PATH_ROOM, p->setup->install);
        rc = m->fs->stat_link(m->self, to, &info, err);
        if (rc == E_OK && info.kind != FS_FOLDER && info.kind != FS_ABSENT)
            rc = err_set(err, E_UNSUPPORTED, "is no folder");
        *out_there = rc == E_OK && info.kind == FS_FOLDER;
        return rc == E_OK ? rc : setup_name_path(to, err);
    }
    rc = setup_join(p->setup->install, "current", link, err);
    if (rc == E_OK)
        rc = m->fs->stat_link(m->self, link, &info, err);
    *out_there = rc == E_OK && info.kind == FS_LINK;
    if (rc != E_OK || !*out_there)
        return rc;
    buf_init(&b, SETUP_PATH_ROOM - 1);
    rc = m->fs->read_link(m->self, link, &b, err);
    if (rc == E_OK)
        rc = buf_add_byte(&b, '\0', err);
    if (rc == E_OK && strncmp((const char *)b.ptr, "versions/", 9) != 0)
        rc = err_set(err, E_UNSUPPORTED, "%s does not lead to a version", link);
    if (rc == E_OK)
        text_copy(target, sizeof(target), (const char *)b.ptr);
    buf_fini(&b);
    return rc == E_OK ? setup_join(p->setup->install, target, to, err) : rc;
}

/* --- the store */

/* A store that is there: whose bits say what is no matter (Windows has none), who may enter is. */
static enum errc check_store(const struct place *p, enum fs_kind kind, struct err *err)
{
    struct platform *m = p->setup->platform;
    struct fs_guard guard = { .is_safe = false };
    bool is_shared = true;
    enum errc rc = kind == FS_FOLDER ? m->fs->is_shared(m->self, p->store, &is_shared, err) : E_OK;
    if (rc == E_OK && is_shared)
        rc = err_set(err, E_ACCESS,
                     "is not a folder that is ours alone; look what is in it, and take it away");
    if (rc == E_OK)
        rc = m->fs->guard(m->self, p->store, 0, &guard, err);
    if (rc != E_OK)
        return setup_name_path(p->store, err);
    if (guard.is_safe)
        return E_OK;
    (void)err_set(err, E_ACCESS, "%s", guard.why);
    return setup_name_path(guard.path, err); /* it or a folder above it */
}

/* The folder that the install folder lies in is an administrator's to make. */
static enum errc check_above(const struct place *p, struct err *err)
{
    struct platform *m = p->setup->platform;
    struct fs_info info;
    char above[SETUP_PATH_ROOM];
    setup_parent(p->setup->install, above);
    enum errc rc = m->fs->stat_link(m->self, above, &info, err);
    if (rc == E_OK && info.kind == FS_ABSENT)
        rc = err_set(err, E_ABSENT, "is not there; make it: the install folder is put into it");
    return rc == E_OK ? rc : setup_name_path(above, err);
}

enum errc place_make_store(const struct place *p, struct err *err)
{
    struct platform *m = p->setup->platform;
    struct fs_info info;
    char parent[SETUP_PATH_ROOM];
    setup_parent(p->store, parent);
    enum errc rc = p->mode == STATE_SWITCH_MSI ? E_OK : check_above(p, err);
    if (rc != E_OK)
        return rc;
    if (p->mode == STATE_SWITCH_POINTER)
        rc = setup_make_folder(m, parent, false, err);
    if (rc != E_OK && rc != E_EXISTS)
        return setup_name_path(parent, err);
    rc = m->fs->stat_link(m->self, p->store, &info, err);
    if (rc == E_OK && info.kind != FS_ABSENT)
        return check_store(p, info.kind, err);
    if (rc == E_OK)
        rc = setup_guard(p->setup, parent, 0, err);
    if (rc == E_OK)
        rc = setup_make_folder(m, p->store, true, err);
    return rc == E_OK ? rc : setup_name_path(p->store, err);
}

void place_name_by_pointer(struct platform *p, char path[SETUP_PATH_ROOM])
{
    static const char folder[] = "/versions/";
    struct fs_info own, there;
    char by_pointer[SETUP_PATH_ROOM];
    struct err ignored;
    const char *versions = strstr(path, folder);
    const char *rest = versions == NULL ? NULL : strchr(versions + strlen(folder), '/');
    if (rest == NULL)
        return;
    const int n = snprintf(by_pointer, sizeof(by_pointer), "%.*s/current%s", (int)(versions - path),
                           path, rest);
    if (n > 0 && (size_t)n < sizeof(by_pointer) &&
        p->fs->stat_link(p->self, path, &own, &ignored) == E_OK &&
        p->fs->stat_link(p->self, by_pointer, &there, &ignored) == E_OK && own.kind == FS_FILE &&
        there.kind == FS_FILE && own.id[0] == there.id[0] && own.id[1] == there.id[1])
        (void)text_copy(path, SETUP_PATH_ROOM, by_pointer);
}

void place_drop_store(const struct place *p)
{
    struct platform *m = p->setup->platform;
    char versions[SETUP_PATH_ROOM];
    struct err ignored;
    /* Where something is in them they stay. */
    (void)!m->fs->remove_folder(m->self, p->store, &ignored);
    if (p->mode == STATE_SWITCH_POINTER && place_versions(p, versions, &ignored) == E_OK)
        (void)!m->fs->remove_folder(m->self, versions, &ignored);
}

bool place_is_tree_name(const char *name)
{
    const size_t len = strlen(name), hex_len = 2 * RANDOM_LEN;
    uint8_t bytes[RANDOM_LEN];
    if (len < hex_len + 2 || name[len - hex_len - 1] != '-')
        return false;
    return text_from_hex(span_text(name + len - hex_len), bytes, sizeof(bytes));
}

enum errc place_new_name(const struct place *p, const struct version *v, char to[STATE_TREE_ROOM],
                         struct err *err)
{
    struct platform *m = p->setup->platform;
    uint8_t bytes[RANDOM_LEN];
    char hex[TEXT_HEX_LEN(RANDOM_LEN)];
    enum errc rc = m->host->random(m->self, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return rc;
    size_t len = strlen(text_copy(to, STATE_TREE_ROOM - sizeof(hex) - 1, v->text));
    for (size_t i = 0; i < len; i++)
        if (to[i] == '+')
            to[i] = '_';
    (void)snprintf(to + len, STATE_TREE_ROOM - len, "-%s",
                   text_to_hex(span_of(bytes, sizeof(bytes)), hex));
    return E_OK;
}

/* --- which way */

/* try_exchange changes the names of two empty folders in the store. */
static enum errc try_exchange(const struct place *p, struct err *err)
{
    struct platform *m = p->setup->platform;
    char a[SETUP_PATH_ROOM], b[SETUP_PATH_ROOM];
    struct err ignored;
    enum errc rc = setup_join(p->store, "probe-a", a, err);
    if (rc == E_OK)
        rc = setup_join(p->store, "probe-b", b, err);
    if (rc != E_OK)
        return rc;
    (void)m->fs->remove_folder(m->self, a, &ignored);
    (void)m->fs->remove_folder(m->self, b, &ignored);
    rc = m->fs->make_private_folder(m->self, a, err);
    if (rc == E_OK)
        rc = m->fs->make_private_folder(m->self, b, err);
    if (rc == E_OK)
        rc = m->fs->exchange(m->self, a, b, err);
    (void)m->fs->remove_folder(m->self, a, &ignored);
    (void)m->fs->remove_folder(m->self, b, &ignored);
    return rc;
}

/* A folder that is a volume of its own keeps its name. */
static enum errc check_same_volume(const struct place *p, struct err *err)
{
    struct platform *m = p->setup->platform;
    struct fs_info store, folder;
    enum errc rc = m->fs->stat_link(m->self, p->store, &store, err);
    if (rc == E_OK)
        rc = m->fs->stat_link(m->self, p->setup->install, &folder, err);
    if (rc == E_OK && folder.kind == FS_FOLDER && folder.id[0] != store.id[0])
        rc = err_set(err, E_UNSUPPORTED,
                     "the install folder is a volume of its own, which can't change names");
    return rc;
}

enum errc place_probe(const struct place *p, struct err *err)
{
    if (p->mode != STATE_SWITCH_EXCHANGE)
        return E_OK;
    enum errc rc = place_make_store(p, err);
    if (rc == E_OK)
        rc = check_same_volume(p, err);
    if (rc == E_OK)
        rc = try_exchange(p, err);
    place_drop_store(p);
    return rc;
}

/* can_point: `current` is there, or nothing is that would be in the way. */
static enum errc count_name(void *ctx, const char *name, struct err *err)
{
    UNUSED(err);
    if (strcmp(name, "current") != 0 && strcmp(name, "versions") != 0 &&
        strcmp(name, ".surefoot") != 0 && strcmp(name, "lost+found") != 0)
        ++*(size_t *)ctx;
    return E_OK;
}

static enum errc check_pointer(const struct place *p, struct err *err)
{
    struct platform *m = p->setup->platform;
    enum fs_kind kind = FS_ABSENT;
    size_t n = 0;
    enum errc rc = check_above(p, err);
    if (rc == E_OK)
        rc = m->fs->kind(m->self, p->setup->install, &kind, err);
    if (rc == E_OK && kind == FS_FOLDER)
        rc = m->fs->list(m->self, p->setup->install, count_name, &n, err);
    if (rc == E_OK && n > 0)
        rc = err_set(err, E_UNSUPPORTED,
                     "a tree stands in the install folder itself, where a pointer has `current` "
                     "and `versions`; move it away, or say switch=\"exchange\"");
    return rc;
}

static enum errc choose(struct place *p, int said, struct err *err)
{
    struct err why;
    enum errc rc = E_UNSUPPORTED;
    if (said != SWITCH_POINTER) {
        p->mode = STATE_SWITCH_EXCHANGE;
        rc = store_of(p, err);
        if (rc == E_OK)
            rc = place_probe(p, err);
        if (rc != E_UNSUPPORTED || said == SWITCH_EXCHANGE)
            return rc;
        why = *err;
    }
    p->mode = STATE_SWITCH_POINTER;
    rc = store_of(p, err);
    if (rc == E_OK)
        rc = check_pointer(p, err);
    if (rc == E_UNSUPPORTED && said == SWITCH_AUTO)
        (void)err_prefix(err, "%.80s; and ", why.text);
    return rc;
}

static bool is_other_mode(int said, int recorded)
{
    return (said == SWITCH_EXCHANGE && recorded != STATE_SWITCH_EXCHANGE) ||
           (said == SWITCH_POINTER && recorded != STATE_SWITCH_POINTER);
}

static enum errc ignore_product(void *ctx, const struct msi_product *product, struct err *err)
{
    UNUSED(ctx);
    UNUSED(product);
    UNUSED(err);
    return E_OK;
}

static enum errc open_msi(struct place *p, struct err *err)
{
    struct platform *m = p->setup->platform;
    if (p->mode != STATE_SWITCH_NONE && p->mode != STATE_SWITCH_MSI)
        return err_set(err, E_UNSUPPORTED,
                       "it was installed from an archive; the product file now says an MSI");
    p->mode = STATE_SWITCH_MSI;
    enum errc rc =
        m->msi->related(m->self, p->setup->product.install.upgrade_code, ignore_product, NULL, err);
    if (rc == E_UNSUPPORTED)
        return err_set(err, E_UNSUPPORTED,
                       "this system has no Windows Installer; an MSI is for Windows");
    return rc == E_OK ? store_of(p, err) : rc;
}

enum errc place_open(const struct setup *setup, const struct upgrade_state *state,
                     struct place *out, struct err *err)
{
    const int said = setup->product.install.switch_mode;
    out->setup = setup;
    out->mode = state->switch_mode;
    out->store[0] = '\0';
    if (setup_is_msi(setup))
        return open_msi(out, err);
    if (state->switch_mode == STATE_SWITCH_MSI)
        return err_set(err, E_UNSUPPORTED,
                       "Windows Installer installed it; the product file now says an archive");
    if (state->switch_mode == STATE_SWITCH_NONE)
        return choose(out, said, err);
    if (is_other_mode(said, state->switch_mode))
        return err_set(err, E_UNSUPPORTED,
                       "it was installed with switch=\"%s\", which is kept; the product file "
                       "now says another",
                       state_switch_words[state->switch_mode]);
    return store_of(out, err);
}

/* An installation that was begun has left its store. */
enum errc place_find(const struct setup *setup, const struct upgrade_state *state,
                     struct place *out, struct err *err)
{
    static const int modes[] = { STATE_SWITCH_EXCHANGE, STATE_SWITCH_POINTER };
    struct platform *m = setup->platform;
    if (state->switch_mode != STATE_SWITCH_NONE || setup_is_msi(setup))
        return place_open(setup, state, out, err);
    *out = (struct place){ .setup = setup };
    if (setup->install[0] == '\0')
        return err_set(err, E_ABSENT, "there is no install folder");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct fs_info info = { .kind = FS_ABSENT };
        out->mode = modes[i];
        enum errc rc = store_of(out, err);
        if (rc == E_OK)
            rc = m->fs->stat_link(m->self, out->store, &info, err);
        if (rc != E_OK || info.kind == FS_FOLDER)
            return rc;
    }
    return err_set(err, E_ABSENT, "nothing was begun");
}
