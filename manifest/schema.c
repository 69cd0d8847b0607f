#include "manifest/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manifest/path.h"
#include "manifest/value.h"
#include "manifest/xml.h"
#include "platform/base/text.h"

/* LIST_OF without its type. */
struct list {
    void *items;
    size_t n, n_room;
};

/* An element that has begun and not ended. */
struct frame {
    const struct schema_element *element;
    uint8_t *record;
    uint32_t n_seen[SCHEMA_CHILDREN_MAX]; /* of each child */
};

struct reading {
    const char *ns;
    const struct schema_element *root;
    void *record;
    struct arena *arena;
    int depth; /* elements that are open */
    struct frame frames[XML_DEPTH_MAX];
};

/* --- values */

static enum errc put_text(struct reading *r, struct span text, void *to, struct err *err)
{
    const char *copy;
    enum errc rc = arena_text(r->arena, text, &copy, err);
    if (rc == E_OK)
        memcpy(to, &copy, sizeof(copy));
    return rc;
}

static enum errc check_argument(struct span text, struct err *err)
{
    if (span_is_filled(text, ' '))
        return err_set(err, E_MALFORMED, "is empty");
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] == 0x7F)
            return err_set(err, E_MALFORMED, "has a control character in it");
    return E_OK;
}

/* copy_checked is for the values that are text of a certain form. */
static enum errc copy_checked(struct reading *r, struct span text,
                              enum errc (*check)(struct span, struct err *), void *to,
                              struct err *err)
{
    enum errc rc = check(text, err);
    return rc == E_OK ? put_text(r, text, to, err) : rc;
}

static enum errc no_word(const struct schema_value *v, struct span text, struct err *err)
{
    char all[160] = "", shown[60];
    size_t len = 0;
    for (size_t i = 0; v->words[i] != NULL && len < sizeof(all); i++)
        len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", v->words[i]);
    return err_set(err, E_MALFORMED, "\"%s\" is none of:%s",
                   text_printable(text, shown, sizeof(shown)), all);
}

static bool find_word(const struct schema_value *v, struct span text, int *out)
{
    for (int i = 0; v->words[i] != NULL; i++)
        if (span_equal_text(text, v->words[i])) {
            *out = i;
            return true;
        }
    return false;
}

static enum errc put_word(const struct schema_value *v, struct span text, void *to, struct err *err)
{
    int i;
    if (!find_word(v, text, &i))
        return no_word(v, text, err);
    memcpy(to, &i, sizeof(i));
    return E_OK;
}

static enum errc put_words(const struct schema_value *v, struct span text, void *to,
                           struct err *err)
{
    uint32_t bits = 0;
    for (size_t at = 0; at <= text.len;) {
        size_t len = 0;
        int i;
        while (at + len < text.len && text.ptr[at + len] != ' ')
            len++;
        struct span word = span_sub(text, at, len);
        if (!find_word(v, word, &i))
            return no_word(v, word, err);
        if ((bits >> i & 1) != 0)
            return err_set(err, E_MALFORMED, "has \"%s\" twice", v->words[i]);
        bits |= UINT32_C(1) << i;
        at += len + 1;
    }
    memcpy(to, &bits, sizeof(bits));
    return E_OK;
}

static enum errc put_flag(struct span text, void *to, struct err *err)
{
    bool yes = span_equal_text(text, "true");
    if (!yes && !span_equal_text(text, "false"))
        return err_set(err, E_MALFORMED, "is neither \"true\" nor \"false\"");
    memcpy(to, &yes, sizeof(yes));
    return E_OK;
}

/* put_number also holds the value against the limits; a duration is never negative. */
static enum errc put_number(const struct schema_value *v, struct span text, void *to,
                            struct err *err)
{
    uint64_t n = 0;
    int64_t s = 0;
    enum errc rc = v->type == VALUE_NUMBER ? value_read_number(text, &n, err)
                   : v->type == VALUE_SIZE ? value_read_size(text, &n, err)
                                           : value_read_duration(text, &s, err);
    if (rc != E_OK)
        return rc;
    if (v->type == VALUE_DURATION)
        n = (uint64_t)s;
    if (n < v->min)
        return err_set(err, E_MALFORMED, "is %" PRIu64 ", the least is %" PRIu64, n, v->min);
    if (v->max != 0 && n > v->max)
        return err_set(err, E_MALFORMED, "is %" PRIu64 ", the most is %" PRIu64, n, v->max);
    memcpy(to, &n, sizeof(n));
    return E_OK;
}

