#include "keys/publish/release_private.h"

#include <stdio.h>
#include <string.h>

#include "keys/publish/feed_place.h"
#include "keys/publish/payload_of.h"
#include "platform/base/text.h"

#define NAME_ROOM_BYTES 512

enum errc release_check_folders(struct release_making *m)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = feed_place_make_folder(m->platform, m->ask->dir, &m->made_dir, m->err);
    if (rc == E_OK)
        rc = release_name_folder(m, path);
    if (rc == E_OK)
        rc = release_kind_at(m, path, &kind);
    if (rc == E_OK && kind != FS_ABSENT && kind != FS_FOLDER)
        rc = release_prefix_path(m, err_set(m->err, E_EXISTS, "is there and is no folder"), path);
    m->lacks_folder = kind == FS_ABSENT;
    return rc;
}

/* --- what is there already */

enum errc release_check_not_in_feed(const struct release_making *m)
{
    struct feed feed;
    bool is_there = false;
    enum errc rc = feed_place_read_unverified(m->platform, m->ask->dir, &feed, &is_there, m->err);
    if (rc != E_OK || !is_there)
        return rc;
    if (feed_find_release(&feed, &m->ask->version) != NULL)
        rc = err_set(m->err, E_EXISTS,
                     "the feed in this folder names release %s: once it is named, a release never "
                     "changes; make a new version",
                     m->ask->version.text);
    feed_fini(&feed);
    return rc;
}

static bool is_same_place(const struct payload *a, const struct payload *b)
{
    return a->kind == b->kind && a->os == b->os && a->arch == b->arch;
}

static enum errc check_old(const struct release_making *m)
{
    bool has_same = false, has_others = false;
    for (size_t i = 0; i < m->old.payloads.n; i++) {
        bool same = is_same_place(&m->old.payloads.items[i], &m->payload);
        has_same = has_same || same;
        has_others = has_others || !same;
    }
    if (strcmp(m->old.product, m->ask->product) != 0)
        return err_set(m->err, E_EXISTS, "is of product %s", m->old.product);
    if (strcmp(m->old.version.text, m->ask->version.text) != 0)
        return err_set(m->err, E_EXISTS, "is of version %s", m->old.version.text);
    if (m->ask->is_addition && has_same)
        return err_set(m->err, E_EXISTS,
                       "has a payload for this system and processor already; to begin anew, empty "
                       "the folder");
    if (!m->ask->is_addition && has_others)
        return err_set(m->err, E_EXISTS,
                       "has payloads for other systems; --add adds to them; to begin anew, empty "
                       "the folder");
    return E_OK;
}

enum errc release_read_old(struct release_making *m)
{
    char path[RELEASE_MAKE_PATH_ROOM];
    struct buf bytes = { .ptr = NULL };
    enum fs_kind kind = FS_ABSENT;
    enum errc rc = release_join(m, RELEASE_DOCUMENT_NAME, NULL, path);
    if (rc == E_OK)
        rc = release_kind_at(m, path, &kind);
    if (rc == E_OK && kind == FS_ABSENT && m->ask->is_addition)
        return err_set(m->err, E_ARGUMENT,
                       "--add: there is no %s/" RELEASE_DOCUMENT_NAME " to add to",
                       m->ask->version.text);
    if (rc != E_OK || kind == FS_ABSENT)
        return rc;
    rc = platform_read_file(m->platform, path, RELEASE_BYTES_MAX, &bytes, m->err);
    if (rc == E_OK)
        rc = release_read_unverified(buf_span(&bytes), &m->old, m->err);
    m->has_old = rc == E_OK;
    if (rc == E_OK)
        rc = check_old(m);
    buf_fini(&bytes);
    return release_prefix_path(m, rc, path);
}

/* --- the source */

/* open_given finds out what was given: a folder, an installer package, or else an archive. */
static enum errc open_source_given(struct release_making *m)
{
    enum fs_kind kind;
    bool is_msi = false;
    enum errc rc = m->platform->fs->kind(m->platform->self, m->ask->source, &kind, m->err);
    m->payload.os = m->ask->os;
    m->payload.arch = m->ask->arch;
    if (rc == E_OK && kind == FS_FOLDER)
        return E_OK;
    if (rc == E_OK)
        rc = m->platform->fs->open_source(m->platform->self, m->ask->source, &m->source, m->err);
    if (rc == E_OK)
        rc = payload_looks_like_msi(m->source, &is_msi, m->err);
    if (rc == E_OK && is_msi) {
        rc = payload_of_msi(m->source, &m->arena, &m->payload, m->err);
        m->payload.kind = PAYLOAD_MSI;
    }
    return release_prefix_path(m, rc, m->ask->source);
}

/* --- where the signatures go */

enum errc release_check_places(const struct release_making *m)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < m->ask->signers->n && rc == E_OK; i++) {
        char path[RELEASE_MAKE_PATH_ROOM];
        struct buf old;
        bool ignored;
        rc = release_join(m, m->payload.path, signer_suffix(m->ask->signers->items[i]), path);
        if (rc != E_OK)
            return rc;
        rc = release_prefix_path(m, signers_read_place(m->platform, path, &old, &ignored, m->err),
                                 path);
        buf_fini(&old);
    }
    return rc;
}

/* --- what is never packed */

