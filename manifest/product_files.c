#include "manifest/product_private.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/path.h"

#define FILES_MAX 500 /* of each kind */

static const char *const configuration_words[] = { "keep", "replace", "merge", NULL };
static const char *const protect_words[] = { "snapshot", "command", "none", NULL };
static const char *const unlisted_words[] = { "stop", "carry", "leave-behind", NULL };

/* --- the table */

static const struct schema_value configuration_values[] = {
    SCHEMA_MUST("path", VALUE_PATH, struct files_configuration, path),
    SCHEMA_MUST("action", VALUE_WORD, struct files_configuration, action,
                .words = configuration_words),
};
static const struct schema_element configuration = {
    .name = "configuration",
    SCHEMA_VALUES(configuration_values),
    .max = FILES_MAX,
    .store = STORE_LIST,
    .at = offsetof(struct product_files, configuration),
    .record_size = sizeof(struct files_configuration),
};

static enum errc check_data(void *record, struct err *err)
{
    const struct files_data *data = record;
    int n = (data->backup.args.n > 0) + (data->restore.args.n > 0);
    if (data->path == NULL && data->folder == NULL)
        return err_set(
            err, E_MALFORMED,
            "says neither \"path\" (inside the install folder) nor \"folder\" (outside)");
    if (data->path != NULL && data->folder != NULL)
        return err_set(err, E_MALFORMED, "says both \"path\" and \"folder\": leave one out");
    if (data->protect == DATA_COMMAND && n != 2)
        return err_set(err, E_MALFORMED,
                       "is protected by commands, and needs both <backup> and <restore>");
    if (data->protect != DATA_COMMAND && n != 0)
        return err_set(err, E_MALFORMED,
                       "has commands that nobody would run: say protect=\"command\", or leave them "
                       "out");
    return E_OK;
}

static const struct schema_element backup = COMMAND_ELEMENT("backup", struct files_data, backup);
static const struct schema_element restore = COMMAND_ELEMENT("restore", struct files_data, restore);
static const struct schema_value data_values[] = {
    SCHEMA_MAY("path", VALUE_PATH, struct files_data, path),
    SCHEMA_MAY("folder", VALUE_ARGUMENT, struct files_data, folder),
    SCHEMA_MUST("protect", VALUE_WORD, struct files_data, protect, .words = protect_words),
};
static const struct schema_element *const data_children[] = { &backup, &restore, NULL };
static const struct schema_element data_element = { .name = "data",
                                                    SCHEMA_VALUES(data_values),
                                                    .children = data_children,
                                                    .max = FILES_MAX,
                                                    .store = STORE_LIST,
                                                    .at = offsetof(struct product_files, data),
                                                    .record_size = sizeof(struct files_data),
                                                    .check = check_data };

static const struct schema_value unlisted_values[] = {
    SCHEMA_MUST("path", VALUE_PATH, struct files_unlisted, path),
    SCHEMA_MUST("action", VALUE_WORD, struct files_unlisted, action, .words = unlisted_words),
};
static const struct schema_element unlisted = { .name = "unlisted",
                                                SCHEMA_VALUES(unlisted_values),
                                                .max = FILES_MAX,
                                                .store = STORE_LIST,
                                                .at = offsetof(struct product_files, exceptions),
                                                .record_size = sizeof(struct files_unlisted) };

/* --- questions */

bool product_files_is_in(const char *path, const char *folder)
{
    const size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

const struct files_configuration *
product_files_find_configuration(const struct product_files *files, const char *path)
{
    for (size_t i = 0; i < files->configuration.n; i++)
        if (strcmp(files->configuration.items[i].path, path) == 0)
            return &files->configuration.items[i];
    return NULL;
}

const struct files_data *product_files_find_data(const struct product_files *files,
                                                 const char *path)
{
    for (size_t k = 0; k < files->data.n; k++)
        if (files->data.items[k].path != NULL && strcmp(files->data.items[k].path, path) == 0)
            return &files->data.items[k];
    return NULL;
}

/* --- no two that contradict each other */

/* A path of <files>, whichever list it is in. */
struct named {
    const char *what, *path;
    bool is_data;     /* moved whole, so nothing else may be said of what is in it */
    bool is_unlisted; /* may lie in another unlisted one: the longer path holds */
};

struct names {
    size_t n;
    struct named items[3 * FILES_MAX];
    struct path_entry entries[3 * FILES_MAX];
};

static void add_name(struct names *names, const char *what, const char *path)
{
    struct named item = { .what = what, .path = path };
    item.is_data = strcmp(what, "data") == 0;
    item.is_unlisted = strcmp(what, "unlisted") == 0;
    names->entries[names->n] = (struct path_entry){
        .path = span_text(path),
        .is_folder = item.is_data || item.is_unlisted,
    };
    names->items[names->n++] = item;
}

static void collect(const struct product_files *files, struct names *names)
{
    for (size_t i = 0; i < files->configuration.n; i++)
        add_name(names, "configuration", files->configuration.items[i].path);
    for (size_t i = 0; i < files->data.n; i++)
        if (files->data.items[i].path != NULL)
            add_name(names, "data", files->data.items[i].path);
    for (size_t i = 0; i < files->exceptions.n; i++)
        add_name(names, "unlisted", files->exceptions.items[i].path);
}

static bool is_at_or_in(const char *path, const char *folder)
{
    return strcmp(path, folder) == 0 || product_files_is_in(path, folder);
}

static enum errc check_pair(const struct named *a, const struct named *b, struct err *err)
{
    if (strcmp(a->path, b->path) == 0)
        return err_set(err, E_MALFORMED, "%.100s is named twice, as <%s> and as <%s>", a->path,
                       b->what, a->what);
    if (b->is_data && is_at_or_in(a->path, b->path))
        return err_set(err, E_MALFORMED,
                       "<%s> %.80s is inside the <data> %.80s, which is moved whole", a->what,
                       a->path, b->path);
    if (a->is_data && is_at_or_in(b->path, a->path))
        return err_set(err, E_MALFORMED,
                       "<%s> %.80s is inside the <data> %.80s, which is moved whole", b->what,
                       b->path, a->path);
    return E_OK;
}

static enum errc check_names(const struct names *names, struct err *err)
{
    for (size_t i = 0; i < names->n; i++)
        for (size_t k = 0; k < i; k++) {
            enum errc rc = check_pair(&names->items[i], &names->items[k], err);
            if (rc != E_OK)
                return rc;
        }
    return path_set_check(names->entries, names->n, NULL, NULL, err);
}

static enum errc check_files(void *record, struct err *err)
{
    struct names *names = calloc(1, sizeof(*names));
    if (names == NULL)
        return err_nomem(err);
    collect(record, names);
    enum errc rc = check_names(names, err);
    free(names);
    return rc;
}

static const struct schema_value files_values[] = {
    SCHEMA_MAY("unlisted", VALUE_WORD, struct product_files, unlisted, .words = unlisted_words),
};
static const struct schema_element *const files_children[] = { &configuration, &data_element,
                                                               &unlisted, NULL };
const struct schema_element product_files_element = {
    .name = "files",
    SCHEMA_VALUES(files_values),
    .children = files_children,
    .max = 1,
    .store = STORE_FIELD,
    .at = offsetof(struct product, files),
    .check = check_files,
};
