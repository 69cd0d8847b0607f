#include "installer/core/marker.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/text.h"

#define FILE_NAME "marker"
#define FILE_MAX (64 * 1024)
#define BEGINS_WITH "upgrade to "
#define TEXT_ROOM 200

static enum errc name_place(const struct product_marker *at, struct err *err)
{
    char key[120], value[80];
    return err_prefix(err, "%s: %s: ", text_printable(span_text(at->registry), key, sizeof(key)),
                      text_printable(span_text(at->value), value, sizeof(value)));
}

/* --- the registry; errors without the place */

static enum errc check_right(struct platform *p, const struct product_marker *at, struct err *err)
{
    bool can = false;
    enum errc rc = p->registry->can_write(p->self, at->registry, &can, err);
    if (rc == E_OK && !can)
        rc = err_set(err, E_ACCESS, "the marker of an upgrade may not be written there");
    return rc;
}

/* One that is too long to be read here is not ours. */
static enum errc check_owner(struct platform *p, const struct product_marker *at, struct err *err)
{
    char text[TEXT_ROOM];
    bool found = false;
    enum errc rc =
        p->registry->get(p->self, at->registry, at->value, text, sizeof(text), &found, err);
    if (rc == E_LIMIT ||
        (rc == E_OK && found && !span_starts_with(span_text(text), span_text(BEGINS_WITH))))
        rc = err_set(err, E_EXISTS,
                     "the marker of an upgrade is there, and not ours: another upgrade may be "
                     "under way; remove it if none is");
    return rc;
}

enum errc marker_check(const struct setup *setup, struct err *err)
{
    const struct product_marker *at = &setup->product.marker;
    if (at->registry == NULL)
        return E_OK;
    enum errc rc = check_owner(setup->platform, at, err);
    if (rc == E_OK)
        rc = check_right(setup->platform, at, err);
    return rc == E_OK ? E_OK : name_place(at, err);
}

/* --- setting */

static enum errc write_file(const struct memory *m, const char *text, struct err *err)
{
    const struct product_marker *at = &m->setup->product.marker;
    struct buf b;
    buf_init(&b, FILE_MAX);
    enum errc rc = at->registry == NULL
                       ? buf_printf(&b, err, "%s\n", text)
                       : buf_printf(&b, err, "%s\n%s\n%s\n", text, at->registry, at->value);
    if (rc == E_OK)
        rc = memory_write(m, FILE_NAME, buf_span(&b), err);
    buf_fini(&b);
    return rc;
}

/* A write that failed may have been done all the same. */
static enum errc set_in_registry(const struct memory *m, const char *text, struct err *err)
{
    const struct product_marker *at = &m->setup->product.marker;
    struct platform *p = m->setup->platform;
    struct err ignored;
    enum errc rc = p->registry->set(p->self, at->registry, at->value, text, err);
    if (rc == E_OK)
        return rc;
    if (marker_clear(m, &ignored) != E_OK)
        (void)err_prefix(err, "is set in part, surefoot recover clears it: ");
    return name_place(at, err);
}

enum errc marker_set(const struct memory *m, const struct version *to, int64_t now, struct err *err)
{
    char text[TEXT_ROOM], when[32];
    (void)snprintf(text, sizeof(text), BEGINS_WITH "%.128s since %s", to->text,
                   text_format_time(now, when));
    enum errc rc = marker_check(m->setup, err);
    if (rc == E_OK)
        rc = write_file(m, text, err);
    if (rc != E_OK || m->setup->product.marker.registry == NULL)
        return rc;
    return set_in_registry(m, text, err);
}

/* --- clearing */

/* The next line, its end made a NUL; NULL where no line ends. */
static const char *cut_line(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');
    if (end == NULL)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

/* *out is valid until the buf changes. */
static enum errc read_place(struct buf *b, struct product_marker *out, struct err *err)
{
    enum errc rc = buf_add_byte(b, '\0', err);
    if (rc != E_OK)
        return rc;
    char *rest = (char *)b->ptr;
    const char *text = cut_line(&rest);
    *out = (struct product_marker){ .registry = cut_line(&rest) };
    out->value = cut_line(&rest);
    const bool is_whole = rest == (char *)b->ptr + b->len - 1;
    if (text == NULL || !is_whole || (out->registry != NULL && out->value == NULL))
        return err_set(err, E_MALFORMED, "%s in the state folder is damaged", FILE_NAME);
    return E_OK;
}

static enum errc clear_registry(const struct memory *m, const struct product_marker *at,
                                struct err *err)
{
    struct platform *p = m->setup->platform;
    enum errc rc = check_owner(p, at, err);
    if (rc == E_EXISTS || rc == E_MALFORMED)
        return E_OK;
    rc = p->registry->remove(p->self, at->registry, at->value, err);
    return rc == E_OK ? E_OK : name_place(at, err);
}

enum errc marker_clear(const struct memory *m, struct err *err)
{
    struct product_marker at;
    struct buf b;
    enum errc rc = memory_read(m, FILE_NAME, FILE_MAX, &b, err);
    if (rc == E_ABSENT)
        return E_OK;
    if (rc != E_OK)
        return rc;
    rc = read_place(&b, &at, err);
    if (rc == E_OK && at.registry != NULL)
        rc = clear_registry(m, &at, err);
    buf_fini(&b);
    return rc == E_OK ? memory_remove(m, FILE_NAME, err) : rc;
}