static enum errc put_value(struct reading *r, const struct schema_value *v, const char *value,
                           uint8_t *record, struct err *err)
{
    struct span text = span_text(value);
    void *to = record + v->at;
    switch (v->type) {
    case VALUE_TEXT: return copy_checked(r, text, value_check_text, to, err);
    case VALUE_ARGUMENT: return copy_checked(r, text, check_argument, to, err);
    case VALUE_NAME: return copy_checked(r, text, value_check_name, to, err);
    case VALUE_PATH: return copy_checked(r, text, path_check, to, err);
    case VALUE_URL: return copy_checked(r, text, value_check_url, to, err);
    case VALUE_GUID: return copy_checked(r, text, value_check_guid, to, err);
    case VALUE_WORD: return put_word(v, text, to, err);
    case VALUE_WORDS: return put_words(v, text, to, err);
    case VALUE_FLAG: return put_flag(text, to, err);
    case VALUE_NUMBER:
    case VALUE_SIZE:
    case VALUE_DURATION: return put_number(v, text, to, err);
    case VALUE_TIME: return value_read_time(text, to, err);
    case VALUE_MODE: return value_read_mode(text, to, err);
    case VALUE_SHA256: return value_read_sha256(text, to, err);
    case VALUE_VERSION: return version_read(text, to, err);
    case VALUE_VERSION_PATTERN: return version_pattern_read(text, to, err);
    }
    return err_set(err, E_INTERNAL, "a value of no type");
}

/* --- elements */

/* The names that there are, for a message; of very many, the first, and " ...". */
struct names {
    char text[130];
    size_t len;
    bool is_full;
};

static void add_name(struct names *names, const char *name)
{
    static const char more[] = " ...";
    if (names->is_full)
        return;
    names->is_full = names->len + 1 + strlen(name) + sizeof(more) > sizeof(names->text);
    names->len += (size_t)snprintf(names->text + names->len, sizeof(names->text) - names->len,
                                   "%s%s", names->is_full ? "" : " ", names->is_full ? more : name);
}

static enum errc unknown_attr(const struct schema_element *e, const char *name, struct err *err)
{
    struct names all = { .len = 0 };
    for (size_t i = 0; i < e->n_values; i++)
        if (e->values[i].name != NULL)
            add_name(&all, e->values[i].name);
    return err_set(err, E_MALFORMED, "<%s> has no attribute \"%.40s\"%s%s", e->name, name,
                   all.len > 0 ? "; it has:" : " nor any other", all.text);
}

static enum errc read_attr(struct reading *r, const struct frame *f, const struct xml_attr *attr,
                           uint64_t *seen, struct err *err)
{
    const struct schema_element *e = f->element;
    for (size_t i = 0; i < e->n_values; i++) {
        if (e->values[i].name == NULL || strcmp(e->values[i].name, attr->name) != 0)
            continue;
        *seen |= UINT64_C(1) << i;
        enum errc rc = put_value(r, &e->values[i], attr->value, f->record, err);
        return rc == E_OK ? rc : err_prefix(err, "<%s %s>: ", e->name, attr->name);
    }
    return unknown_attr(e, attr->name, err);
}

static enum errc read_attrs(struct reading *r, const struct frame *f,
                            const struct xml_element *element, struct err *err)
{
    const struct schema_element *e = f->element;
    uint64_t seen = 0;
    if (e->n_values > SCHEMA_VALUES_MAX)
        return err_set(err, E_INTERNAL, "the table of <%s> is too long", e->name);
    for (size_t i = 0; i < element->n_attrs; i++) {
        enum errc rc = read_attr(r, f, &element->attrs[i], &seen, err);
        if (rc != E_OK)
            return rc;
    }
    for (size_t i = 0; i < e->n_values; i++)
        if (e->values[i].name != NULL && e->values[i].is_required && (seen >> i & 1) == 0)
            return err_set(err, E_MALFORMED, "<%s> lacks its attribute \"%s\"", e->name,
                           e->values[i].name);
    return E_OK;
}

/* add_item makes room for one more, twice as much each time; the old room stays in the arena. */
static enum errc add_item(struct reading *r, struct list *list, size_t size, uint8_t **out,
                          struct err *err)
{
    if (list->n >= SCHEMA_LIST_MAX)
        return err_set(err, E_LIMIT, "more than %d elements of one name", SCHEMA_LIST_MAX);
    if (list->n == list->n_room) {
        size_t n_room = list->n_room == 0 ? 4 : list->n_room * 2;
        void *items = NULL;
        enum errc rc = arena_alloc(r->arena, n_room * size, &items, err);
        if (rc != E_OK)
            return rc;
        if (list->n > 0)
            memcpy(items, list->items, list->n * size);
        list->items = items;
        list->n_room = n_room;
    }
    *out = (uint8_t *)list->items + list->n++ * size;
    return E_OK;
}

