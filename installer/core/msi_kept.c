#include "installer/core/msi_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/copy.h"
#include "installer/core/stage.h"
#include "platform/base/text.h"
#include "verify/digest.h"
#include "verify/msi_package.h"

#define NOTE_MAX 256
#define HEX_LEN 64

bool msi_kept_is_code(const char *a, const char *b)
{
    size_t i = 0;
    for (; a[i] != '\0' && b[i] != '\0'; i++)
        if (a[i] != b[i] &&
            !((a[i] ^ b[i]) == 0x20 && (a[i] | 0x20) >= 'a' && (a[i] | 0x20) <= 'f'))
            return false;
    return a[i] == b[i];
}

enum errc msi_kept_path(const struct place *place, const char *name, char to[SETUP_PATH_ROOM],
                        struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    enum errc rc = place_run(place, name, folder, err);
    return rc == E_OK ? setup_join(folder, "package.msi", to, err) : rc;
}

/* --- what it is */

static void note_name(const char *name, char to[STATE_TREE_ROOM + 32])
{
    (void)snprintf(to, STATE_TREE_ROOM + 32, "proof/%s/package", name);
}

enum errc msi_kept_note(struct memory *memory, const char *name, const struct msi_identity *id,
                        struct err *err)
{
    char folder[STATE_TREE_ROOM + 16], file[STATE_TREE_ROOM + 32], line[NOTE_MAX];
    char hex[TEXT_HEX_LEN(32)];
    (void)snprintf(folder, sizeof(folder), "proof/%s", name);
    note_name(name, file);
    (void)snprintf(line, sizeof(line), "%s %s %s\n", id->code, id->version,
                   text_to_hex(span_of(id->sha256, 32), hex));
    enum errc rc = memory_make_folder(memory, folder, err);
    return rc == E_OK ? memory_write(memory, file, span_text(line), err) : rc;
}

/* A word up to a blank; false where there is none or it does not fit. */
static bool take_word(const char **at, char *to, size_t room)
{
    const size_t len = strcspn(*at, " \n");
    if (len == 0 || len >= room)
        return false;
    memcpy(to, *at, len);
    to[len] = '\0';
    *at += len + ((*at)[len] == ' ');
    return true;
}

static enum errc read_note(struct span bytes, struct msi_identity *out, struct err *err)
{
    char line[NOTE_MAX], hex[HEX_LEN + 1];
    const char *at = line;
    if (bytes.len >= sizeof(line) || memchr(bytes.ptr, '\0', bytes.len) != NULL)
        return err_set(err, E_MALFORMED, "is no note of a package");
    memcpy(line, bytes.ptr, bytes.len);
    line[bytes.len] = '\0';
    *out = (struct msi_identity){ .code = "" };
    if (!take_word(&at, out->code, sizeof(out->code)) ||
        !take_word(&at, out->version, sizeof(out->version)) || !take_word(&at, hex, sizeof(hex)) ||
        strcmp(at, "\n") != 0 || !text_from_hex(span_text(hex), out->sha256, sizeof(out->sha256)))
        return err_set(err, E_MALFORMED, "is no note of a package");
    return E_OK;
}

enum errc msi_kept_recall(const struct memory *memory, const char *name, struct msi_identity *out,
                          struct err *err)
{
    char file[STATE_TREE_ROOM + 32];
    struct buf bytes;
    note_name(name, file);
    enum errc rc = memory_read(memory, file, NOTE_MAX, &bytes, err);
    if (rc != E_OK)
        return rc;
    rc = read_note(buf_span(&bytes), out, err);
    buf_fini(&bytes);
    return rc == E_OK ? rc : err_prefix(err, "%s: ", file);
}

static enum errc take_text(char *to, size_t room, const char *from, const char *what,
                           struct err *err)
{
    if (from[0] == '\0' || strlen(from) >= room || strpbrk(from, " \n") != NULL)
        return err_set(err, E_MALFORMED, "the package has no %s that can be used", what);
    (void)text_copy(to, room, from);
    return E_OK;
}

static void to_capitals(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'a' && *text <= 'f')
            *text = (char)(*text - 'a' + 'A');
}

enum errc msi_kept_read(struct source *package, struct msi_identity *out, struct err *err)
{
    struct msi_package *said = calloc(1, sizeof(*said));
    struct digest_set set;
    if (said == NULL)
        return err_nomem(err);
    enum errc rc = msi_package_read(package, said, err);
    if (rc == E_OK)
        rc = take_text(out->code, sizeof(out->code), said->product_code, "product code", err);
    if (rc == E_OK)
        rc = take_text(out->version, sizeof(out->version), said->version, "version", err);
    if (rc == E_OK)
        rc = digest_source(package, DIGEST_BIT(DIGEST_SHA256), &set, err);
    if (rc == E_OK) {
        to_capitals(out->code);
        memcpy(out->sha256, digest_span(&set.of[DIGEST_SHA256]).ptr, 32);
    }
    free(said);
    return rc;
}

/* --- held */

