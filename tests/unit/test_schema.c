/* schema and xml: a small table of everything a table can say, documents that fit it, and what is
 * refused, each with its line and words. */

#include "manifest/schema.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "manifest/xml.h"
#include "platform/base/buf.h"

#define NS "urn:test:1"
#define CAP (4 * 1024 * 1024)

/* --- the table */

struct item {
    uint64_t n;
    const char *note;
    LIST_OF(struct item) items;
};

struct lid {
    int color;
    uint32_t sides;
};

struct box {
    const char *name;
    struct lid lid;
    bool is_open;
    int64_t wait_s;
    const char *label;
    LIST_OF(struct item) items;
    bool was_begun;
    unsigned n_checked;
};

static const char *const colors[] = { "red", "green", NULL };
static const char *const sides[] = { "north", "east", "south", "west", NULL };

static const struct schema_value lid_values[] = {
    SCHEMA_MUST("color", VALUE_WORD, struct lid, color, .words = colors),
    SCHEMA_MAY("sides", VALUE_WORDS, struct lid, sides, .words = sides),
};
static const struct schema_element lid = { .name = "lid",
                                           SCHEMA_VALUES(lid_values),
                                           .max = 1,
                                           .store = STORE_FIELD,
                                           .at = offsetof(struct box, lid) };

static const struct schema_value open_values[] = {
    SCHEMA_MUST("is", VALUE_FLAG, struct box, is_open),
    SCHEMA_MAY("wait", VALUE_DURATION, struct box, wait_s, .min = 5, .max = 60),
};
static const struct schema_element open = { .name = "open", SCHEMA_VALUES(open_values), .max = 1 };

static const struct schema_value label_values[] = {
    SCHEMA_MUST(NULL, VALUE_TEXT, struct box, label),
};
static const struct schema_element label = {
    .name = "label", SCHEMA_VALUES(label_values), .min = 1, .max = 1
};

static enum errc check_item(void *record, struct err *err)
{
    return ((struct item *)record)->n == 13 ? err_set(err, E_MALFORMED, "has no luck") : E_OK;
}

static const struct schema_value item_values[] = {
    SCHEMA_MUST("n", VALUE_NUMBER, struct item, n, .min = 1, .max = 1000),
    SCHEMA_MAY(NULL, VALUE_TEXT, struct item, note),
};
static const struct schema_element item; /* it may stand in itself */
static const struct schema_element *const item_children[] = { &item, NULL };
static const struct schema_element item = { .name = "item",
                                            SCHEMA_VALUES(item_values),
                                            .children = item_children,
                                            .max = 1000,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct item, items),
                                            .record_size = sizeof(struct item),
                                            .check = check_item };
static const struct schema_element box_item = { .name = "item",
                                                SCHEMA_VALUES(item_values),
                                                .children = item_children,
                                                .max = 1000,
                                                .store = STORE_LIST,
                                                .at = offsetof(struct box, items),
                                                .record_size = sizeof(struct item),
                                                .check = check_item };

static void begin_box(void *record)
{
    ((struct box *)record)->was_begun = true;
    ((struct box *)record)->wait_s = 30;
}

static enum errc check_box(void *record, struct err *err)
{
    UNUSED(err);
    ((struct box *)record)->n_checked++;
    return E_OK;
}

static const struct schema_value box_values[] = {
    SCHEMA_MUST("name", VALUE_NAME, struct box, name),
};
static const struct schema_element *const box_children[] = { &lid, &open, &label, &box_item, NULL };
static const struct schema_element root = { .name = "box",
                                            SCHEMA_VALUES(box_values),
                                            .children = box_children,
                                            .begin = begin_box,
                                            .check = check_box };

/* --- reading it */

static enum errc read_bytes(struct span bytes, struct box *box, struct arena *arena,
                            struct err *err)
{
    *box = (struct box){ .name = NULL };
    arena_init(arena, CAP);
    return schema_read(bytes, CAP, NS, &root, box, arena, err);
}

