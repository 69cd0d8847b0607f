#include "manifest/product_private.h"

#include <stdio.h>
#include <string.h>

#define ARENA_MAX (8 * 1024 * 1024)
#define EVENT_SOURCE_MAX 128

/* --- folders and marker */

static const struct schema_value folders_values[] = {
    SCHEMA_MAY("state", VALUE_ARGUMENT, struct product, state_folder),
    SCHEMA_MAY("cache", VALUE_ARGUMENT, struct product, cache_folder),
};
static const struct schema_element folders = { .name = "folders",
                                               SCHEMA_VALUES(folders_values),
                                               .max = 1 };

static enum errc check_marker(void *record, struct err *err)
{
    const struct product_marker *marker = record;
    if (strncmp(marker->registry, "HKLM\\", 5) != 0)
        return err_set(err, E_MALFORMED, "the registry key does not begin with HKLM\\");
    return E_OK;
}

static const struct schema_value marker_values[] = {
    SCHEMA_MUST("registry", VALUE_ARGUMENT, struct product_marker, registry),
    SCHEMA_MUST("value", VALUE_ARGUMENT, struct product_marker, value),
};
static const struct schema_element marker = { .name = "marker",
                                              SCHEMA_VALUES(marker_values),
                                              .max = 1,
                                              .store = STORE_FIELD,
                                              .at = offsetof(struct product, marker),
                                              .check = check_marker };

/* --- the whole */

static void begin_product(void *record)
{
    struct product *p = record;
    p->channel = "stable";
    product_health_defaults(&p->health);
    product_policy_defaults(&p->policy);
}

/* settle_names fills in a title and an event source where nothing was said. */
static enum errc settle_names(struct product *p, struct err *err)
{
    char source[EVENT_SOURCE_MAX + 1];
    if (p->title == NULL)
        p->title = p->name;
    if (p->event_source != NULL)
        return E_OK;
    int len = snprintf(source, sizeof(source), "%s Upgrade", p->title);
    if (len < 0 || (size_t)len >= sizeof(source))
        return err_set(err, E_MALFORMED,
                       "the title is too long to make an event source of: say \"event-source\", "
                       "at most %d bytes",
                       EVENT_SOURCE_MAX);
    return arena_text(&p->arena, span_text(source), &p->event_source, err);
}

/* A source is the name of a registry key on Windows and a word of the log elsewhere. */
static enum errc check_event_source(const struct product *p, struct err *err)
{
    if (strlen(p->event_source) > EVENT_SOURCE_MAX)
        return err_set(err, E_MALFORMED, "\"event-source\" is longer than %d bytes",
                       EVENT_SOURCE_MAX);
    if (strchr(p->event_source, '\\') != NULL)
        return err_set(err, E_MALFORMED,
                       "the event source \"%.60s\" has a backslash in it: say another in "
                       "\"event-source\"",
                       p->event_source);
    return E_OK;
}

static enum errc check_demands(const struct product *p, struct err *err)
{
    if (p->install.kind == PAYLOAD_ARCHIVE && p->trust.has_authenticode)
        return err_set(err, E_MALFORMED,
                       "no archive can carry an <authenticode> signature: everything would be "
                       "refused; demand <minisign> or <cms> of its payload");
    return E_OK;
}

static bool has_schedule_check(const struct product *p)
{
    return product_checks_have(&p->checks, CHECK_SCHEDULE) ||
           product_checks_have(&p->policy.default_state.conditions, CHECK_SCHEDULE);
}

static enum errc check_running(const struct product *p, struct err *err)
{
    if (p->services.items.n == 0 && p->health.http.n == 0 && p->health.commands.n == 0)
        return err_set(err, E_MALFORMED,
                       "nothing tells whether a new version is healthy: name a <service>, or "
                       "<http> or <command> in <health>");
    if (!p->scheduler.is_there && has_schedule_check(p))
        return err_set(err, E_MALFORMED,
                       "a check asks the product's own <scheduler>, and there is none: add it, or "
                       "leave <schedule/> out");
    return E_OK;
}

