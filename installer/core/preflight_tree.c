/* The installed tree, and whether we may do to it what an upgrade does. */

#include <stdio.h>
#include <string.h>

#include "installer/core/data.h"
#include "installer/core/marker.h"
#include "installer/core/preflight_private.h"
#include "platform/base/text.h"

#define NAMED_MAX 5

/* list_names writes the first few of a class: "a, b and 3 more". */
static void list_names(const struct survey *s, enum survey_class class, char *to, size_t room)
{
    size_t named = 0, len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < s->n && named < NAMED_MAX; i++) {
        char shown[60];
        if (s->entries[i].class != class)
            continue;
        int n = snprintf(to + len, room - len, "%s%s", named > 0 ? ", " : "",
                         text_printable(span_text(s->entries[i].path), shown, sizeof(shown)));
        if (n < 0 || (size_t)n >= room - len)
            break;
        len += (size_t)n;
        named++;
    }
    if (s->n_of[class] > named && len < room)
        (void)snprintf(to + len, room - len, " and %zu more", s->n_of[class] - named);
}

static enum errc check_survey(const struct preflight_row_ask *row, struct err *err)
{
    const struct survey *s = row->ask->survey;
    char names[220];
    enum errc rc = E_OK;
    UNUSED(err);
    if (s == NULL)
        return E_OK;
    if (s->n_of[SURVEY_STOP] > 0) {
        list_names(s, SURVEY_STOP, names, sizeof(names));
        rc = preflight_add(row->out, CHECK_SETTING, "UpgradeNotSupportedUnlistedFiles",
                           "no release lists %s: say what becomes of them (<unlisted>)", names);
    }
    if (rc == E_OK && s->n_of[SURVEY_FOREIGN] > 0) {
        list_names(s, SURVEY_FOREIGN, names, sizeof(names));
        rc = preflight_add(row->out, CHECK_SETTING, "UpgradeNotSupportedMountPoint",
                           "another volume is mounted in the tree: %s", names);
    }
    return rc;
}

static enum errc check_data(const struct preflight_row_ask *row, struct err *err)
{
    const struct setup *setup = row->ask->setup;
    struct data_place place = { .setup = setup, .run = "check", .run_folder = setup->state };
    enum errc rc = E_OK;
    for (size_t k = 0; k < setup->product.files.data.n && rc == E_OK; k++) {
        rc = data_check(&place, k, err);
        if (rc == E_UNSUPPORTED)
            rc = preflight_add(row->out, CHECK_SETTING, "UpgradeNotSupportedDataMountPoint", "%s",
                               err->text);
        else
            rc = preflight_unknown(row, CHECK_SETTING, rc, err);
    }
    return rc;
}

enum errc preflight_tree(const struct preflight_row_ask *row, struct err *err)
{
    enum errc rc = check_survey(row, err);
    return rc == E_OK ? check_data(row, err) : rc;
}

/* --- rights */

static enum errc check_folder(const struct preflight_row_ask *row, const char *folder,
                              const char *result, struct err *err)
{
    struct platform *p = row->ask->setup->platform;
    enum fs_kind kind = FS_ABSENT;
    bool can = false;
    char shown[120];
    enum errc rc = p->fs->kind(p->self, folder, &kind, err);
    if (rc == E_OK && kind != FS_FOLDER)
        return E_OK; /* it is made, or missed, where it is needed */
    if (rc == E_OK)
        rc = p->fs->can_write(p->self, folder, &can, err);
    if (rc != E_OK)
        return preflight_unknown(row, CHECK_GROUP, rc, err);
    return can ? E_OK
               : preflight_add(row->out, CHECK_GROUP, result,
                               "we may not write in %s, or its volume is read-only",
                               text_printable(span_text(folder), shown, sizeof(shown)));
}

/* Where no one can tell whether it could be set it could not be. */
static enum errc check_marker(const struct preflight_row_ask *row, struct err *err)
{
    enum errc rc = marker_check(row->ask->setup, err);
    if (rc == E_OK || rc == E_NOMEM || rc == E_INTERNAL)
        return rc;
    return preflight_add(row->out, CHECK_GROUP, result_name(RESULT_COULD_NOT_SET_MARKER), "%s",
                         err->text);
}

enum errc preflight_access(const struct preflight_row_ask *row, struct err *err)
{
    const struct setup *setup = row->ask->setup;
    char parent[SETUP_PATH_ROOM];
    enum errc rc = E_OK;
    setup_parent(setup->install, parent);
    if (setup->product.install.kind == PAYLOAD_ARCHIVE)
        rc = check_folder(row, parent, "UpgradeAbortedInsufficientPermissions", err);
    if (rc == E_OK)
        rc = check_folder(row, setup->state, result_name(RESULT_COULD_NOT_SET_MARKER), err);
    return rc == E_OK ? check_marker(row, err) : rc;
}