static void assert_read_bytes(struct span bytes)
{
    struct box box;
    struct arena arena;
    struct err err;
    if (read_bytes(bytes, &box, &arena, &err) != E_OK)
        fail_msg("%.300s\n%s", (const char *)bytes.ptr, err.text);
    arena_fini(&arena);
}

static void assert_read(const char *text)
{
    assert_read_bytes(span_text(text));
}

/* assert_refused_bytes demands a refusal that names this line (0: none) and says this. */
static void assert_refused_bytes(struct span bytes, enum errc code, int line, const char *says)
{
    struct box box;
    struct arena arena;
    struct err err = { .text = "" };
    char where[24] = "";
    enum errc rc = read_bytes(bytes, &box, &arena, &err);
    arena_fini(&arena);
    if (line != 0)
        (void)snprintf(where, sizeof(where), "line %d: ", line);
    if (rc != code || strncmp(err.text, where, strlen(where)) != 0 ||
        strstr(err.text, says) == NULL)
        fail_msg("%.300s\ncode %d (%s), not \"%s...%s\"", (const char *)bytes.ptr, (int)rc,
                 rc == E_OK ? "ok" : err.text, where, says);
}

static void assert_refused(const char *text, int line, const char *says)
{
    assert_refused_bytes(span_text(text), E_MALFORMED, line, says);
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define OPEN HEAD "<box xmlns=\"" NS "\" name=\"b\">\n"
#define LABEL "<label>x</label>\n"
#define SHUT "</box>\n"

static void schema_fills_every_kind_of_record(void **state)
{
    UNUSED(state);
    static const uint64_t numbers[] = { 1, 2, 6, 7, 8 };
    struct box box;
    struct arena arena;
    struct err err;
    static const char text[] =
        OPEN "<item n=\"1\"> a\n</item>"
             "<label>\n  An &amp; &#65;<![CDATA[<b>]]> <!-- c -->end\n </label>"
             "<item n=\"2\"><item n=\"3\"/><item n=\"4\"><item n=\"5\"/></item></item>"
             "<lid sides=\"west north\" color='green'/>"
             "<open is=\"true\"/><item n=\"6\"/><item n=\"7\"/><item n=\"8\"/>" SHUT;
    if (read_bytes(span_text(text), &box, &arena, &err) != E_OK)
        fail_msg("%s", err.text);
    assert_string_equal(box.name, "b");
    assert_string_equal(box.label, "An & A<b> end");
    assert_int_equal(box.lid.color, 1);
    assert_int_equal(box.lid.sides, 1 << 3 | 1 << 0);
    assert_true(box.is_open && box.was_begun);
    assert_int_equal(box.wait_s, 30);
    assert_int_equal(box.n_checked, 1);
    assert_int_equal(box.items.n, 5);
    assert_string_equal(box.items.items[0].note, "a");
    assert_null(box.items.items[1].note);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(box.items.items[i].n, numbers[i]);
    const struct item *two = &box.items.items[1];
    assert_int_equal(two->items.n, 2);
    assert_int_equal(two->items.items[0].n, 3);
    assert_int_equal(two->items.items[1].items.items[0].n, 5);
    arena_fini(&arena);
}

static void schema_reads_what_xml_lets_one_write(void **state)
{
    UNUSED(state);
    assert_read(OPEN LABEL SHUT);
    assert_read("<box xmlns='" NS "' name='b'><label>x</label></box>");
    assert_read("\xEF\xBB\xBF" OPEN LABEL SHUT);
    assert_read("<!-- before <!DOCTYPE x> --><box xmlns='" NS
                "' name='b'><!----><label>x<!-- <?y?> "
                "--></label></box><!-- after -->\n");
    assert_read("<p:box xmlns:p='" NS "' name='b'><p:label>x</p:label></p:box>");
    assert_read("<p:box xmlns:p='" NS "' name='b'><label xmlns='" NS "'>x</label></p:box>");
    assert_read("<box xmlns='" NS "' xmlns:unused='urn:other' name='b'><label>x</label></box>");
    assert_read(OPEN "<label>&lt;&gt;&amp;&quot;&apos;&#x41;</label>" SHUT);
    assert_read(OPEN "<label><![CDATA[<!DOCTYPE x><?y?>&z;]]></label>" SHUT);
    assert_read("<box\n\txmlns = \"" NS "\"\n name\n=\n'b'\n><label>a='>' \"</label></box\n>");
    assert_read("<?xml version=\"1.0\"?>\n<box xmlns='" NS "' name='&#98;'><label>x</label></box>");
    assert_read("<?xml version=\"1.0\" encoding='utf-8' standalone='yes'?><box xmlns='" NS
                "' name='b'><label>x</label></box>");
    assert_read(OPEN "<open is='true' wait='PT5S'></open><lid color='red'>  </lid>" LABEL SHUT);
}

static void schema_refuses_what_the_table_does_not_have(void **state)
{
    UNUSED(state);
    assert_refused(OPEN "\n<lids/>" LABEL SHUT, 4,
                   "<lids> is not known inside <box>; it holds: lid open label item");
    assert_refused(OPEN LABEL "<item n='1'>\n<lid color='red'/></item>" SHUT, 5,
                   "<lid> is not known inside <item>");
    assert_refused(OPEN LABEL "<lid color='red'>\n<item n='1'/></lid>" SHUT, 5,
                   "<item> is not known inside <lid>, which holds none");
    assert_refused(OPEN LABEL "<box xmlns='" NS "' name='b'/>" SHUT, 4,
                   "<box> is not known inside");
    assert_refused(OPEN LABEL "<lid color='red' size='1'/>" SHUT, 4,
                   "<lid> has no attribute \"size\"; it has: color sides");
    assert_refused(OPEN "<label lang='de'>x</label>" SHUT, 3,
                   "<label> has no attribute \"lang\" nor any other");
    assert_refused(OPEN LABEL "<lid Color='red'/>" SHUT, 4, "<lid> has no attribute \"Color\"");
    assert_refused(OPEN LABEL "<lid color='red'/>\n<lid color='red'/>" SHUT, 5,
                   "<box> has a second <lid>, and may have one");
    assert_refused(OPEN LABEL LABEL SHUT, 4, "<box> has a second <label>");
    assert_refused(OPEN SHUT, 2, "<box> lacks <label>");
    assert_refused("\n\n<box xmlns='" NS "' name='b'/>", 3, "<box> lacks <label>");
    assert_refused(OPEN LABEL "<lid/>" SHUT, 4, "<lid> lacks its attribute \"color\"");
    assert_refused("<box xmlns='" NS "'><label>x</label></box>", 1,
                   "<box> lacks its attribute \"name\"");
}

static void schema_refuses_other_roots_and_namespaces(void **state)
{
    UNUSED(state);
    assert_refused("<lid xmlns='" NS "' color='red'/>", 1,
                   "the document is a <lid> where a <box> was expected");
    assert_refused("<box name='b'><label>x</label></box>", 1, "<box> is not in the namespace " NS);
    assert_refused("<box xmlns='urn:test:2' name='b'/>", 1, "is not in the namespace " NS);
    assert_refused("<box xmlns='" NS "/' name='b'/>", 1, "is not in the namespace " NS);
    assert_refused(OPEN "<label xmlns=''>x</label>" SHUT, 3, "<label> is not in the namespace");
    assert_refused(OPEN LABEL "<x:lid xmlns:x='urn:x' color='red'/>" SHUT, 4,
                   "<lid> is not in the namespace");
    assert_refused(OPEN LABEL "<lid xmlns:x='urn:x' color='red' x:sides='north'/>" SHUT, 4,
                   "an attribute of another namespace, \"x:sides\"");
    assert_refused(OPEN LABEL "<lid xmlns:x='" NS "' x:color='red'/>" SHUT, 4,
                   "an attribute of another namespace, \"x:color\"");
    assert_refused(OPEN LABEL "<lid xml:lang='de' color='red'/>" SHUT, 4,
                   "an attribute of another namespace, \"xml:lang\"");
    assert_refused(OPEN "<x:label>x</x:label>" SHUT, 3, "amespace");
    assert_refused(OPEN LABEL "<lid x:color='red'/>" SHUT, 4, "amespace");
    assert_refused("<box xmlns='" NS "' xmlns:x='' name='b'><label>x</label></box>", 1,
                   "is not well-formed XML: ");
    assert_refused(OPEN LABEL "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' "
                              "href='other.xml'/>" SHUT,
                   4, "<include> is not in the namespace");
}

static void schema_refuses_text_where_none_belongs(void **state)
{
    UNUSED(state);
    assert_refused(OPEN "\nhello" LABEL SHUT, 4, "text before <label>, between elements");
    assert_refused(OPEN LABEL "hello\n" SHUT, 2, "text between the elements of <box>");
    assert_refused(OPEN LABEL "<![CDATA[x]]>" SHUT, 2, "text between the elements of <box>");
    assert_refused(OPEN LABEL "&#120;" SHUT, 2, "text between the elements of <box>");
    assert_refused(OPEN LABEL "<lid color='red'>x</lid>" SHUT, 4, "<lid> holds no text");
    assert_refused(OPEN "<label></label>" SHUT, 3, "<label>: is empty");
    assert_refused(OPEN "<label> \n </label>" SHUT, 3, "<label>: is empty");
    assert_refused(OPEN LABEL "<item n='1'>x<item n='2'/></item>" SHUT, 4,
                   "text before <item>, between elements");
    assert_refused(OPEN LABEL "<item n='1'><item n='2'/>x</item>" SHUT, 4,
                   "text between the elements of <item>");
    assert_refused(HEAD "<box xmlns='" NS "' name='b'>hello</box>", 2, "<box> lacks <label>");
    assert_refused(OPEN LABEL SHUT "hello", 5, "is not well-formed XML: ");
}

static void schema_refuses_values_not_of_their_type(void **state)
{
    UNUSED(state);
    assert_refused("<box xmlns='" NS "' name='B'/>", 1, "<box name>: \"B\" is not a name (");
    assert_refused("<box xmlns='" NS "' name=''/>", 1, "<box name>: is empty where a name (");
    assert_refused("<box xmlns='" NS "' name=' b'/>", 1, "<box name>: \" b\" is not a name (");
    assert_refused("<box xmlns='" NS "' name='b&#10;'/>", 1, "\"b\\x0a\" is not a name (");
    assert_refused(OPEN "<lid color='blue'/>", 3, "<lid color>: \"blue\" is none of: red green");
    assert_refused(OPEN "<lid color=''/>", 3, "<lid color>: \"\" is none of: red green");
    assert_refused(OPEN "<lid color='red green'/>", 3, "\"red green\" is none of: red green");
    assert_refused(OPEN "<lid color='red' sides=''/>", 3, "<lid sides>: \"\" is none of: north");
    assert_refused(OPEN "<lid color='red' sides='north up'/>", 3, "\"up\" is none of: north");
    assert_refused(OPEN "<lid color='red' sides='north  east'/>", 3, "\"\" is none of: north");
    assert_refused(OPEN "<lid color='red' sides='north '/>", 3, "\"\" is none of: north");
    assert_refused(OPEN "<lid color='red' sides='east east'/>", 3, "has \"east\" twice");
    assert_refused(OPEN "<open is='yes'/>", 3, "<open is>: is neither \"true\" nor \"false\"");
    assert_refused(OPEN "<open is='TRUE'/>", 3, "is neither");
    assert_refused(OPEN "<open is='1'/>", 3, "is neither");
    assert_refused(OPEN "<open is='true' wait='PT4S'/>", 3, "<open wait>: is 4, the least is 5");
    assert_refused(OPEN "<open is='true' wait='PT61S'/>", 3, "<open wait>: is 61, the most is 60");
    assert_refused(OPEN "<open is='true' wait='61'/>", 3, "\"61\" is not a duration such as PT30S");
    assert_refused(OPEN "<item n='0'/>", 3, "<item n>: is 0, the least is 1");
    assert_refused(OPEN "<item n='1001'/>", 3, "<item n>: is 1001, the most is 1000");
    assert_refused(OPEN "<item n='18446744073709551617'/>", 3, "is not a number (");
    assert_refused(OPEN "<item n='13'/>", 3, "<item>: has no luck");
    assert_refused(OPEN "<item n='1'>\n\n<item n='13'/></item>", 5, "<item>: has no luck");
    assert_refused(OPEN "<label>a\tb</label>" SHUT, 3,
                   "<label>: has control or direction characters");
    assert_refused(OPEN "<label>a&#8238;b</label>" SHUT, 3, "has control or direction characters");
}

static void xml_refuses_a_doctype_before_it_is_read(void **state)
{
    UNUSED(state);
    assert_refused("<!DOCTYPE box><box xmlns='" NS "' name='b'/>", 1,
                   "a DOCTYPE; these documents have none");
    assert_refused(HEAD "<!-- c -->\n<!DOCTYPE box SYSTEM 'file:///etc/hostname'>\n", 3,
                   "a DOCTYPE");
    assert_refused(HEAD "<!DOCTYPE box [<!ENTITY x SYSTEM 'http://127.0.0.1/x'>]><box>&x;</box>", 2,
                   "a DOCTYPE");
    assert_refused("<!DOCTYPE a [<!ENTITY a '0123456789'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
                   "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>\n<a>&c;</a>",
                   1, "a DOCTYPE");
    assert_refused("<!DOCTYPE a [<!ENTITY % p SYSTEM 'x.dtd'> %p;]><a/>", 1, "a DOCTYPE");
    assert_refused("<!doctype box><box/>", 1, "a DOCTYPE");
    assert_refused(OPEN "\n<!DOCTYPE box>" LABEL SHUT, 4, "a DOCTYPE");
    assert_refused(OPEN LABEL "<!ENTITY x 'y'>" SHUT, 4, "a DOCTYPE");
}

static void xml_refuses_entities_and_instructions(void **state)
{
    UNUSED(state);
    assert_refused(OPEN "<label>&x;</label>" SHUT, 3, "Entity 'x' not defined");
    assert_refused(OPEN LABEL "<lid color='&red;'/>" SHUT, 4, "Entity 'red' not defined");
    assert_refused(OPEN "<label>&#0;</label>" SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<label>&#xFFFE;</label>" SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<label>&#xD800;</label>" SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<?go there?>" LABEL SHUT, 3, "a processing instruction <?...?>");
    assert_refused("<?xml-stylesheet href='x.xsl'?>" OPEN LABEL SHUT, 1,
                   "a processing instruction");
    assert_refused(OPEN LABEL SHUT "<?go?>", 5, "a processing instruction");
    assert_refused("\n" OPEN LABEL SHUT, 2, "a processing instruction"); /* <?xml in line 2 */
}

static void xml_refuses_what_is_not_well_formed(void **state)
{
    UNUSED(state);
    assert_refused("", 1, "is empty, no document");
    assert_refused(" \n ", 0, "is not well-formed XML");
    assert_refused("\xEF\xBB\xBF", 0, "is not well-formed XML");
    assert_refused("hello", 1, "is not well-formed XML");
    assert_refused("<", 1, "is not well-formed XML");
    assert_refused("<box", 1, "is not well-formed XML");
    assert_refused(HEAD, 2, "is not well-formed XML");
    assert_refused(OPEN LABEL, 0, "is not well-formed XML");
    assert_refused(OPEN LABEL "</bax>", 4,
                   "is not well-formed XML: Opening and ending tag mismatch");
    assert_refused(OPEN LABEL SHUT "<box/>", 5, "is not well-formed XML");
    assert_refused(OPEN LABEL "<lid color='red' color='red'/>" SHUT, 4,
                   "Attribute color redefined");
    assert_refused(OPEN LABEL "<lid color=red/>" SHUT, 4, "is not well-formed XML");
    assert_refused(OPEN LABEL "<lid color='red'sides='east'/>" SHUT, 4, "is not well-formed XML");
    assert_refused(OPEN "<label>a & b</label>" SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<label>a ]]> b</label>" SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<label>a\x01</label>" SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<!-- a -- b -->" LABEL SHUT, 3, "is not well-formed XML");
    assert_refused(OPEN "<!-- never closed\n" LABEL SHUT, 0, "is not well-formed XML");
    assert_refused(OPEN LABEL "<lid color='a<b'/>" SHUT, 4, "is not well-formed XML");
    assert_refused(OPEN "<l\xC3\xA4"
                        "bel/>" SHUT,
                   3, "an element whose name is not of ASCII");
    assert_refused(OPEN LABEL "<lid c\xEF\xB7\xB0lor='red'/>" SHUT, 4,
                   "an attribute whose name is not");
}

static void xml_refuses_other_encodings(void **state)
{
    UNUSED(state);
    static const char utf16le[] = "\xFF\xFE<\0b\0/\0>", utf16be[] = "\xFE\xFF\0<\0b\0/\0>";
    static const char bare_le[] = "<\0b\0/\0>", bare_be[] = "\0<\0b\0/\0>";
    static const char utf32[] = "\xFF\xFE\0\0<\0\0\0";
    static const char nul[] = OPEN LABEL "</\0box>", after[] = OPEN LABEL SHUT "\0<x/>";
    const char *wide = "line 1: is UTF-16 or UTF-32; these documents are UTF-8";
    assert_refused_bytes(span_of(utf16le, sizeof(utf16le)), E_MALFORMED, 1, wide);
    assert_refused_bytes(span_of(utf16be, sizeof(utf16be)), E_MALFORMED, 1, wide);
    assert_refused_bytes(span_of(bare_le, sizeof(bare_le)), E_MALFORMED, 1, wide);
    assert_refused_bytes(span_of(bare_be, sizeof(bare_be)), E_MALFORMED, 1, wide);
    assert_refused_bytes(span_of(utf32, sizeof(utf32)), E_MALFORMED, 1, wide);
    assert_refused_bytes(span_of(nul, sizeof(nul) - 1), E_MALFORMED, 4, "a byte that is 0");
    assert_refused_bytes(span_of(after, sizeof(after) - 1), E_MALFORMED, 5, "a byte that is 0");
    assert_refused(OPEN "<label>\xE9</label>" SHUT, 3, "bytes that are not UTF-8");
    assert_refused(OPEN LABEL SHUT "\xC3", 5, "bytes that are not UTF-8");
    assert_refused(OPEN "<label>\xC0\xAF</label>" SHUT, 3, "bytes that are not UTF-8");
    assert_refused(OPEN "<label>\xED\xA0\x80</label>" SHUT, 3, "bytes that are not UTF-8");
    assert_refused("<?xml version='1.0' encoding='ISO-8859-1'?>\n<box xmlns='" NS "' name='b'/>", 1,
                   "says that it is of another encoding; these documents are UTF-8");
    assert_refused("<?xml version='1.0' encoding='UTF-16'?>\n<box xmlns='" NS "' name='b'/>", 1,
                   "");
    assert_refused("<?xml version='1.0' encoding='nonsense'?>\n<box xmlns='" NS "' name='b'/>", 1,
                   "");
}

/* repeated gives head, n times text, tail. Free with buf_fini. */
static struct buf repeated(const char *head, size_t n, const char *text, const char *tail)
{
    struct buf b;
    buf_init(&b, 2 * CAP);
    assert_int_equal(buf_add_text(&b, head, NULL), E_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_add_text(&b, text, NULL), E_OK);
    assert_int_equal(buf_add_text(&b, tail, NULL), E_OK);
    return b;
}

static void assert_repeated(const char *head, size_t n, const char *text, const char *tail,
                            enum errc code, int line, const char *says)
{
    struct buf b = repeated(head, n, text, tail);
    if (code == E_OK)
        assert_read_bytes(buf_span(&b));
    else
        assert_refused_bytes(buf_span(&b), code, line, says);
    buf_fini(&b);
}

static void xml_has_limits(void **state)
{
    UNUSED(state);
    static const char between[] = "more than 65536 bytes of text and comments between two tags";
    char shut[200] = "";
    for (size_t i = 0; i < XML_DEPTH_MAX - 1; i++)
        memcpy(shut + i * 7, "</item>", 8);
    struct buf deep = repeated(OPEN LABEL, XML_DEPTH_MAX - 1, "<item n='1'>", shut);
    assert_int_equal(buf_add_text(&deep, SHUT, NULL), E_OK);
    assert_read_bytes(buf_span(&deep));
    buf_fini(&deep);
    assert_repeated(OPEN LABEL, XML_DEPTH_MAX, "\n<item n='1'>", "", E_LIMIT, 20,
                    "elements nested more than 16 deep");
    assert_repeated(OPEN LABEL, 300000, "<item n='1'>", "", E_LIMIT, 4, "more than 16 deep");
    assert_repeated(OPEN "<label>", 1024, "a", "</label>" SHUT, E_OK, 0, "");
    assert_repeated(OPEN "<label>", 1025, "a", "</label>" SHUT, E_LIMIT, 3,
                    "is 1025 bytes long, at most 1024");
    assert_repeated(OPEN "<label>", XML_TEXT_MAX, "a", "</label>" SHUT, E_LIMIT, 3,
                    "is 65536 bytes long, at most 1024");
    assert_repeated(OPEN "<label>", XML_TEXT_MAX + 1, "a", "</label>" SHUT, E_LIMIT, 3, between);
    assert_repeated(OPEN, XML_TEXT_MAX, "\n", LABEL SHUT, E_LIMIT, 2, between);
    assert_repeated(OPEN LABEL, 20000, "<!---->", SHUT, E_LIMIT, 3, between);
    assert_repeated(OPEN LABEL SHUT, 20000, "<!---->", "", E_LIMIT, 4, between);
    assert_repeated("", 20000, "<!---->", OPEN LABEL SHUT, E_MALFORMED, 1,
                    "a processing instruction");
    assert_repeated("", 20000, "<!--x->", OPEN LABEL SHUT, E_LIMIT, 1, between);
    assert_repeated(OPEN LABEL "<!--", 21000, "xyz", "-->" SHUT, E_OK, 0, "");
    assert_repeated(OPEN LABEL "<!--", 22000, "xyz", "-->" SHUT, E_LIMIT, 3, between);
    assert_repeated(OPEN LABEL "<![CDATA[", 22000, "xyz", "]]>" SHUT, E_LIMIT, 3, between);
    assert_repeated(OPEN LABEL "<lid color='", 22000, "xyz", "'/>" SHUT, E_LIMIT, 4,
                    "a tag of more than 65536 bytes");
    assert_repeated(OPEN LABEL "<lid", 22000, "xyz", "/>" SHUT, E_LIMIT, 4,
                    "a tag of more than 65536 bytes");
    assert_repeated(OPEN LABEL, 1000, "<item n='1'/>", SHUT, E_OK, 0, "");
    assert_repeated(OPEN LABEL, 1001, "<item n='1'/>", SHUT, E_MALFORMED, 4,
                    "<box> has more than 1000 <item>");
    assert_repeated(OPEN LABEL, CAP / 4 + 1, "<!---->", SHUT, E_LIMIT, 0,
                    "bytes of XML, the limit is 4194304");
}

/* The many attributes are found before libxml2 compares each with each. */
static void xml_limits_attributes(void **state)
{
    UNUSED(state);
    struct buf b;
    buf_init(&b, CAP);
    assert_int_equal(buf_add_text(&b, OPEN LABEL "\n<lid", NULL), E_OK);
    for (unsigned i = 0; i < 300000; i++) {
        uint8_t digits[16];
        int n = snprintf((char *)digits, sizeof(digits), " a%x=''", i);
        assert_int_equal(buf_add(&b, span_of(digits, (size_t)n), NULL), E_OK);
    }
    assert_int_equal(buf_add_text(&b, "/>" SHUT, NULL), E_OK);
    assert_refused_bytes(buf_span(&b), E_LIMIT, 5, "an element with more than 32 attributes");
    buf_fini(&b);
    buf_init(&b, CAP);
    assert_int_equal(buf_add_text(&b, OPEN LABEL "<lid", NULL), E_OK);
    for (unsigned i = 0; i < 33; i++) {
        uint8_t digits[32];
        int n = snprintf((char *)digits, sizeof(digits), " xmlns:a%x=\"urn:x\"", i);
        assert_int_equal(buf_add(&b, span_of(digits, (size_t)n), NULL), E_OK);
    }
    assert_int_equal(buf_add_text(&b, "/>" SHUT, NULL), E_OK);
    assert_refused_bytes(buf_span(&b), E_LIMIT, 4, "an element with more than 32 attributes");
    buf_fini(&b);
}

static void lines_are_right_past_65535(void **state)
{
    UNUSED(state);
    static const char between[] = "\n\n<item\n\nn='1'\n\n\n>x\n</item\n>\n";
    struct buf b;
    buf_init(&b, CAP);
    assert_int_equal(buf_add_text(&b, OPEN LABEL, NULL), E_OK);
    for (unsigned i = 0; i < 7000; i++)
        assert_int_equal(
            buf_add_text(&b, i % 1000 == 0 ? between : "<!--\n\n\n\n\n<x>\n\n\n-->\n\r\n", NULL),
            E_OK);
    assert_int_equal(buf_add_text(&b, "<item\n\nn=\n'0'/>" SHUT, NULL), E_OK);
    assert_refused_bytes(buf_span(&b), E_MALFORMED, 70004, "<item n>: is 0, the least is 1");
    buf_fini(&b);
}

static void the_arena_is_a_limit(void **state)
{
    UNUSED(state);
    struct box box = { .name = NULL };
    struct arena arena;
    struct err err;
    struct buf b = repeated(OPEN LABEL, 900, "\n<item n='1'>some text of it</item>", SHUT);
    arena_init(&arena, 1000);
    enum errc rc = schema_read(buf_span(&b), CAP, NS, &root, &box, &arena, &err);
    assert_int_equal(rc, E_LIMIT);
    assert_non_null(
        strstr(err.text, "what the document says takes more than 1000 bytes of memory"));
    assert_int_equal(strncmp(err.text, "line ", 5), 0);
    arena_fini(&arena);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_fills_every_kind_of_record),
        cmocka_unit_test(schema_reads_what_xml_lets_one_write),
        cmocka_unit_test(schema_refuses_what_the_table_does_not_have),
        cmocka_unit_test(schema_refuses_other_roots_and_namespaces),
        cmocka_unit_test(schema_refuses_text_where_none_belongs),
        cmocka_unit_test(schema_refuses_values_not_of_their_type),
        cmocka_unit_test(xml_refuses_a_doctype_before_it_is_read),
        cmocka_unit_test(xml_refuses_entities_and_instructions),
        cmocka_unit_test(xml_refuses_what_is_not_well_formed),
        cmocka_unit_test(xml_refuses_other_encodings),
        cmocka_unit_test(xml_has_limits),
        cmocka_unit_test(xml_limits_attributes),
        cmocka_unit_test(lines_are_right_past_65535),
        cmocka_unit_test(the_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