static bool is_slash(char c)
{
    return c == '/' || c == '\\';
}

/* is_inside compares as written, and can tell only where both were written from the same place. */
static bool is_inside(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    while (len > 1 && is_slash(folder[len - 1]))
        len--;
    for (size_t i = 0; i < len; i++)
        if (path[i] != folder[i] && !(is_slash(path[i]) && is_slash(folder[i])))
            return false;
    return path[len] == '\0' || is_slash(path[len]);
}

static enum errc check_outside(const struct product *p, const char *what, const char *path,
                               struct err *err)
{
    if (path == NULL || p->install.folder == NULL || !is_inside(path, p->install.folder))
        return E_OK;
    return err_set(err, E_MALFORMED,
                   "the %s %.80s is inside the install folder, which is switched as a whole: put "
                   "it elsewhere",
                   what, path);
}

static enum errc check_data_folder(const struct product *p, const char *folder, struct err *err)
{
    if (folder == NULL || p->install.folder == NULL)
        return E_OK;
    if (is_inside(folder, p->install.folder))
        return err_set(err, E_MALFORMED,
                       "the data folder %.80s is inside the install folder: say it as \"path\"",
                       folder);
    if (is_inside(p->install.folder, folder))
        return err_set(err, E_MALFORMED,
                       "the data folder %.80s has the install folder in it: name the folders "
                       "beside it",
                       folder);
    return E_OK;
}

static enum errc check_places(const struct product *p, struct err *err)
{
    enum errc rc = check_outside(p, "state folder", p->state_folder, err);
    if (rc == E_OK)
        rc = check_outside(p, "cache folder", p->cache_folder, err);
    for (size_t i = 0; rc == E_OK && i < p->files.data.n; i++)
        rc = check_data_folder(p, p->files.data.items[i].folder, err);
    return rc;
}

static enum errc check_product(void *record, struct err *err)
{
    struct product *p = record;
    enum errc rc = settle_names(p, err);
    if (rc == E_OK)
        rc = check_event_source(p, err);
    if (rc == E_OK)
        rc = check_demands(p, err);
    if (rc == E_OK)
        rc = check_running(p, err);
    return rc == E_OK ? check_places(p, err) : rc;
}

static const struct schema_value product_values[] = {
    SCHEMA_MUST("name", VALUE_NAME, struct product, name),
    SCHEMA_MAY("title", VALUE_TEXT, struct product, title),
    SCHEMA_MAY("channel", VALUE_NAME, struct product, channel),
    SCHEMA_MAY("event-source", VALUE_TEXT, struct product, event_source),
};
static const struct schema_element *const product_children[] = { &product_install_element,
                                                                 &product_fetch_element,
                                                                 &folders,
                                                                 &marker,
                                                                 &product_trust_element,
                                                                 &product_services_element,
                                                                 &product_scheduler_element,
                                                                 &product_checks_element,
                                                                 &product_health_element,
                                                                 &product_files_element,
                                                                 &product_policy_element,
                                                                 NULL };
static const struct schema_element root = {
    .name = "product",
    SCHEMA_VALUES(product_values),
    .children = product_children,
    .begin = begin_product,
    .check = check_product,
};

enum errc product_read(struct span bytes, struct product *out, struct err *err)
{
    struct product product = { .name = NULL };
    arena_init(&product.arena, ARENA_MAX);
    enum errc rc =
        schema_read(bytes, PRODUCT_BYTES_MAX, PRODUCT_NS, &root, &product, &product.arena, err);
    if (rc != E_OK)
        product_fini(&product);
    else
        *out = product;
    return rc;
}

void product_fini(struct product *product)
{
    arena_fini(&product->arena);
    *product = (struct product){ .name = NULL };
}
