/* Windows Installer through msi.dll, which is loaded when it is asked, from the system's own folder
 * (msi_library.c). Not yet seen on Microsoft's own Windows: what is said of it here is by its
 * documentation, and by wine.
 *
 * Properties that a package is installed with: ALLUSERS=1 for the whole machine, REBOOT=
 * ReallySuppress so that nothing restarts it, MSIRESTARTMANAGERCONTROL=Disable so that no program
 * is ended behind our back. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/msi_code.h"
#include "platform/win32/msi_parts.h"
#include "platform/win32/w32.h"

#define PROPERTIES L"ALLUSERS=1 REBOOT=ReallySuppress MSIRESTARTMANAGERCONTROL=Disable"
#define LOG_MODES                                                                                  \
    (INSTALLLOGMODE_FATALEXIT | INSTALLLOGMODE_ERROR | INSTALLLOGMODE_WARNING |                    \
     INSTALLLOGMODE_INFO | INSTALLLOGMODE_ACTIONSTART | INSTALLLOGMODE_OUTOFDISKSPACE)
#define VALUE_UNITS 1024

/* --- what is installed */

static enum errc get_text(const struct msi_library *l, const wchar_t *code, const wchar_t *name,
                          char **out, struct err *err)
{
    wchar_t value[VALUE_UNITS];
    DWORD n = VALUE_UNITS;
    UINT os = l->get_info(code, name, value, &n);
    if (os == ERROR_UNKNOWN_PROPERTY)
        value[0] = L'\0';
    else if (os != ERROR_SUCCESS)
        return w32_err_set(err, os, "Windows Installer does not say what it knows of a product");
    return w32_utf8(value, out, err);
}

/* Paths are ours: with "/", and none at the end. */
static void to_our_path(char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < len; i++)
        if (path[i] == '\\')
            path[i] = '/';
    while (len > 3 && path[len - 1] == '/')
        path[--len] = '\0';
}

static enum errc tell(const struct msi_library *l, const wchar_t *code, msi_product_fn fn,
                      void *ctx, struct err *err)
{
    struct msi_product product = { .code = "" };
    char *text = NULL, *version = NULL, *package = NULL, *folder = NULL;
    enum errc rc = w32_utf8(code, &text, err);
    if (rc == E_OK)
        rc = get_text(l, code, INSTALLPROPERTY_VERSIONSTRING, &version, err);
    if (rc == E_OK)
        rc = get_text(l, code, INSTALLPROPERTY_LOCALPACKAGE, &package, err);
    if (rc == E_OK)
        rc = get_text(l, code, INSTALLPROPERTY_INSTALLLOCATION, &folder, err);
    if (rc == E_OK && strlen(version) >= sizeof(product.version))
        rc = err_set(err, E_LIMIT, "the version of %.40s is too long", text);
    if (rc == E_OK) {
        to_our_path(package);
        to_our_path(folder);
        (void)text_copy(product.code, sizeof(product.code), text);
        (void)text_copy(product.version, sizeof(product.version), version);
        product.package = package;
        product.folder = folder;
        rc = fn(ctx, &product, err);
    }
    free(text);
    free(version);
    free(package);
    free(folder);
    return rc;
}

/* One that is only advertised, or another user's, is not installed for the machine. */
static enum errc msi_related(void *self, const char *upgrade_code, msi_product_fn fn, void *ctx,
                             struct err *err)
{
    struct msi_library l;
    wchar_t *upgrade = NULL;
    wchar_t code[MSI_GUID_ROOM];
    UNUSED(self);
    enum errc rc = msi_library_load(&l, err);
    if (rc == E_OK)
        rc = w32_wide(upgrade_code, &upgrade, err);
    for (DWORD i = 0; rc == E_OK; i++) {
        UINT os = l.enum_related(upgrade, 0, i, code);
        if (os == ERROR_NO_MORE_ITEMS)
            break;
        if (os != ERROR_SUCCESS)
            rc = w32_err_set(err, os, "Windows Installer does not say what is installed");
        else if (l.query_state(code) == INSTALLSTATE_DEFAULT)
            rc = tell(&l, code, fn, ctx, err);
    }
    free(upgrade);
    return rc;
}

/* --- how it ended */

