#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "installer/core/upgrade_private.h"
#include "platform/base/text.h"

static bool find_word(const char *const *words, const char *word, int *out)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], word) == 0) {
            *out = i;
            return true;
        }
    return false;
}

enum errc upgrade_target(const struct setup *setup, enum target_os *os, enum target_arch *arch,
                         struct err *err)
{
    struct platform *p = setup->platform;
    struct host_os host;
    int said_os = setup->product.install.os, said_arch = setup->product.install.arch;
    enum errc rc = p->host->os(p->self, &host, err);
    if (rc != E_OK)
        return rc;
    if (said_os == PRODUCT_OS_HOST && !find_word(target_os_words, host.os, &said_os))
        return err_set(err, E_UNSUPPORTED, "no release can be for this system (%s)", host.os);
    if (said_arch == PRODUCT_OS_HOST && !find_word(target_arch_words, host.arch, &said_arch))
        return err_set(err, E_UNSUPPORTED, "no release can be for this processor (%s)", host.arch);
    *os = (enum target_os)said_os;
    *arch = (enum target_arch)said_arch;
    return E_OK;
}

static enum errc read_release(const struct memory *memory, const char *tree, struct release *out,
                              bool *out_known, struct err *err)
{
    char name[STATE_TREE_ROOM + 32];
    struct buf bytes;
    (void)snprintf(name, sizeof(name), "proof/%s/release.xml", tree);
    *out_known = false;
    enum errc rc = memory_read(memory, name, RELEASE_BYTES_MAX, &bytes, err);
    if (rc != E_OK)
        return rc == E_ABSENT ? E_OK : rc;
    rc = release_read_unverified(buf_span(&bytes), out, err);
    buf_fini(&bytes);
    *out_known = rc == E_OK;
    return rc == E_OK ? rc : err_prefix(err, "%s: ", name);
}

static enum errc find_pristine(const struct memory *memory, struct installed *out, struct err *err)
{
    struct platform *p = memory->setup->platform;
    char name[STATE_TREE_ROOM + 32];
    enum fs_kind kind = FS_ABSENT;
    (void)snprintf(name, sizeof(name), "pristine/%s", memory->state.tree);
    enum errc rc = memory_path(memory, name, out->pristine, err);
    if (rc == E_OK)
        rc = p->fs->kind(p->self, out->pristine, &kind, err);
    if (rc == E_OK && kind != FS_FOLDER)
        out->pristine[0] = '\0';
    return rc;
}

bool installed_is(const struct installed *i, const struct payload *msi)
{
    return i->n_related > 0 && msi_kept_is_code(msi->product_code, i->msi.product.code) &&
           strcmp(msi->product_version.text, i->msi.product.version) == 0;
}

/* We put it there if it is what the release says whose proof we keep. */
static enum errc find_msi(const struct memory *memory, enum target_os os, enum target_arch arch,
                          struct installed *out, struct err *err)
{
    struct msi_installed *all = malloc(sizeof(*all));
    bool is_read = false;
    if (all == NULL)
        return err_nomem(err);
    enum errc rc = msi_switch_look(memory->setup, all, err);
    if (rc == E_OK && all->n > 0) {
        out->is_there = true;
        out->n_related = all->n;
        out->msi = all->items[0];
        out->msi.product.package = out->msi.package;
        out->msi.product.folder = out->msi.folder;
    }
    free(all);
    if (rc != E_OK || !out->is_there || memory->state.tree[0] == '\0')
        return rc;
    rc = read_release(memory, memory->state.tree, &out->release, &is_read, err);
    if (rc != E_OK || !is_read)
        return rc;
    out->payload = release_find_payload(&out->release, os, arch, PAYLOAD_MSI);
    out->is_known = out->payload != NULL && installed_is(out, out->payload);
    if (!out->is_known) {
        release_fini(&out->release);
        out->payload = NULL;
    }
    return E_OK;
}

enum errc installed_find(const struct place *place, const struct memory *memory, enum target_os os,
                         enum target_arch arch, struct installed *out, struct err *err)
{
    bool is_read = false;
    *out = (struct installed){ .is_there = false };
    if (place->mode == STATE_SWITCH_MSI)
        return find_msi(memory, os, arch, out, err);
    enum errc rc = place_current(place, out->tree, &out->is_there, err);
    if (rc != E_OK || !out->is_there || memory->state.tree[0] == '\0')
        return rc;
    out->is_known = true;
    rc = read_release(memory, memory->state.tree, &out->release, &is_read, err);
    if (rc == E_OK && is_read)
        out->payload = release_find_payload(&out->release, os, arch, PAYLOAD_ARCHIVE);
    return rc == E_OK ? find_pristine(memory, out, err) : rc;
}

void installed_fini(struct installed *i)
{
    if (i->is_known)
        release_fini(&i->release);
    *i = (struct installed){ .is_there = false };
}
