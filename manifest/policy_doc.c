#include "manifest/policy_doc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/xml.h"

#define POLICY_NS "urn:surefoot:policy:1"

/* The elements, as policy.rng has them. */
static const struct element {
    const char *name;
    bool has_value, may_repeat;
} elements[] = {
    { "profile", true, false },
    { "anchors", true, true },
    { "timestamp-anchors", true, true },
    { "publisher", true, true },
    { "pin", true, true },
    { "sha256", true, false },
    { "key", true, true },
    { "catalog", true, false },
    { "eku", true, false },
    { "crl", true, true },
    { "revocation", true, false },
    { "require-timestamp", false, false },
    { "at", true, false },
    { "allow", true, true },
    { "require", true, false },
    { "all-signatures", false, false },
};

struct reading {
    struct policy_doc *doc;
    int depth;
};

static const struct element *find_element(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(elements); i++)
        if (strcmp(elements[i].name, name) == 0)
            return &elements[i];
    return NULL;
}

static bool is_there(const struct policy_doc *doc, const char *name)
{
    for (size_t i = 0; i < doc->n; i++)
        if (strcmp(doc->items[i].name, name) == 0)
            return true;
    return false;
}

static enum errc start(void *ctx, const struct xml_element *element, struct err *err)
{
    struct reading *r = ctx;
    if (strcmp(element->ns, POLICY_NS) != 0)
        return err_set(err, E_MALFORMED, "<%.60s> is not in the namespace " POLICY_NS,
                       element->name);
    if (element->n_attrs != 0)
        return err_set(err, E_MALFORMED, "<%.60s> has an attribute \"%.60s\", and takes none",
                       element->name, element->attrs[0].name);
    if (r->depth++ == 0)
        return strcmp(element->name, "policy") == 0
                   ? E_OK
                   : err_set(err, E_MALFORMED, "is <%.60s> where <policy> was expected",
                             element->name);
    const struct element *known = find_element(element->name);
    if (known == NULL || r->depth > 2)
        return err_set(err, E_MALFORMED, "unknown element <%.60s>", element->name);
    if (!known->may_repeat && is_there(r->doc, known->name))
        return err_set(err, E_MALFORMED, "<%s> stands twice, and may stand once", known->name);
    return E_OK;
}

static enum errc end(void *ctx, const char *name, const char *text, int line, struct err *err)
{
    struct reading *r = ctx;
    if (--r->depth == 0)
        return text[0] == '\0' ? E_OK : err_set(err, E_MALFORMED, "text in <policy>");
    const struct element *known = find_element(name);
    if (known == NULL)
        return err_set(err, E_INTERNAL, "an element ended that never began");
    if (known->has_value != (text[0] != '\0'))
        return err_set(err, E_MALFORMED, known->has_value ? "<%s> is empty" : "<%s> takes no text",
                       known->name);
    if (r->doc->n == POLICY_DOC_ITEMS_MAX)
        return err_set(err, E_LIMIT, "more than %d elements", POLICY_DOC_ITEMS_MAX);
    struct policy_item item = { .name = known->name, .line = line };
    if (known->has_value && (item.value = strdup(text)) == NULL)
        return err_nomem(err);
    r->doc->items[r->doc->n++] = item;
    return E_OK;
}

enum errc policy_doc_read(struct span bytes, struct policy_doc *out, struct err *err)
{
    static const struct xml_handler handler = { start, end };
    *out = (struct policy_doc){ .n = 0 };
    struct reading r = { .doc = out };
    enum errc rc = xml_read(bytes, POLICY_DOC_BYTES_MAX, &handler, &r, err);
    if (rc != E_OK)
        policy_doc_fini(out);
    return rc;
}

void policy_doc_fini(struct policy_doc *doc)
{
    for (size_t i = 0; i < doc->n; i++)
        free(doc->items[i].value);
    doc->n = 0;
}