static enum errc record_of(struct reading *r, const struct schema_element *e, uint8_t *parent,
                           uint8_t **out, struct err *err)
{
    struct list list;
    enum errc rc;
    switch (e->store) {
    case STORE_IN_PARENT: *out = parent; return E_OK;
    case STORE_FIELD: *out = parent + e->at; return E_OK;
    case STORE_LIST:
        memcpy(&list, parent + e->at, sizeof(list));
        rc = add_item(r, &list, e->record_size, out, err);
        if (rc == E_OK)
            memcpy(parent + e->at, &list, sizeof(list));
        return rc;
    }
    return err_set(err, E_INTERNAL, "<%s> is stored nowhere", e->name);
}

static enum errc unknown_child(const struct schema_element *parent, const char *name,
                               struct err *err)
{
    struct names all = { .len = 0 };
    for (size_t i = 0; parent->children != NULL && parent->children[i] != NULL; i++)
        add_name(&all, parent->children[i]->name);
    return err_set(err, E_MALFORMED, "<%.60s> is not known inside <%s>%s%s", name, parent->name,
                   all.len > 0 ? "; it holds:" : ", which holds none", all.text);
}

/* find_child gives the element of this name in `parent`, counted. */
static enum errc find_child(struct frame *parent, const char *name,
                            const struct schema_element **out, struct err *err)
{
    const struct schema_element *const *children = parent->element->children;
    for (size_t i = 0; children != NULL && children[i] != NULL; i++) {
        if (i == SCHEMA_CHILDREN_MAX)
            return err_set(err, E_INTERNAL, "the table of <%s> is too long", parent->element->name);
        if (strcmp(children[i]->name, name) != 0)
            continue;
        if (parent->n_seen[i] == children[i]->max)
            return children[i]->max == 1
                       ? err_set(err, E_MALFORMED, "<%s> has a second <%s>, and may have one",
                                 parent->element->name, name)
                       : err_set(err, E_MALFORMED, "<%s> has more than %zu <%s>",
                                 parent->element->name, children[i]->max, name);
        parent->n_seen[i]++;
        *out = children[i];
        return E_OK;
    }
    return unknown_child(parent->element, name, err);
}

static enum errc start(void *ctx, const struct xml_element *element, struct err *err)
{
    struct reading *r = ctx;
    struct frame *f = &r->frames[r->depth];
    const struct schema_element *e = r->root;
    uint8_t *record = r->record;
    enum errc rc = E_OK;
    if (strcmp(element->ns, r->ns) != 0)
        return err_set(err, E_MALFORMED, "<%.60s> is not in the namespace %s", element->name,
                       r->ns);
    if (r->depth == 0 && strcmp(element->name, e->name) != 0)
        return err_set(err, E_MALFORMED, "the document is a <%.60s> where a <%s> was expected",
                       element->name, e->name);
    if (r->depth > 0) {
        rc = find_child(f - 1, element->name, &e, err);
        if (rc == E_OK)
            rc = record_of(r, e, (f - 1)->record, &record, err);
        if (rc != E_OK)
            return rc;
    }
    *f = (struct frame){ .element = e, .record = record };
    r->depth++;
    if (e->begin != NULL)
        e->begin(record);
    return read_attrs(r, f, element, err);
}

static enum errc read_text(struct reading *r, const struct frame *f, const char *text,
                           struct err *err)
{
    const struct schema_element *e = f->element;
    for (size_t i = 0; i < e->n_values; i++) {
        if (e->values[i].name != NULL)
            continue;
        if (text[0] == '\0' && !e->values[i].is_required)
            return E_OK;
        enum errc rc = put_value(r, &e->values[i], text, f->record, err);
        return rc == E_OK ? rc : err_prefix(err, "<%s>: ", e->name);
    }
    if (text[0] != '\0')
        return err_set(err, E_MALFORMED, "<%s> holds no text", e->name);
    return E_OK;
}

static enum errc end(void *ctx, const char *name, const char *text, int line, struct err *err)
{
    struct reading *r = ctx;
    struct frame *f = &r->frames[--r->depth];
    const struct schema_element *e = f->element;
    UNUSED(name);
    UNUSED(line);
    for (size_t i = 0; e->children != NULL && e->children[i] != NULL; i++)
        if (f->n_seen[i] < e->children[i]->min)
            return err_set(err, E_MALFORMED, "<%s> lacks <%s>", e->name, e->children[i]->name);
    enum errc rc = read_text(r, f, text, err);
    if (rc == E_OK && e->check != NULL) {
        rc = e->check(f->record, err);
        if (rc != E_OK)
            return err_prefix(err, "<%s>: ", e->name);
    }
    return rc;
}

enum errc schema_read(struct span bytes, size_t cap, const char *ns,
                      const struct schema_element *root, void *record, struct arena *arena,
                      struct err *err)
{
    static const struct xml_handler handler = { start, end };
    struct reading r = { .ns = ns, .root = root, .record = record, .arena = arena };
    return xml_read(bytes, cap, &handler, &r, err);
}
