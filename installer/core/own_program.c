#include "installer/core/own_program.h"

#include <stdio.h>
#include <string.h>

#include "installer/core/copy.h"
#include "installer/core/own_program_private.h"
#include "platform/base/text.h"
#include "verify/digest.h"

#define RANDOM_LEN 6

struct aside {
    const struct setup *setup;
    char own[SETUP_PATH_ROOM];    /* the program that runs */
    char folder[SETUP_PATH_ROOM]; /* STATE/own */
    char copy[SETUP_PATH_ROOM];   /* there, what is to take its place */
    char was[SETUP_PATH_ROOM];    /* there, where it goes */
};

/* --- is it about us */

enum errc own_program_path(const struct setup *setup, char to[SETUP_PATH_ROOM], struct err *err)
{
    struct platform *p = setup->platform;
    enum errc rc = p->proc->own_program(p->self, to, SETUP_PATH_ROOM, err);
    if (rc == E_OK)
        os_path_slashes(p->paths, to);
    return rc;
}

/* By what the file is, not by how its path is written: there are short names, and letters' case. */
enum errc own_program_is_of(const struct setup *setup, bool *out, struct err *err)
{
    struct platform *p = setup->platform;
    struct fs_info own = { .kind = FS_ABSENT }, there = { .kind = FS_ABSENT };
    char ours[SETUP_PATH_ROOM], path[SETUP_PATH_ROOM];
    *out = false;
    if (setup->install[0] == '\0')
        return E_OK;
    enum errc rc = own_program_path(setup, ours, err);
    if (rc == E_OK)
        rc = setup_join(setup->install, os_path_name(p->paths, ours), path, err);
    if (rc == E_OK)
        rc = p->fs->stat_link(p->self, ours, &own, err);
    if (rc == E_OK)
        rc = p->fs->stat_link(p->self, path, &there, err);
    *out = rc == E_OK && own.kind == FS_FILE && there.kind == FS_FILE && own.id[0] == there.id[0] &&
           own.id[1] == there.id[1];
    return rc;
}

/* --- the folder */

struct sweep {
    const struct setup *setup;
    const char *folder;
};

static enum errc sweep_one(void *ctx, const char *name, struct err *err)
{
    const struct sweep *s = ctx;
    struct platform *p = s->setup->platform;
    char path[SETUP_PATH_ROOM];
    struct err ignored;
    if (strcmp(name, OWN_PROGRAM_KEPT) == 0)
        return E_OK;
    enum errc rc = setup_join(s->folder, name, path, err);
    if (rc == E_OK)
        (void)!p->fs->remove(p->self, path, &ignored); /* one that runs stays */
    return rc;
}

enum errc own_program_sweep(const struct setup *setup, const char *folder, struct err *err)
{
    struct platform *p = setup->platform;
    struct sweep s = { setup, folder };
    return p->fs->list(p->self, folder, sweep_one, &s, err);
}

enum errc own_program_folder(const struct setup *setup, char to[SETUP_PATH_ROOM], struct err *err)
{
    enum errc rc = setup_join(setup->state, "own", to, err);
    if (rc == E_OK)
        rc = setup_make_folders(setup->platform, to, true, err);
    return rc == E_OK ? setup_guard(setup, to, 0, err) : rc;
}

static enum errc name_files(struct aside *a, struct err *err)
{
    struct platform *p = a->setup->platform;
    uint8_t bytes[RANDOM_LEN];
    char hex[TEXT_HEX_LEN(RANDOM_LEN)], name[sizeof(hex) + 8];
    enum errc rc = p->host->random(p->self, bytes, sizeof(bytes), err);
    if (rc != E_OK)
        return rc;
    (void)text_to_hex(span_of(bytes, sizeof(bytes)), hex);
    (void)snprintf(name, sizeof(name), "%s.new", hex);
    rc = setup_join(a->folder, name, a->copy, err);
    (void)snprintf(name, sizeof(name), "%s.exe", hex);
    return rc == E_OK ? setup_join(a->folder, name, a->was, err) : rc;
}

static enum errc open_folder(struct aside *a, struct err *err)
{
    enum errc rc = own_program_folder(a->setup, a->folder, err);
    if (rc == E_OK)
        rc = own_program_sweep(a->setup, a->folder, err);
    return rc == E_OK ? name_files(a, err) : rc;
}

/* --- the copy */

static enum errc hash(struct platform *p, const char *path, struct digest_set *out, struct err *err)
{
    struct source *src = NULL;
    enum errc rc = p->fs->open_source_nofollow(p->self, path, &src, err);
    if (rc == E_OK)
        rc = digest_source(src, DIGEST_BIT(DIGEST_SHA256), out, err);
    source_close(src);
    return rc == E_OK ? rc : setup_name_path(path, err);
}

enum errc own_program_is_same(struct platform *p, const char *a, const char *b, bool *out,
                              struct err *err)
{
    struct digest_set of_a, of_b;
    enum errc rc = hash(p, a, &of_a, err);
    if (rc == E_OK)
        rc = hash(p, b, &of_b, err);
    if (rc == E_OK)
        *out =
            span_equal(digest_span(&of_a.of[DIGEST_SHA256]), digest_span(&of_b.of[DIGEST_SHA256]));
    return rc;
}

static enum errc make_copy(const struct aside *a, struct err *err)
{
    struct platform *p = a->setup->platform;
    struct fs_info info;
    bool is_left_out = false, is_same = false;
    enum errc rc = p->fs->stat_link(p->self, a->own, &info, err);
    if (rc == E_OK)
        rc = copy_one(p, a->own, a->copy, &info, &is_left_out, err);
    if (rc == E_OK)
        rc = p->fs->flush_tree(p->self, a->folder, err);
    if (rc == E_BUSY) /* by an earlier program that still runs, which no one has just written */
        rc = E_OK;
    if (rc == E_OK)
        rc = own_program_is_same(p, a->own, a->copy, &is_same, err);
    if (rc == E_OK && !is_same)
        rc = err_set(err, E_IO, "the copy of the program that runs is not what it is");
    return rc;
}

/* --- the two change places */

static enum errc change_places(const struct aside *a, struct err *err)
{
    struct platform *p = a->setup->platform;
    struct err ignored;
    enum errc rc = p->fs->rename_new(p->self, a->own, a->was, err);
    if (rc != E_OK)
        return rc;
    rc = p->fs->rename_new(p->self, a->copy, a->own, err);
    if (rc != E_OK) {
        (void)!p->fs->rename_new(p->self, a->was, a->own, &ignored);
        return rc;
    }
    rc = setup_sync_parent(p, a->own, err);
    return rc == E_OK ? setup_sync_parent(p, a->was, err) : rc;
}

enum errc own_program_step_aside(const struct setup *setup, struct err *err)
{
    struct aside a = { .setup = setup };
    struct platform *p = setup->platform;
    struct err ignored;
    bool is_ours = false;
    enum errc rc = own_program_is_of(setup, &is_ours, err);
    if (rc != E_OK || !is_ours)
        return rc;
    rc = own_program_path(setup, a.own, err);
    if (rc == E_OK)
        rc = open_folder(&a, err);
    if (rc == E_OK)
        rc = make_copy(&a, err);
    if (rc == E_OK)
        rc = change_places(&a, err);
    if (rc != E_OK && a.copy[0] != '\0')
        (void)!p->fs->remove(p->self, a.copy, &ignored);
    return rc == E_OK ? rc : err_prefix(err, "the program that runs cannot go aside: ");
}
