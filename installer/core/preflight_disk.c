/* Room on every volume that an upgrade writes to, its needs there added up. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "installer/core/preflight_private.h"
#include "platform/base/num.h"
#include "platform/base/text.h"

#define VOLUMES_MAX 64
#define STATE_BYTES (2U * 1024 * 1024) /* of the state folder: documents and the journal */

struct volume {
    uint64_t id;
    char path[SETUP_PATH_ROOM]; /* a folder on it that is there */
    uint64_t needed;
    bool is_written;
};

struct volumes {
    size_t n;
    struct volume items[VOLUMES_MAX];
};

/* nearest finds the folder itself, or the first above it that is there. */
static enum errc nearest(struct platform *p, const char *path, char to[SETUP_PATH_ROOM],
                         struct fs_info *info, struct err *err)
{
    enum fs_kind kind = FS_ABSENT;
    char above[SETUP_PATH_ROOM];
    text_copy(to, SETUP_PATH_ROOM, path);
    for (;;) {
        enum errc rc = p->fs->kind(p->self, to, &kind, err);
        if (rc != E_OK)
            return rc;
        if (kind == FS_FOLDER)
            return p->fs->stat_link(p->self, to, info, err);
        setup_parent(to, above);
        if (strcmp(above, to) == 0)
            return err_set(err, E_ABSENT, "%.120s: no folder above it is there", path);
        text_copy(to, SETUP_PATH_ROOM, above);
    }
}

static enum errc need(struct platform *p, struct volumes *v, const char *path, uint64_t bytes,
                      struct err *err)
{
    char folder[SETUP_PATH_ROOM];
    struct fs_info info;
    enum errc rc = nearest(p, path, folder, &info, err);
    if (rc != E_OK)
        return rc;
    size_t i = 0;
    while (i < v->n && v->items[i].id != info.id[0])
        i++;
    if (i == VOLUMES_MAX)
        return err_set(err, E_LIMIT, "more than %d volumes", VOLUMES_MAX);
    if (i == v->n) {
        v->items[v->n] = (struct volume){ .id = info.id[0] };
        text_copy(v->items[v->n++].path, SETUP_PATH_ROOM, folder);
    }
    v->items[i].is_written = true;
    if (!num_add(v->items[i].needed, bytes, &v->items[i].needed))
        v->items[i].needed = UINT64_MAX;
    return E_OK;
}

static uint64_t less(uint64_t all, uint64_t there)
{
    return all > there ? all - there : 0;
}

/* --- what an upgrade writes, and where */

static enum errc need_data(const struct preflight_ask *ask, struct volumes *v, struct err *err)
{
    const struct product_files *files = &ask->setup->product.files;
    enum errc rc = E_OK;
    for (size_t k = 0; ask->survey != NULL && k < files->data.n && rc == E_OK; k++) {
        const struct files_data *d = &files->data.items[k];
        char path[SETUP_PATH_ROOM];
        if (d->protect != DATA_SNAPSHOT)
            continue;
        if (d->path != NULL)
            text_copy(path, sizeof(path), ask->stage_folder);
        else
            rc = setup_resolve(ask->setup, d->folder, path, err);
        if (rc == E_OK)
            rc = need(ask->setup->platform, v, path, ask->survey->data_bytes[k], err);
    }
    return rc;
}

/* Of an MSI the package lies in our store, and what is in it goes where the product lies, twice
 * for a moment: Windows Installer keeps what it replaces until it is done. */
static enum errc need_msi(const struct preflight_ask *ask, struct volumes *v, struct err *err)
{
    struct platform *p = ask->setup->platform;
    const struct payload *payload = ask->payload;
    const char *folder = ask->setup->install[0] != '\0' ? ask->setup->install : ask->setup->state;
    uint64_t unpacked = payload != NULL ? payload->unpacked_size : 0;
    if (!num_add(unpacked, unpacked, &unpacked))
        unpacked = UINT64_MAX;
    enum errc rc = need(p, v, ask->stage_folder,
                        payload != NULL && ask->staged_bytes == 0 ? payload->size : 0, err);
    return rc == E_OK ? need(p, v, folder, unpacked, err) : rc;
}