static void describe(UINT code, char *to, size_t room)
{
    wchar_t wide[256];
    DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    DWORD n = FormatMessageW(flags, NULL, code, 0, wide, (DWORD)ARRAY_LEN(wide), NULL);
    char *text = NULL;
    while (n > 0 && (wide[n - 1] == L'\r' || wide[n - 1] == L'\n' || wide[n - 1] == L'.'))
        wide[--n] = L'\0';
    if (n == 0 || w32_utf8(wide, &text, NULL) != E_OK)
        (void)snprintf(to, room, "error %u", code);
    else
        (void)text_printable(span_text(text), to, room);
    free(text);
}

static void end(UINT code, struct msi_result *out)
{
    *out = (struct msi_result){ .end = msi_code_end(code), .code = code };
    describe(code, out->text, sizeof(out->text));
}

/* --- installing */

/* Windows Installer takes no \\?\ paths: the path as it is, with the system's own separators. */
static enum errc plain_path(const char *path, wchar_t **out, struct err *err)
{
    enum errc rc = w32_wide(path, out, err);
    for (wchar_t *c = *out; rc == E_OK && *c != L'\0'; c++)
        if (*c == L'/')
            *c = L'\\';
    return rc;
}

/* Windows Installer keeps what it was told last: without a log of ours it writes none. */
static enum errc set_log(const struct msi_library *l, const char *log, struct err *err)
{
    wchar_t *path = NULL;
    enum errc rc = log == NULL ? E_OK : plain_path(log, &path, err);
    if (rc == E_OK)
        (void)l->enable_log(path == NULL ? 0 : LOG_MODES, path,
                            path == NULL ? 0 : INSTALLLOGATTRIBUTES_APPEND);
    free(path);
    return rc;
}

static enum errc begin(struct msi_library *l, const char *log, struct err *err)
{
    enum errc rc = msi_library_load(l, err);
    if (rc != E_OK)
        return rc;
    (void)l->set_ui(INSTALLUILEVEL_NONE, NULL);
    return set_log(l, log, err);
}

static enum errc msi_install(void *self, const char *package, bool again, const char *log,
                             struct msi_result *out, struct err *err)
{
    struct msi_library l;
    wchar_t *path = NULL;
    UNUSED(self);
    enum errc rc = begin(&l, log, err);
    if (rc == E_OK)
        rc = plain_path(package, &path, err);
    if (rc == E_OK)
        end(l.install(path, again ? PROPERTIES L" REINSTALL=ALL REINSTALLMODE=vamus" : PROPERTIES),
            out);
    free(path);
    return rc;
}

static enum errc msi_remove(void *self, const char *product_code, const char *log,
                            struct msi_result *out, struct err *err)
{
    struct msi_library l;
    wchar_t *code = NULL;
    UNUSED(self);
    enum errc rc = begin(&l, log, err);
    if (rc == E_OK)
        rc = w32_wide(product_code, &code, err);
    if (rc == E_OK)
        end(l.configure(code, INSTALLLEVEL_DEFAULT, INSTALLSTATE_ABSENT, PROPERTIES), out);
    free(code);
    return rc;
}

/* --- is it at work */

/* Windows Installer's service holds this mutex while it changes the machine. */
static enum errc msi_is_busy(void *self, bool *out, struct err *err)
{
    struct platform *p = platform_native();
    UNUSED(self);
    return p->host->mutex_held(p->self, "Global\\_MSIExecute", out, err);
}

static bool has_key(const wchar_t *name)
{
    HKEY key = NULL;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, name, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key) !=
        ERROR_SUCCESS)
        return false;
    (void)RegCloseKey(key);
    return true;
}

/* What Windows itself waits with: servicing, updates, a Windows Installer that was cut off by a
 * restart. Files that any program has put off are not asked for: they are there for months. */
static enum errc msi_restart_pending(void *self, bool *out, struct err *err)
{
    static const wchar_t *const keys[] = {
        L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending",
        L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired",
        L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Installer\\InProgress",
    };
    UNUSED(self);
    UNUSED(err);
    *out = false;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        *out = *out || has_key(keys[i]);
    return E_OK;
}

const struct msi_ops native_msi_ops = { .related = msi_related,
                                        .install = msi_install,
                                        .remove = msi_remove,
                                        .is_busy = msi_is_busy,
                                        .restart_pending = msi_restart_pending };