static enum errc check_hash(struct msi_held *held, const char *name, struct err *err)
{
    struct digest_set set;
    enum errc rc = digest_source(held->source, DIGEST_BIT(DIGEST_SHA256), &set, err);
    if (rc == E_OK &&
        !span_equal(digest_span(&set.of[DIGEST_SHA256]), span_of(held->id.sha256, 32)))
        rc = err_set(err, E_REFUSED, "the package that is kept of %.100s is not what it was", name);
    return rc;
}

enum errc msi_kept_hold(const struct memory *memory, const struct place *place, const char *name,
                        struct msi_held *out, struct err *err)
{
    struct platform *p = memory->setup->platform;
    *out = (struct msi_held){ .source = NULL };
    enum errc rc = msi_kept_recall(memory, name, &out->id, err);
    if (rc == E_OK)
        rc = msi_kept_path(place, name, out->path, err);
    if (rc == E_OK)
        rc = p->fs->open_source_nofollow(p->self, out->path, &out->source, err);
    if (rc != E_OK)
        return rc;
    rc = check_hash(out, name, err);
    if (rc != E_OK)
        msi_kept_release(out);
    return rc;
}

void msi_kept_release(struct msi_held *held)
{
    source_close(held->source);
    held->source = NULL;
}

/* --- how it comes there */

static enum errc make_place(const struct place *place, const char *name, char to[SETUP_PATH_ROOM],
                            struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    enum errc rc = place_make_store(place, err);
    if (rc == E_OK)
        rc = place_run(place, name, folder, err);
    if (rc == E_OK)
        rc = setup_make_folder(place->setup->platform, folder, true, err);
    if (rc == E_EXISTS)
        rc = E_OK;
    return rc == E_OK ? msi_kept_path(place, name, to, err) : rc;
}

enum errc msi_kept_take_in(const struct place *place, const char *from, const char *name,
                           struct err *err)
{
    struct platform *p = place->setup->platform;
    char to[SETUP_PATH_ROOM];
    enum errc rc = make_place(place, name, to, err);
    if (rc == E_OK)
        rc = p->fs->rename_new(p->self, from, to, err);
    return rc == E_OK ? setup_sync_parent(p, to, err) : rc;
}

static enum errc copy_to(struct platform *p, const char *from, const char *to, struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    setup_parent(to, folder);
    enum errc rc = stage_sweep(p, to, err); /* of a copy that was interrupted */
    if (rc == E_OK)
        rc = copy_file(p, from, to, err);
    return rc == E_OK ? p->fs->flush_tree(p->self, folder, err) : rc;
}

/* The copy is read, not what it was made of: that one is held by nobody. */
static enum errc look_at_copy(struct memory *memory, const char *name, const char *path,
                              const struct msi_product *product, struct err *err)
{
    struct platform *p = memory->setup->platform;
    struct source *source = NULL;
    struct msi_identity id = { .code = "" };
    enum errc rc = p->fs->open_source_nofollow(p->self, path, &source, err);
    if (rc == E_OK)
        rc = msi_kept_read(source, &id, err);
    source_close(source);
    if (rc == E_OK && strcmp(id.code, product->code) != 0)
        rc = err_set(err, E_REFUSED,
                     "Windows Installer's own package of %.40s is of another product",
                     product->code);
    else if (rc == E_OK && strcmp(id.version, product->version) != 0) /* it was patched */
        rc = err_set(err, E_REFUSED,
                     "Windows Installer's own package of %.40s is of version %.32s, and %.32s is "
                     "installed",
                     product->code, id.version, product->version);
    return rc == E_OK ? msi_kept_note(memory, name, &id, err) : rc;
}

enum errc msi_kept_adopt(struct memory *memory, const struct place *place, const char *name,
                         const struct msi_product *product, struct err *err)
{
    struct platform *p = memory->setup->platform;
    char to[SETUP_PATH_ROOM];
    if (product->package[0] == '\0')
        return err_set(err, E_ABSENT, "Windows Installer has no package of %.40s", product->code);
    enum errc rc = make_place(place, name, to, err);
    if (rc == E_OK)
        rc = copy_to(p, product->package, to, err);
    if (rc == E_OK)
        rc = look_at_copy(memory, name, to, product, err);
    return rc == E_OK ? rc : err_prefix(err, "the package of the old version: ");
}

enum errc msi_kept_secure(struct memory *memory, const struct place *place, const char *name,
                          const struct msi_product *product, struct msi_held *out, struct err *err)
{
    enum errc rc = msi_kept_hold(memory, place, name, out, err);
    if (rc == E_OK && strcmp(out->id.code, product->code) == 0 &&
        strcmp(out->id.version, product->version) == 0)
        return E_OK;
    if (rc == E_OK)
        msi_kept_release(out);
    else if (rc != E_ABSENT && rc != E_REFUSED && rc != E_MALFORMED)
        return rc;
    rc = msi_kept_adopt(memory, place, name, product, err);
    return rc == E_OK ? msi_kept_hold(memory, place, name, out, err) : rc;
}
