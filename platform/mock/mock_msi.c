/* Windows Installer, as far as an upgrade meets it: products with files, of which the old ones go
 * before the new ones come, and ends that are scripted. It writes as any program does, so that
 * nothing of what it wrote lasts until somebody flushes it; what it knows of products lasts. Of an
 * installation that is cut off in the middle it leaves what there is. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"

#define INSTALL_MS 800

/* --- what tests say */

struct mock_package *mock_add_package(struct mock *m, struct span bytes)
{
    m->packages = mock_grow(m->packages, m->n_packages, &m->room_packages, sizeof(m->packages[0]));
    struct mock_package *p = m->packages[m->n_packages++] = mock_calloc(1, sizeof(*p));
    buf_init(&p->bytes, bytes.len + 1);
    if (buf_add(&p->bytes, bytes, NULL) != E_OK)
        abort();
    return p;
}

void mock_add_package_file(struct mock_package *p, const char *path, struct span bytes)
{
    if (p->n_files == ARRAY_LEN(p->files))
        abort();
    struct mock_package_file *file = &p->files[p->n_files++];
    file->path = mock_text(path);
    buf_init(&file->bytes, bytes.len + 1);
    if (buf_add(&file->bytes, bytes, NULL) != E_OK)
        abort();
}

void mock_msi_fini(struct mock *m)
{
    for (size_t i = 0; i < m->n_packages; i++) {
        struct mock_package *p = m->packages[i];
        for (size_t k = 0; k < p->n_files; k++) {
            free(p->files[k].path);
            buf_fini(&p->files[k].bytes);
        }
        buf_fini(&p->bytes);
        free(p);
    }
    free(m->packages);
    free(m->products);
}

static bool is_of(const struct mock_installed *product, const char *upgrade_code)
{
    return strcmp(product->package->upgrade_code, upgrade_code) == 0;
}

const char *mock_find_product(const struct mock *m, const char *upgrade_code)
{
    const char *found = "";
    for (size_t i = 0; i < m->n_products; i++)
        if (is_of(&m->products[i], upgrade_code))
            found = found[0] == '\0' ? m->products[i].package->version : "2";
    return found;
}

void mock_set_installer_busy(struct mock *m, bool is_busy)
{
    m->is_installer_busy = is_busy;
}

void mock_set_restart_pending(struct mock *m, bool is_pending)
{
    m->is_restart_pending = is_pending;
}

void mock_msi_boot(struct mock *m)
{
    if (m->at_boot != NULL)
        mock_put_file(m, m->at_boot->files[0].path, buf_span(&m->at_boot->files[0].bytes), 0644);
    m->at_boot = NULL;
    m->is_restart_pending = m->is_installer_busy = false;
}

/* --- what is known of products */

void mock_register_product(struct mock *m, struct mock_package *p)
{
    m->products = mock_grow(m->products, m->n_products, &m->room_products, sizeof(m->products[0]));
    struct mock_installed *product = &m->products[m->n_products++];
    product->package = p;
    (void)snprintf(product->copy, sizeof(product->copy), "/windows/installer/%s.msi", p->code);
    mock_put_file(m, product->copy, buf_span(&p->bytes), 0644);
}

static void forget_product(struct mock *m, size_t i)
{
    struct err ignored;
    (void)!m->platform.fs->remove(m, m->products[i].copy, &ignored);
    m->products[i] = m->products[--m->n_products];
}

/* --- files, as a program writes them */

static enum errc write_file(struct mock *m, const struct mock_package_file *file, struct err *err)
{
    const struct fs_ops *fs = m->platform.fs;
    char above[4096];
    struct disk_place place;
    enum errc rc = E_OK;
    for (size_t i = 1; file->path[i] != '\0' && rc == E_OK; i++) {
        if (file->path[i] != '/')
            continue;
        (void)snprintf(above, sizeof(above), "%.*s", (int)i, file->path);
        rc = fs->make_folder(m, above, err);
        rc = rc == E_EXISTS ? E_OK : rc;
    }
    if (rc == E_OK)
        rc = disk_find(&m->disk, file->path, false, &place, err);
    if (rc != E_OK)
        return rc;
    char name[256];
    memcpy(name, place.name, sizeof(name));
    struct disk_node *node = disk_node_new(&m->disk, place.folder->volume, FS_FILE, 0644);
    struct disk_change change = { .n = 1, .set = { { place.folder, name, node } } };
    rc = disk_change(&m->disk, &change, "msi_write", file->path, err);
    return rc == E_OK ? disk_write(&m->disk, node, buf_span(&file->bytes), file->path, err) : rc;
}

