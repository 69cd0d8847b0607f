#include <stdio.h>
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

enum errc installed_find(const struct place *place, const struct memory *memory, enum target_os os,
                         enum target_arch arch, struct installed *out, struct err *err)
{
    bool is_read = false;
    *out = (struct installed){ .is_there = false };
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
