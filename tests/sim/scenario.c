#include "sim.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCT_MAX 65536

static char *copy(const char *text)
{
    char *to = strdup(text);
    if (to == NULL)
        abort();
    return to;
}

static char *attribute(xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    char *to = value == NULL ? NULL : copy((const char *)value);
    xmlFree(value);
    return to;
}

static enum deed deed_named(const char *name)
{
    static const char *const names[] = { "install", "upgrade", "run", "rollback",
                                         "recover", "put",     "boot" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return (enum deed)i;
    sim_fail("no step is called \"%s\"", name);
    return DO_RECOVER;
}

static void read_deed(xmlNode *node, struct deed_of *out)
{
    const bool is_put = strcmp((const char *)node->name, "put") == 0;
    char *name = is_put ? copy("put") : attribute(node, "do");
    if (name == NULL)
        sim_fail("<%s> says not what to do", (const char *)node->name);
    *out = (struct deed_of){ .deed = deed_named(name),
                             .to = attribute(node, "to"),
                             .result = attribute(node, "result"),
                             .path = attribute(node, "path") };
    free(name);
    char *base = attribute(node, "base");
    out->is_base = base != NULL && strcmp(base, "true") == 0;
    free(base);
    xmlChar *text = xmlNodeGetContent(node);
    out->text = copy((const char *)text);
    xmlFree(text);
}

static void read_product(xmlDoc *document, xmlNode *node, struct buf *to)
{
    xmlBuffer *page = xmlBufferCreate();
    xmlNode *alone = xmlDocCopyNode(node, document, 1);
    xmlReconciliateNs(document, alone);
    if (page == NULL || xmlNodeDump(page, document, alone, 0, 0) < 0)
        abort();
    buf_init(to, PRODUCT_MAX);
    if (buf_add_text(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", NULL) != E_OK ||
        buf_add_text(to, (const char *)xmlBufferContent(page), NULL) != E_OK)
        abort();
    xmlBufferFree(page);
    xmlFreeNode(alone);
}

static enum mock_install read_install(xmlNode *node, const char *name)
{
    static const char *const words[] = { "good", "needs-restart", "fails", "leaves-none", "busy" };
    char *word = attribute(node, name);
    size_t i = 0;
    while (word != NULL && i < ARRAY_LEN(words) && strcmp(words[i], word) != 0)
        i++;
    if (i == ARRAY_LEN(words))
        sim_fail("no installation ends \"%s\"", word);
    free(word);
    return (enum mock_install)i;
}

static void read_package(xmlNode *node, struct scenario *out)
{
    if (out->n_packages == ARRAY_LEN(out->packages))
        sim_fail("too many packages");
    out->packages[out->n_packages++] =
        (struct package_of){ .version = attribute(node, "version"),
                             .install = read_install(node, "install"),
                             .remove = read_install(node, "remove") };
}

static void read_child(xmlDoc *document, xmlNode *node, struct scenario *out)
{
    const char *name = (const char *)node->name;
    if (strcmp(name, "product") == 0) {
        read_product(document, node, &out->product);
    } else if (strcmp(name, "before") == 0 || strcmp(name, "put") == 0) {
        if (out->n_before == ARRAY_LEN(out->before))
            sim_fail("too many steps before the explored one");
        read_deed(node, &out->before[out->n_before++]);
    } else if (strcmp(name, "package") == 0) {
        read_package(node, out);
    } else if (strcmp(name, "then") == 0) {
        if (out->n_then == ARRAY_LEN(out->then))
            sim_fail("too many steps after the explored one");
        read_deed(node, &out->then[out->n_then++]);
    } else if (strcmp(name, "explored") == 0) {
        char *ends = attribute(node, "ends");
        read_deed(node, &out->explored);
        out->ends_new = ends != NULL && strcmp(ends, "new") == 0;
        free(ends);
    } else {
        sim_fail("a scenario has no <%s>", name);
    }
}

void scenario_read(const char *path, struct scenario *out)
{
    memset(out, 0, sizeof(*out));
    xmlDoc *document = xmlReadFile(path, NULL, XML_PARSE_NONET | XML_PARSE_NOBLANKS);
    if (document == NULL)
        sim_fail("%s is no XML document", path);
    xmlNode *root = xmlDocGetRootElement(document);
    const char *name = strrchr(path, '/');
    out->name = copy(name == NULL ? path : name + 1);
    out->name[strcspn(out->name, ".")] = '\0';
    out->about = attribute(root, "about");
    char *system = attribute(root, "system");
    out->releases = attribute(root, "releases");
    out->is_windows = system != NULL && strcmp(system, "windows") == 0;
    out->is_msi = out->releases != NULL && strcmp(out->releases, "msi") == 0;
    free(system);
    for (xmlNode *node = root->children; node != NULL; node = node->next)
        if (node->type == XML_ELEMENT_NODE)
            read_child(document, node, out);
    if (out->product.len == 0 || out->explored.text == NULL || out->about == NULL)
        sim_fail("%s lacks its product, its explored step, or what it is about", path);
    xmlFreeDoc(document);
}

static void deed_fini(struct deed_of *d)
{
    free(d->to);
    free(d->result);
    free(d->path);
    free(d->text);
}

void scenario_fini(struct scenario *s)
{
    for (size_t i = 0; i < s->n_before; i++)
        deed_fini(&s->before[i]);
    for (size_t i = 0; i < s->n_then; i++)
        deed_fini(&s->then[i]);
    for (size_t i = 0; i < s->n_packages; i++)
        free(s->packages[i].version);
    deed_fini(&s->explored);
    buf_fini(&s->product);
    free(s->name);
    free(s->about);
    free(s->releases);
}