static enum errc remove_file(struct mock *m, const struct mock_package *p,
                             const struct mock_package_file *file, struct err *err)
{
    char above[4096];
    struct err ignored;
    enum errc rc = m->platform.fs->remove(m, file->path, err);
    if (rc == E_ABSENT)
        rc = E_OK;
    (void)snprintf(above, sizeof(above), "%s", file->path);
    for (char *slash = strrchr(above, '/'); slash != NULL && rc == E_OK;
         slash = strrchr(above, '/')) {
        *slash = '\0';
        if (strlen(above) < strlen(p->folder) ||
            m->platform.fs->remove_folder(m, above, &ignored) != E_OK)
            break;
    }
    return rc;
}

static enum errc take_away(struct mock *m, size_t i, struct err *err)
{
    struct mock_package *p = m->products[i].package;
    enum errc rc = E_OK;
    forget_product(m, i);
    for (size_t k = 0; k < p->n_files && rc == E_OK; k++)
        rc = remove_file(m, p, &p->files[k], err);
    return rc;
}

/* --- ends */

static void end(struct msi_result *out, unsigned code)
{
    static const struct {
        unsigned code;
        enum msi_end end;
        const char *text;
    } ends[] = {
        { 0, MSI_ENDED_WELL, "done" },
        { 3010, MSI_ENDED_FOR_RESTART, "a restart is required" },
        { 1618, MSI_ENDED_BUSY, "another installation is already in progress" },
        { 1603, MSI_ENDED_BADLY, "fatal error during installation" },
        { 1605, MSI_ENDED_BADLY, "this product is not installed" },
        { 1620, MSI_ENDED_BADLY, "the package could not be opened" },
        { 1638, MSI_ENDED_BADLY, "another version of this product is already installed" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (ends[i].code == code) {
            *out = (struct msi_result){ .end = ends[i].end, .code = code };
            (void)text_copy(out->text, sizeof(out->text), ends[i].text);
        }
}

static struct mock_package *find_package(const struct mock *m, const struct disk_node *file)
{
    for (size_t i = 0; i < m->n_packages; i++)
        if (span_equal(buf_span(&m->packages[i]->bytes), buf_span(&file->bytes)))
            return m->packages[i];
    return NULL;
}

/* Why it can't begin; 0: it can. */
static unsigned refusal(const struct mock *m, const struct mock_package *p, bool again)
{
    if (m->is_installer_busy || p->install == INSTALL_IS_BUSY)
        return 1618;
    for (size_t i = 0; i < m->n_products; i++) {
        const struct mock_package *old = m->products[i].package;
        if (strcmp(old->code, p->code) == 0 && !again)
            return 1638;
        if (strcmp(old->upgrade_code, p->upgrade_code) == 0 && strcmp(old->code, p->code) != 0 &&
            strcmp(old->version, p->version) > 0)
            return 1603; /* what the packages' authors say of a newer one */
    }
    return 0;
}

static enum errc put_in_place(struct mock *m, struct mock_package *p, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = m->n_products; i > 0 && rc == E_OK; i--)
        if (is_of(&m->products[i - 1], p->upgrade_code))
            rc = take_away(m, i - 1, err);
    if (p->install == INSTALL_NONE)
        return rc;
    if (p->install == INSTALL_NONE_AT_FIRST) {
        p->install = INSTALL_GOOD;
        return rc;
    }
    const bool waits = p->install == INSTALL_NEEDS_RESTART;
    for (size_t k = waits ? 1 : 0; k < p->n_files && rc == E_OK; k++)
        rc = write_file(m, &p->files[k], err);
    if (rc != E_OK)
        return rc;
    mock_register_product(m, p);
    if (waits) {
        m->at_boot = p;
        m->is_restart_pending = true;
    }
    return E_OK;
}

/* What is left where it failed at the end. */
static void go_back(struct mock *m, struct mock_package *p, struct mock_package *old)
{
    struct err ignored;
    for (size_t i = 0; i < m->n_products; i++)
        if (m->products[i].package == p)
            (void)!take_away(m, i, &ignored);
    if (old == NULL || p->install == INSTALL_LEAVES_NONE)
        return;
    for (size_t k = 0; k < old->n_files; k++)
        mock_put_file(m, old->files[k].path, buf_span(&old->files[k].bytes), 0644);
    mock_register_product(m, old);
}

static struct mock_package *related_to(const struct mock *m, const struct mock_package *p)
{
    for (size_t i = 0; i < m->n_products; i++)
        if (is_of(&m->products[i], p->upgrade_code))
            return m->products[i].package;
    return NULL;
}

/* --- the operations */

static enum errc check_windows(const struct mock *m, struct err *err)
{
    return m->is_windows ? E_OK
                         : err_set(err, E_UNSUPPORTED, "this system has no Windows Installer");
}

static enum errc msi_related(void *self, const char *upgrade_code, msi_product_fn fn, void *ctx,
                             struct err *err)
{
    const struct mock *m = self;
    enum errc rc = check_windows(m, err);
    for (size_t i = 0; i < m->n_products && rc == E_OK; i++) {
        const struct mock_installed *product = &m->products[i];
        struct msi_product shown = { .package = product->copy, .folder = product->package->folder };
        if (!is_of(product, upgrade_code))
            continue;
        (void)text_copy(shown.code, sizeof(shown.code), product->package->code);
        (void)text_copy(shown.version, sizeof(shown.version), product->package->version);
        rc = fn(ctx, &shown, err);
    }
    return rc;
}

/* One line is added, as a log is that is added to: the version, or the code of what was taken away,
 * and how it ended. */
static void add_to_log(struct mock *m, const char *log, const char *what, unsigned code)
{
    char line[120];
    struct disk_node *node = NULL;
    if (log == NULL)
        return;
    const int n = snprintf(line, sizeof(line), "%.80s %u\n", what, code);
    const struct span text = span_of((const uint8_t *)line, (size_t)n);
    if (disk_get(&m->disk, log, false, &node, NULL) != E_OK)
        mock_put_file(m, log, text, 0644);
    else if (buf_add(&node->bytes, text, NULL) != E_OK ||
             buf_add(&node->stable_bytes, text, NULL) != E_OK)
        abort();
}

static enum errc msi_install(void *self, const char *package, bool again, const char *log,
                             struct msi_result *out, struct err *err)
{
    struct mock *m = self;
    struct disk_node *file = NULL;
    bool is_ignored = false;
    enum errc rc = check_windows(m, err);
    if (rc == E_OK)
        rc = disk_get(&m->disk, package, false, &file, err);
    if (rc == E_OK)
        rc = fault_ask(m->disk.plan, FAULT_ACT, "msi_install", package, &is_ignored, err);
    if (rc != E_OK)
        return rc;
    if (file->n_readers == 0)
        return err_set(err, E_INTERNAL, "%.160s: nobody holds it while it is installed", package);
    struct mock_package *p = find_package(m, file), *old = NULL;
    is_ignored |= p != NULL && p->install == INSTALL_NOTHING;
    end(out, p == NULL ? 1620 : is_ignored ? 0 : refusal(m, p, again));
    if (p == NULL || is_ignored || out->code != 0)
        return E_OK;
    old = related_to(m, p);
    mock_pass(m, INSTALL_MS);
    if (put_in_place(m, p, err) != E_OK) {
        end(out, 1603);
        add_to_log(m, log, p->version, out->code);
        return E_OK;
    }
    if (p->install == INSTALL_FAILS || p->install == INSTALL_LEAVES_NONE)
        go_back(m, p, old);
    end(out, p->install == INSTALL_GOOD || p->install == INSTALL_NONE ? 0
             : p->install == INSTALL_NEEDS_RESTART                    ? 3010
                                                                      : 1603);
    add_to_log(m, log, p->version, out->code);
    return E_OK;
}

static enum errc msi_remove(void *self, const char *product_code, const char *log,
                            struct msi_result *out, struct err *err)
{
    struct mock *m = self;
    bool is_ignored = false;
    enum errc rc = check_windows(m, err);
    if (rc == E_OK)
        rc = fault_ask(m->disk.plan, FAULT_ACT, "msi_remove", product_code, &is_ignored, err);
    if (rc != E_OK)
        return rc;
    end(out, is_ignored ? 0 : m->is_installer_busy ? 1618 : 1605);
    for (size_t i = 0; i < m->n_products && out->code == 1605; i++) {
        const enum mock_install how = m->products[i].package->remove;
        if (strcmp(m->products[i].package->code, product_code) != 0)
            continue;
        mock_pass(m, INSTALL_MS);
        const bool is_good = how == INSTALL_GOOD || how == INSTALL_NEEDS_RESTART;
        if (how == INSTALL_NOTHING) {
            end(out, 0);
            break;
        }
        const bool is_done = is_good && take_away(m, i, err) == E_OK;
        end(out, !is_done ? 1603 : how == INSTALL_NEEDS_RESTART ? 3010 : 0);
        m->is_restart_pending |= is_done && how == INSTALL_NEEDS_RESTART;
    }
    add_to_log(m, log, product_code, out->code);
    return E_OK;
}

static enum errc msi_is_busy(void *self, bool *out, struct err *err)
{
    const struct mock *m = self;
    enum errc rc = check_windows(m, err);
    if (rc == E_OK)
        *out = m->is_installer_busy;
    return rc;
}

static enum errc msi_restart_pending(void *self, bool *out, struct err *err)
{
    const struct mock *m = self;
    enum errc rc = check_windows(m, err);
    if (rc == E_OK)
        *out = m->is_restart_pending;
    return rc;
}

const struct msi_ops mock_msi_ops = { .related = msi_related,
                                      .install = msi_install,
                                      .remove = msi_remove,
                                      .is_busy = msi_is_busy,
                                      .restart_pending = msi_restart_pending };