static enum errc need_all(const struct preflight_ask *ask, struct volumes *v, struct err *err)
{
    struct platform *p = ask->setup->platform;
    uint64_t staged = 0;
    v->n = 0;
    if (ask->payload != NULL)
        staged = ask->payload->size + ask->payload->unpacked_size;
    if (ask->survey != NULL)
        staged += ask->survey->carry_bytes;
    enum errc rc = setup_is_msi(ask->setup)
                       ? need_msi(ask, v, err)
                       : need(p, v, ask->stage_folder, less(staged, ask->staged_bytes), err);
    if (rc == E_OK)
        rc = need(p, v, ask->setup->state, STATE_BYTES, err);
    return rc == E_OK ? need_data(ask, v, err) : rc;
}

/* --- against what there is */

static const char *human(uint64_t bytes, char to[32])
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < ARRAY_LEN(units) - 1; unit++)
        value /= 1024;
    (void)snprintf(to, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return to;
}

static enum errc compare(const struct preflight_row_ask *row, const char *path, uint64_t needed,
                         const char *result, const char *what, struct err *err)
{
    struct platform *p = row->ask->setup->platform;
    char need_text[32], free_text[32], shown[120];
    uint64_t free = 0;
    enum errc rc = p->fs->free_bytes(p->self, path, &free, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_DISK, rc, err);
    if (free >= needed)
        return E_OK;
    return preflight_add(row->out, CHECK_DISK, result, "the volume of %s has %s free, %s %s",
                         text_printable(span_text(path), shown, sizeof(shown)),
                         human(free, free_text), what, human(needed, need_text));
}

enum errc preflight_room(const struct preflight_row_ask *row, struct err *err)
{
    struct volumes v;
    enum errc rc = need_all(row->ask, &v, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_DISK, rc, err);
    for (size_t i = 0; i < v.n && rc == E_OK; i++)
        rc = compare(row, v.items[i].path, v.items[i].needed,
                     result_name(RESULT_INSUFFICIENT_DISK_SPACE), "the upgrade takes", err);
    return rc;
}

/* --- headroom */

static enum errc headroom_everywhere(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_disk *wanted = &row->check->of.disk;
    struct volumes v;
    enum errc rc = need_all(row->ask, &v, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_DISK, rc, err);
    for (size_t i = 0; i < v.n && rc == E_OK; i++) {
        uint64_t needed = 0;
        if (!num_add(v.items[i].needed, wanted->headroom_bytes, &needed))
            needed = UINT64_MAX;
        rc = compare(row, v.items[i].path, needed, row->check->result,
                     "the upgrade with its headroom takes", err);
    }
    return rc;
}

enum errc preflight_disk(const struct preflight_row_ask *row, struct err *err)
{
    const struct check_disk *wanted = &row->check->of.disk;
    char path[SETUP_PATH_ROOM], folder[SETUP_PATH_ROOM];
    struct fs_info info;
    struct volumes v;
    uint64_t needed = wanted->headroom_bytes;
    if (wanted->folder == NULL)
        return headroom_everywhere(row, err);
    enum errc rc = setup_resolve(row->ask->setup, wanted->folder, path, err);
    if (rc == E_OK)
        rc = nearest(row->ask->setup->platform, path, folder, &info, err);
    if (rc == E_OK)
        rc = need_all(row->ask, &v, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_DISK, rc, err);
    for (size_t i = 0; i < v.n; i++)
        if (v.items[i].id == info.id[0] && !num_add(needed, v.items[i].needed, &needed))
            needed = UINT64_MAX;
    return compare(row, folder, needed, row->check->result, "wanted are", err);
}