static enum errc add_unwanted(const struct release_making *m, const char *path, const char *why,
                              struct tree_unwanted *list, size_t *n)
{
    struct fs_info info;
    enum errc rc = tree_identify(m->platform, path, &info, m->err);
    if (rc == E_OK && info.kind != FS_ABSENT)
        list[(*n)++] = (struct tree_unwanted){ { info.id[0], info.id[1] }, why };
    return release_prefix_path(m, rc, path);
}

static enum errc add_file(struct release_making *m, const struct signers_file *file,
                          struct tree_unwanted *list, size_t *n)
{
    char text[160];
    const char *why;
    (void)snprintf(text, sizeof(text),
                   "is the file that --%s names, and would be published: move it out of the folder",
                   file->option);
    enum errc rc = arena_text(&m->arena, span_text(text), &why, m->err);
    return rc == E_OK ? add_unwanted(m, file->path, why, list, n) : rc;
}

enum errc release_list_unwanted(struct release_making *m,
                                struct tree_unwanted out[RELEASE_UNWANTED_MAX], size_t *out_n)
{
    static const char why[] =
        "is where the release goes (--dir), and would be packed into itself: name a folder outside";
    struct signers_file files[SIGNERS_FILES_MAX];
    char path[RELEASE_MAKE_PATH_ROOM];
    size_t n = 0, n_files = signers_list_files(m->ask->signers, files);
    enum errc rc = add_unwanted(m, m->ask->dir, why, out, &n);
    if (rc == E_OK)
        rc = release_name_folder(m, path);
    if (rc == E_OK)
        rc = add_unwanted(m, path, why, out, &n);
    for (size_t i = 0; i < n_files && rc == E_OK; i++)
        rc = add_file(m, &files[i], out, &n);
    *out_n = n;
    return rc;
}

/* --- the payload's name */

static const char *word_of(uint32_t set, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if ((set >> i & 1) != 0)
            return words[i];
    return "any";
}

/* What the package says of itself is not overruled. */
static enum errc check_msi_systems(struct release_making *m)
{
    const struct release_ask *ask = m->ask;
    if (m->payload.kind != PAYLOAD_MSI)
        return E_OK;
    if (ask->os != 0 && ask->os != m->payload.os)
        return err_set(m->err, E_ARGUMENT, "--os %s, and an installer package is for windows",
                       word_of(ask->os, target_os_words));
    if (ask->arch != 0 && m->payload.arch != 0 && ask->arch != m->payload.arch)
        return err_set(m->err, E_ARGUMENT, "--arch %s, and the package says %s",
                       word_of(ask->arch, target_arch_words),
                       word_of(m->payload.arch, target_arch_words));
    if (m->payload.arch == 0)
        m->payload.arch = ask->arch;
    return E_OK;
}

/* In any case of letters: to some systems that is the same name. */
static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    if (len < end_len)
        return false;
    for (const char *at = name + len - end_len; *at != '\0'; at++, end++)
        if ((*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at) != *end)
            return false;
    return true;
}

static enum errc check_name(const char *name, struct err *err)
{
    static const char *const endings[] = { ".minisig", ".p7s" };
    if (strlen(name) == strlen(RELEASE_DOCUMENT_NAME) && ends_in(name, RELEASE_DOCUMENT_NAME))
        return err_set(err, E_ARGUMENT,
                       "a payload can't be called " RELEASE_DOCUMENT_NAME ": rename the file");
    if (name[0] == '.')
        return err_set(err, E_ARGUMENT, "a payload's name can't begin with \".\": rename the file");
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (ends_in(name, endings[i]))
            return err_set(
                err, E_ARGUMENT,
                "a payload's name can't end in %s, as a signature's does: rename the file",
                endings[i]);
    return E_OK;
}

/* NAME-V-OS-ARCH.tar.zst for a folder; a file keeps its name. */
static enum errc name_payload(struct release_making *m)
{
    char name[NAME_ROOM_BYTES];
    const struct release_ask *ask = m->ask;
    const char *given = ask->source;
    for (const char *at = given; *at != '\0' && m->source != NULL; at++)
        if ((*at == '/' || *at == '\\') && at[1] != '\0')
            given = at + 1;
    int n = m->source != NULL
                ? snprintf(name, sizeof(name), "%s", given)
                : snprintf(name, sizeof(name), "%s-%s%s%s%s%s.tar.zst", ask->product,
                           ask->version.text, ask->os == 0 ? "" : "-",
                           ask->os == 0 ? "" : word_of(ask->os, target_os_words),
                           ask->arch == 0 ? "" : "-",
                           ask->arch == 0 ? "" : word_of(ask->arch, target_arch_words));
    if (n < 0 || n >= (int)sizeof(name))
        return err_set(m->err, E_ARGUMENT, "a file name longer than %d bytes", NAME_ROOM_BYTES - 1);
    enum errc rc = check_name(name, m->err);
    if (rc != E_OK)
        return release_prefix_path(m, rc, ask->source);
    return arena_text(&m->arena, span_text(name), &m->payload.path, m->err);
}

enum errc release_open_given(struct release_making *m)
{
    enum errc rc = open_source_given(m);
    if (rc == E_OK)
        rc = check_msi_systems(m);
    return rc == E_OK ? name_payload(m) : rc;
}
