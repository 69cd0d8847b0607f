/* A product's own settings: what is read, what is refused as unclear, and that a change changes
 * nothing else. */

#include "machine_kit.h"
#include "registry_kit.h"

#include "installer/core/setting.h"

struct row {
    enum setting_format format;
    const char *bytes, *key;
    const char *value;   /* NULL: it is not there */
    const char *written; /* as it stands in the file; NULL: as the value */
};

#define INI SETTING_INI
#define XML SETTING_XML
#define JSON SETTING_JSON
#define MARK "\xEF\xBB\xBF"

static const struct row good[] = {
    { INI, "[server]\nrole=primary\n", "server/role", "primary", NULL },
    { INI, "[server]\r\nrole = primary \r\n", "server/role", "primary", NULL },
    { INI, MARK "[server]\nrole=primary", "server/role", "primary", NULL },
    { INI, MARK "role=primary", "role", "primary", NULL },
    { INI, "[server]\n; role=no\n # role=no\n\nrole : primary", "server/role", "primary", NULL },
    { INI, "[server]\nrole=\n", "server/role", "", NULL },
    { INI, "[server]\nrole = \"two words \" \n", "server/role", "two words ", "\"two words \"" },
    { INI, "[server]\nrole='it \"is\"'\n", "server/role", "it \"is\"", "'it \"is\"'" },
    { INI, "[server]\nurl=http://a/?b=c;d#e\n", "server/url", "http://a/?b=c;d#e", NULL },
    { INI, "[server]\nurl: http://a/\n", "server/url", "http://a/", NULL },
    { INI, "[server]\nrole=it's\n", "server/role", "it's", NULL },
    { INI, "[server]\n\tname = a\n\trole = b\n", "server/role", "b", NULL },
    { INI, "[server]\n  name = a\nrole = b\n", "server/role", "b", NULL },
    { INI, "[a/b]\nrole=x\n", "a/b/role", "x", NULL },
    { INI, "[remote \"origin\"]\nurl=x\n", "remote \"origin\"/url", "x", NULL },
    { INI, "[server]\nrole=M\xC3\xBCller\n", "server/role", "M\xC3\xBCller", NULL },
    { INI, "role=top\n[server]\nrole=x\n", "role", "top", NULL },
    { INI, "[other]\nbroken\nrole=a \\\n !include x\n\n[server]\nskip\nrole=x\n", "server/role",
      "x", NULL },
    { INI, "[other]\nx=\xFF\n[server]\nrole=x\n", "server/role", "x", NULL },
    { INI, "", "server/role", NULL, NULL },
    { INI, "[server]\nname=x\n", "server/role", NULL, NULL },
    { INI, "[other]\nrole=x\n", "server/role", NULL, NULL },
    { INI, "[server]\nrole=x\n", "role", NULL, NULL },
    { INI, "role=x\n", "server/role", NULL, NULL },
    { INI, "[]\nrole=x\n", "role", NULL, NULL },
    { INI, "[server]\nrole=x\n[ ]\n", "server/role", "x", NULL },

    { XML, "<a><b>x</b></a>", "a/b", "x", NULL },
    { XML, MARK "<a><b>x</b></a>", "a/b", "x", NULL },
    { XML, "<?xml version='1.0' encoding='utf-8'?>\r\n<!-- <a> --><a>\r\n <b>\r\n x y\r\n </b></a>",
      "a/b", "x y", NULL },
    { XML, "<a b='x'/>", "a/@b", "x", NULL },
    { XML, "<a c='>' b = \"it's\" />", "a/@b", "it's", NULL },
    { XML, "<a b=''/>", "a/@b", "", NULL },
    { XML, "<a><b/></a>", "a/b", "", "/>" },
    { XML, "<a><b  q='/'  /></a>", "a/b", "", "/>" },
    { XML, "<a><b></b></a>", "a/b", "", NULL },
    { XML, "<a><b>  </b></a>", "a/b", "", NULL },
    { XML, "<a><b>/></b></a>", "a/b", "/>", NULL },
    { XML, "<a><b>&lt;&#65;&amp;</b></a>", "a/b", "<A&", "&lt;&#65;&amp;" },
    { XML, "<a><b>&#32;x</b></a>", "a/b", " x", "&#32;x" },
    { XML, "<a b='&quot;&#x41;'/>", "a/@b", "\"A", "&quot;&#x41;" },
    { XML, "<a><b> <![CDATA[<x> & ]]> </b></a>", "a/b", "<x> & ", "<![CDATA[<x> & ]]>" },
    { XML, "<a><b><![CDATA[x]]><![CDATA[y]]></b></a>", "a/b", "xy", "<![CDATA[x]]><![CDATA[y]]>" },
    { XML, "<a><![CDATA[<b>no</b>]]><!--<b>no</b>--><?p <b>no</b>?><b>x</b></a>", "a/b", "x",
      NULL },
    { XML, "<n:a xmlns:n='urn:x'><n:b n:c='x' xmlns:c='urn:y'>y</n:b></n:a>", "a/b/@c", "x", NULL },
    { XML, "<n:a><n:b>y</n:b></n:a>", "a/b", "y", NULL },
    { XML, "<a><c><b>no</b></c><b>x</b></a>", "a/b", "x", NULL },
    { XML, "<a><a><b>x</b></a></a>", "a/a/b", "x", NULL },
    { XML, "<a><b>no</b><a/></a>", "a/a/b", NULL, NULL },
    { XML, "<a><b>x</b></a>", "a/c", NULL, NULL },
    { XML, "<a><b>x</b></a>", "b", NULL, NULL },
    { XML, "<a><b>x</b></a>", "a/B", NULL, NULL },
    { XML, "<a b='x'/>", "a/@c", NULL, NULL },
    { XML, "<a b='x'/>", "a/b", NULL, NULL },
    { XML, "<a xmlns='urn:x'/>", "a/@xmlns", NULL, NULL },

    { JSON, "{\"a\":{\"b\":\"x\"}}", "a/b", "x", "\"x\"" },
    { JSON, MARK " {\"a\" : \"x\"}\r\n", "a", "x", "\"x\"" },
    { JSON, "{\"a\":[1,{\"b\":-1.50e+3},[]]}", "a/1/b", "-1.50e+3", NULL },
    { JSON, "{\"a\":true,\"b\":false,\"c\":null}", "c", "null", NULL },
    { JSON, "{\"a\":true,\"b\":false,\"c\":null}", "a", "true", NULL },
    { JSON, "{\"a\": 123456789012345678901234567890 }", "a", "123456789012345678901234567890",
      NULL },
    { JSON, "{\"x\":\"a\\\"b\",\"\\u0061\":\"\\u00fc\\n\"}", "a", "\xC3\xBC\n", "\"\\u00fc\\n\"" },
    { JSON, "[[], {\"}\": \"]\"}, \"x\"]", "2", "x", "\"x\"" },
    { JSON, "{\"0\":{\"a\":\"\"}}", "0/a", "", "\"\"" },
    { JSON, "{\"a\":\"x\\\\\",\"b\":\"y\"}", "b", "y", "\"y\"" },
    { JSON, "{\"b\":{\"a\":1}}", "a", NULL, NULL },
    { JSON, "{}", "a", NULL, NULL },
    { JSON, "[]", "0", NULL, NULL },
    { JSON, "[1]", "01", NULL, NULL },
    { JSON, "[1]", "1", NULL, NULL },
    { JSON, "{\"a\":\"x\"}", "a/b", NULL, NULL },
    { JSON, "{\"A\":\"x\"}", "a", NULL, NULL },
};

static void reads_what_is_clear(void **state)
{
    static struct setting_found found;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct row *r = &good[i];
        struct span bytes = span_text(r->bytes);
        why = (struct err){ .code = E_OK };
        enum errc rc = setting_find(r->format, bytes, r->key, &found, &why);
        if (rc != E_OK || found.is_found != (r->value != NULL))
            fail_msg("row %zu (%s): %s %s %d", i, r->bytes, errc_name(rc), why.text,
                     found.is_found);
        if (r->value == NULL)
            continue;
        assert_string_equal(found.text, r->value);
        assert_true(span_equal_text(span_sub(bytes, (size_t)found.at.at, (size_t)found.at.len),
                                    r->written == NULL ? r->value : r->written));
    }
}

static const struct {
    enum setting_format format;
    const char *bytes, *key;
    enum errc code;
    const char *says;
} bad[] = {
    { INI, "[s]\nk=1\nk=2\n", "s/k", E_MALFORMED, "twice" },
    { INI, "[s]\nk=1\nK=2\n", "s/k", E_MALFORMED, "otherwise" },
    { INI, "[s]\nK=1\n", "s/k", E_MALFORMED, "otherwise" },
    { INI, "[S]\nk=1\n", "s/k", E_MALFORMED, "otherwise" },
    { INI, "[ s ]\nk=1\n", "s/k", E_MALFORMED, "otherwise" },
    { INI, "[s]\nk=1\n[t]\n[s]\n", "s/k", E_MALFORMED, "twice" },
    { INI, "[s]\nk=1 ; comment\n", "s/k", E_MALFORMED, "line 2: the value may end" },
    { INI, "[s]\nk=1\t# comment\n", "s/k", E_MALFORMED, "comment" },
    { INI, "[s]\nk=; comment\n", "s/k", E_MALFORMED, "comment" },
    { INI, "[s]\nk=\"a\" ; comment\n", "s/k", E_MALFORMED, "quote" },
    { INI, "[s]\nk=\"a\n", "s/k", E_MALFORMED, "quote" },
    { INI, "[s]\nk=a'\n", "s/k", E_MALFORMED, "quote" },
    { INI, "[s]\nk=\"a\" \"b\"\n", "s/k", E_MALFORMED, "quote" },
    { INI, "[s]\nk=\"a\\nb\"\n", "s/k", E_MALFORMED, "backslash" },
    { INI, "[s]\nk=a\\\nb=c\n", "s/k", E_MALFORMED, "backslash" },
    { INI, "[s]\nj=a\\\nk=c\n", "s/k", E_MALFORMED, "backslash" },
    { INI, "[r]\nj=a\\\n[s]\nk=c\n", "s/k", E_MALFORMED, "backslash" },
    { INI, "[s]\nk=a\n  b\n", "s/k", E_MALFORMED, "go on" },
    { INI, "[s]\nk=a\n\n  b=c\n", "s/k", E_MALFORMED, "go on" },
    { INI, "[s]\nj=a\n  k=c\n", "s/k", E_MALFORMED, "deeper" },
    { INI, "[s]\nj=a\n  [t]\nk=1\n", "s/k", E_MALFORMED, "deeper" },
    { INI, "[r]\nj=a\n [s]\nk=1\n", "s/k", E_MALFORMED, "deeper" },
    { INI, "[s]\nk: a=b\n", "s/k", E_MALFORMED, "name may end" },
    { INI, "[s]\nk\n", "s/k", E_MALFORMED, "without a value" },
    { INI, "[s\nk=1\n", "s/k", E_MALFORMED, "line 1" },
    { INI, "[t] [s]\nk=1\n", "s/k", E_MALFORMED, "more follows" },
    { INI, "[s]\rk=1\r", "s/k", E_MALFORMED, "carriage" },
    { INI, "[s]\nk=a\rb\n", "s/k", E_MALFORMED, "carriage" },
    { INI, "[s]\nk=a\x01\n", "s/k", E_MALFORMED, "control" },
    { INI, "[s]\nk=\xFF\n", "s/k", E_MALFORMED, "UTF-8" },
    { INI, "\xFF\xFE[", "s/k", E_UNSUPPORTED, "UTF-16" },
    { INI, "[s]\nk=1\n", "", E_ARGUMENT, "key" },
    { INI, "[s]\nk=1\n", "s/", E_ARGUMENT, "key" },
    { INI, "[s]\nk=1\n", "/k", E_ARGUMENT, "key" },
    { INI, "[s]\nk=1\n", "s//k", E_ARGUMENT, "key" },
    { INI, "x", "1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", E_ARGUMENT,
      "parts" },

    { XML, "", "a", E_MALFORMED, "XML" },
    { XML, "<a><b>x</b>", "a/b", E_MALFORMED, "line 1: is not well-formed" },
    { XML, "<a><b>x</b><b>y</b></a>", "a/b", E_MALFORMED, "twice" },
    { XML, "<a><b><c>x</c></b><b/></a>", "a/b/c", E_MALFORMED, "twice" },
    { XML, "<a xmlns:n='u'><b>x</b><n:b>y</n:b></a>", "a/b", E_MALFORMED, "twice" },
    { XML, "<a xmlns:n='u' b='1' n:b='2'/>", "a/@b", E_MALFORMED, "twice" },
    { XML, "<a b='1' b='2'/>", "a/@b", E_MALFORMED, "well-formed" },
    { XML, "<a><b><c/></b></a>", "a/b", E_MALFORMED, "others in it" },
    { XML, "<a><b>x<!-- y --></b></a>", "a/b", E_MALFORMED, "comment" },
    { XML, "<a><b>x<?y?></b></a>", "a/b", E_MALFORMED, "comment" },
    { XML, "<a><b>x<![CDATA[y]]></b></a>", "a/b", E_MALFORMED, "CDATA" },
    { XML, "<!DOCTYPE a><a><b>x</b></a>", "a/b", E_MALFORMED, "DOCTYPE" },
    { XML, "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a><b>x</b></a>", "a/b", E_MALFORMED,
      "DOCTYPE" },
    { XML, "<!DOCTYPE a [<!ENTITY e 'x'>]><a><b>&e;</b></a>", "a/b", E_MALFORMED, "DOCTYPE" },
    { XML, "<a><b>&e;</b></a>", "a/b", E_MALFORMED, "well-formed" },
    { XML, "<?xml version='1.0' encoding='ISO-8859-1'?><a><b>x</b></a>", "a/b", E_UNSUPPORTED,
      "encoding" },
    { XML, "<a><b>\xFC</b></a>", "a/b", E_UNSUPPORTED, "UTF-8" },
    { XML, "<a/>", "@b", E_ARGUMENT, "a/b/c" },
    { XML, "<a/>", "a/@", E_ARGUMENT, "a/b/c" },
    { XML, "<a><b>x\xEF\xBF\xBF</b></a>", "a/b", E_MALFORMED, "well-formed" },

    { JSON, "", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":1,\"a\":2}", "a", E_MALFORMED, "twice" },
    { JSON, "{\"a\":1,\"b\":{\"c\":1,\"\\u0063\":2}}", "a", E_MALFORMED, "twice" },
    { JSON, "{\"a\":1} // comment", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":1,}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":1}{\"a\":2}", "a", E_MALFORMED, "JSON" },
    { JSON, "{'a':1}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":01}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":1e999}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":\"\\u0000\"}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":\"\\ud800\"}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":\"\xFC\"}", "a", E_MALFORMED, "JSON" },
    { JSON, "{\"a\":{}}", "a", E_MALFORMED, "object" },
    { JSON, "{\"a\":[\"x\"]}", "a", E_MALFORMED, "array" },
    { JSON, "\"a\"", "a", E_MALFORMED, "JSON" },
};

static void refuses_what_two_programs_would_read_differently(void **state)
{
    static struct setting_found found;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        why = (struct err){ .code = E_OK };
        enum errc rc =
            setting_find(bad[i].format, span_text(bad[i].bytes), bad[i].key, &found, &why);
        if (rc != bad[i].code || strstr(why.text, bad[i].says) == NULL)
            fail_msg("row %zu (%s): %s %s", i, bad[i].bytes, errc_name(rc), why.text);
    }
}

static const struct {
    enum setting_format format;
    const char *bytes, *key, *value, *after; /* NULL: E_ARGUMENT */
} changes[] = {
    { INI, "; c\r\n[s]\r\nk = off \r\nz=1", "s/k", "on", "; c\r\n[s]\r\nk = on \r\nz=1" },
    { INI, "[s]\nk=\"off\"\n", "s/k", "on; not off", "[s]\nk=\"on; not off\"\n" },
    { INI, "[s]\nk=\nz=1", "s/k", "on", "[s]\nk=on\nz=1" },
    { INI, "[s]\nk=  \nz=1", "s/k", "on", "[s]\nk=on  \nz=1" },
    { INI, MARK "k:off", "k", "", MARK "k:" },
    { INI, "[s]\nk=off", "s/k", "on\nz=2", NULL },
    { INI, "[s]\nk=off", "s/k", " on", NULL },
    { INI, "[s]\nk=off", "s/k", "on ; x", NULL },
    { INI, "[s]\nk=off", "s/k", "\"on\"", NULL },
    { INI, "[s]\nk=off", "s/k", "on\\", NULL },
    { INI, "[s]\nk:off", "s/k", "a=b", NULL },
    { INI, "[s]\nk='off'", "s/k", "it's", NULL },

    { XML, "<a>\r\n<b c='1'> off </b> <!-- x --></a>\n", "a/b", "on",
      "<a>\r\n<b c='1'> on </b> <!-- x --></a>\n" },
    { XML, "<a b=\"off\" c='&#65;'/>", "a/@b", "<\"on\" & 'so'>",
      "<a b=\"&#60;&#34;on&#34; &#38; &#39;so&#39;&#62;\" c='&#65;'/>" },
    { XML, "<a><n:b c='/'  /></a>", "a/b", "on", "<a><n:b c='/'  >on</n:b></a>" },
    { XML, "<a><b><![CDATA[off]]></b></a>", "a/b", "]]>&", "<a><b>]]&#62;&#38;</b></a>" },
    { XML, "<a><b></b></a>", "a/b", "on", "<a><b>on</b></a>" },
    { XML, "<a><b>off</b></a>", "a/b", " on\n", "<a><b>&#32;on&#10;</b></a>" },
    { XML, "<a><b>off</b></a>", "a/b", "", "<a><b></b></a>" },
    { XML, "<a><b>off</b></a>", "a/b", "\x01", NULL },
    { XML, "<a><b>off</b></a>", "a/b", "\xFF", NULL },

    { JSON, "{ \"a\" : false ,\r\n\"b\":1.0}\r\n", "a", "true",
      "{ \"a\" : true ,\r\n\"b\":1.0}\r\n" },
    { JSON, "{\"a\":1}", "a", "-2.5e1", "{\"a\":-2.5e1}" },
    { JSON, "{\"a\":1}", "a", "off", "{\"a\":\"off\"}" },
    { JSON, "{\"a\":null}", "a", "true", "{\"a\":true}" },
    { JSON, "{\"a\":1}", "a", " 2", "{\"a\":\" 2\"}" },
    { JSON, "{\"a\":1}", "a", "[2]", "{\"a\":\"[2]\"}" },
    { JSON, "{\"a\":\"1\"}", "a", "2", "{\"a\":\"2\"}" },
    { JSON, "[\"x\",\"\\u0061\"]", "0", "\"\\\n\x7F\xC3\xBC",
      "[\"\\\"\\\\\\n\x7F\xC3\xBC\",\"\\u0061\"]" },
    { JSON, MARK "{\"a\":\"off\"}", "a", "on", MARK "{\"a\":\"on\"}" },
};

static void changes_the_value_and_nothing_else(void **state)
{
    struct buf out;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        why = (struct err){ .code = E_OK };
        buf_init(&out, 4096);
        enum errc rc = setting_replace(changes[i].format, span_text(changes[i].bytes),
                                       changes[i].key, changes[i].value, &out, &why);
        if (rc != (changes[i].after == NULL ? E_ARGUMENT : E_OK))
            fail_msg("row %zu (%s): %s %s", i, changes[i].bytes, errc_name(rc), why.text);
        if (changes[i].after == NULL)
            assert_int_equal(out.len, 0);
        else if (!span_equal_text(buf_span(&out), changes[i].after))
            fail_msg("row %zu: %.*s", i, (int)out.len, (const char *)out.ptr);
        buf_fini(&out);
    }
}

static void what_is_not_there_is_not_changed(void **state)
{
    static const char *const bytes[] = { "[s]\na=1\n", "<s><a>1</a></s>", "{\"s\":{\"a\":1}}" };
    struct buf out;
    UNUSED(state);
    buf_init(&out, 4096);
    for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
        IS(E_ABSENT,
           setting_replace((enum setting_format)i, span_text(bytes[i]), "s/b", "2", &out, &why));
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

/* --- large and deep */

static void add_times(struct buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_add_text(b, text, NULL), E_OK);
}

static void values_past_the_limit_are_refused(void **state)
{
    static const struct {
        const char *before, *after, *key;
    } around[] = { { "[s]\nk=", "\n", "s/k" },
                   { "<s><k>", "</k></s>", "s/k" },
                   { "{\"s\":{\"k\":\"", "\"}}", "s/k" } };
    static struct setting_found found;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(around); i++)
        for (size_t extra = 0; extra < 2; extra++) {
            struct buf b;
            buf_init(&b, 2 * SETTING_VALUE_MAX);
            add_times(&b, around[i].before, 1);
            add_times(&b, "x", SETTING_VALUE_MAX + extra);
            add_times(&b, around[i].after, 1);
            IS(extra == 0 ? E_OK : E_LIMIT,
               setting_find((enum setting_format)i, buf_span(&b), around[i].key, &found, &why));
            buf_fini(&b);
        }
}

static void depths_and_sizes_end_in_an_answer(void **state)
{
    static const struct {
        enum setting_format format;
        const char *piece, *key;
        size_t n;
        enum errc code;
    } rows[] = {
        { JSON, "[", "0/0", 1000000, E_MALFORMED },
        { JSON, "{\"a\":", "a/a", 500000, E_MALFORMED },
        { XML, "<a>", "a/a", 1000000, E_MALFORMED },
        { XML, "<a b='", "a/@b", 500000, E_LIMIT },
        { XML, "<!--", "a/a", 1000000, E_MALFORMED },
        { XML, "<![CDATA[", "a/a", 500000, E_MALFORMED },
        { XML, "<?a", "a/a", 500000, E_MALFORMED },
        { XML, "<a b='1' ", "a/a", 500000, E_LIMIT },
        { XML, "]]>", "a/a", 500000, E_MALFORMED },
        { XML, "&a;", "a/a", 500000, E_MALFORMED },
        { JSON, "{\"a\":1,\"a", "a/a", 500000, E_MALFORMED },
        { INI, "[a]\n", "b/c", 1000000, E_OK },
        { INI, "a\n", "b/c", 1000000, E_OK },
        { INI, "[", "b/c", 5000000, E_MALFORMED },
        { INI, "x", "a", SETTING_FILE_MAX + 1, E_LIMIT },
    };
    static struct setting_found found;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        buf_init(&b, 2 * SETTING_FILE_MAX);
        add_times(&b, rows[i].piece, rows[i].n);
        IS(rows[i].code, setting_find(rows[i].format, buf_span(&b), rows[i].key, &found, &why));
        buf_fini(&b);
    }
}

/* What costs libxml2 the square of it. */
static void many_attributes_and_namespaces_are_refused(void **state)
{
    static struct setting_found found;
    struct buf b;
    UNUSED(state);
    for (int is_namespace = 0; is_namespace < 2; is_namespace++) {
        buf_init(&b, SETTING_FILE_MAX);
        add_times(&b, "<a><b>x</b>", 1);
        for (int i = 0; i < 200000; i++)
            IS(E_OK, is_namespace ? buf_printf(&b, &why, "<c xmlns:n%d='u'/>", i)
                                  : buf_printf(&b, &why, "%s n%d='u'", i == 0 ? "<c" : "", i));
        add_times(&b, is_namespace ? "</a>" : "/></a>", 1);
        IS(E_LIMIT, setting_find(XML, buf_span(&b), "a/b", &found, &why));
        buf_fini(&b);
    }
}

static void a_file_with_a_nul_is_no_text(void **state)
{
    static struct setting_found found;
    UNUSED(state);
    IS(E_MALFORMED, setting_find(INI, span_of("k=1\n\0", 5), "k", &found, &why));
    IS(E_MALFORMED, setting_find(XML, span_of("<a/>\0", 5), "a", &found, &why));
    IS(E_MALFORMED, setting_find(JSON, span_of("{}\0", 3), "k", &found, &why));
}

/* --- on the machine */

static const struct product_setting ini = { .file = "p.ini", .format = INI, .key = "s/k" };

static struct setup setup_here(void **state)
{
    struct setup s = { .platform = platform_native() };
    (void)snprintf(s.base, sizeof(s.base), "%s/", (const char *)*state);
    return s;
}

static void a_file_keeps_owner_and_mode(void **state)
{
    struct setup s = setup_here(state);
    make_file("p.ini", "[s]\nk=off\n", 0640);
    if (geteuid() == 0)
        assert_int_equal(chown("p.ini", NOBODY, NOBODY), 0);
    struct fs_info before = info_of("p.ini");
    IS(E_OK, setting_set(&s, &ini, "on", &why));
    assert_holds("p.ini", "[s]\nk=on\n");
    struct fs_info after = info_of("p.ini");
    assert_int_equal(after.mode, 0640);
    assert_int_equal(after.owner, before.owner);
    assert_int_equal(after.group, before.group);
    assert_int_equal(info_of("p.ini.surefoot-new").kind, FS_ABSENT);
}

static void what_is_so_already_is_not_written(void **state)
{
    struct setup s = setup_here(state);
    make_file("p.ini", "[s]\nk=on\n", 0644);
    struct fs_info before = info_of("p.ini");
    IS(E_OK, setting_set(&s, &ini, "on", &why));
    struct fs_info after = info_of("p.ini");
    assert_int_equal(after.id[1], before.id[1]);
    assert_int_equal(after.mtime_ns, before.mtime_ns);
}

static void links_and_second_names_are_not_replaced(void **state)
{
    struct setup s = setup_here(state);
    make_file("real.ini", "[s]\nk=off\n", 0644);
    assert_int_equal(symlink("real.ini", "p.ini"), 0);
    IS(E_UNSUPPORTED, setting_set(&s, &ini, "on", &why));
    SAYS("p.ini");
    assert_int_equal(unlink("p.ini"), 0);
    assert_int_equal(link("real.ini", "p.ini"), 0);
    IS(E_UNSUPPORTED, setting_set(&s, &ini, "on", &why));
    assert_holds("real.ini", "[s]\nk=off\n");
}

static void what_a_killed_one_left_is_in_no_ones_way(void **state)
{
    struct setup s = setup_here(state);
    make_file("p.ini", "[s]\nk=off\n", 0644);
    assert_int_equal(link("p.ini", "p.ini.surefoot-new"), 0);
    IS(E_OK, setting_set(&s, &ini, "on", &why));
    assert_holds("p.ini", "[s]\nk=on\n");
    assert_int_equal(info_of("p.ini.surefoot-new").kind, FS_ABSENT);
}

static void a_broken_file_is_left_as_it_is(void **state)
{
    struct setup s = setup_here(state);
    make_file("p.ini", "[s]\nk=1\nk=2\n", 0644);
    IS(E_MALFORMED, setting_set(&s, &ini, "on", &why));
    SAYS("p.ini: s/k: line 3");
    assert_holds("p.ini", "[s]\nk=1\nk=2\n");
}

static void what_is_not_there_is_found_out(void **state)
{
    struct setup s = setup_here(state);
    static char value[SETTING_VALUE_MAX + 1];
    const struct product_setting registry = { .format = -1, .registry = "HKLM\\x", .value = "y" };
    bool found = true;
    IS(E_OK, setting_get(&s, &ini, value, &found, &why));
    assert_false(found);
    IS(E_ABSENT, setting_set(&s, &ini, "on", &why));
    make_file("p.ini", "[s]\nj=1\n", 0644);
    found = true;
    IS(E_OK, setting_get(&s, &ini, value, &found, &why));
    assert_false(found);
    IS(E_ABSENT, setting_set(&s, &ini, "on", &why));
    make_file("p.ini", "[s]\nk=1\n", 0644);
    IS(E_OK, setting_get(&s, &ini, value, &found, &why));
    assert_true(found);
    assert_string_equal(value, "1");
    IS(E_UNSUPPORTED, setting_get(&s, &registry, value, &found, &why));
    SAYS("HKLM\\x: y: the registry is of Windows");
    IS(E_UNSUPPORTED, setting_set(&s, &registry, "on", &why));
}

static void a_setting_of_the_registry_is_read_and_changed(void **state)
{
    const struct product_setting on = { .format = -1, .registry = "HKLM\\x", .value = "y" };
    static char value[SETTING_VALUE_MAX + 1];
    struct setup s = setup_here(state);
    bool found = true;
    s.platform = told_begin();
    IS(E_OK, setting_get(&s, &on, value, &found, &why));
    assert_false(found);
    IS(E_ABSENT, setting_set(&s, &on, "1", &why));
    SAYS("HKLM\\x: y: the value is not there");
    struct told_value *v = told_put("HKLM\\x", "y", "0");
    v->is_number = true;
    IS(E_OK, setting_get(&s, &on, value, &found, &why));
    assert_true(found);
    assert_string_equal(value, "0");
    IS(E_OK, setting_set(&s, &on, "0", &why));
    assert_int_equal(told_machine.n_written, 0); /* it is so already */
    IS(E_OK, setting_set(&s, &on, "1", &why));
    assert_string_equal(v->text, "1");
    assert_int_equal(told_machine.n_written, 1);
    IS(E_ARGUMENT, setting_set(&s, &on, "on", &why));
    SAYS("HKLM\\x: y: ");
    assert_string_equal(v->text, "1");
    told_machine.is_read_only = true;
    IS(E_ACCESS, setting_set(&s, &on, "0", &why));
    v->is_binary = true;
    IS(E_MALFORMED, setting_get(&s, &on, value, &found, &why));
    IS(E_MALFORMED, setting_set(&s, &on, "0", &why));
    told_machine.get = E_ACCESS;
    IS(E_ACCESS, setting_get(&s, &on, value, &found, &why));
    assert_string_equal(v->text, "1");
}

/* A machine on which two files can't change places. */
static enum errc no_exchange(void *self, const char *a, const char *b, struct err *err)
{
    UNUSED(self);
    UNUSED(a);
    UNUSED(b);
    return err_set(err, E_UNSUPPORTED, "no exchange here");
}

static void where_files_cannot_be_swapped_it_is_replaced(void **state)
{
    struct setup s = setup_here(state);
    struct platform machine = *platform_native();
    struct fs_ops fs = *machine.fs;
    fs.exchange = no_exchange;
    machine.fs = &fs;
    s.platform = &machine;
    make_file("p.ini", "[s]\nk=off\n", 0640);
    if (geteuid() == 0)
        assert_int_equal(chown("p.ini", NOBODY, NOBODY), 0);
    struct fs_info before = info_of("p.ini");
    IS(E_OK, setting_set(&s, &ini, "on", &why));
    assert_holds("p.ini", "[s]\nk=on\n");
    struct fs_info after = info_of("p.ini");
    assert_int_equal(after.mode, before.mode);
    assert_int_equal(after.owner, before.owner);
    assert_int_equal(info_of("p.ini.surefoot-new").kind, FS_ABSENT);
}

/* A machine on which the product writes the file right before we put ours in its place. */
static enum errc late_exchange(void *self, const char *a, const char *b, struct err *err)
{
    static int n_calls;
    if (n_calls++ == 0)
        make_file("p.ini", "[s]\nk=off\nnew=1\n", 0644);
    return platform_native()->fs->exchange(self, a, b, err);
}

static void a_file_that_somebody_else_changes_meanwhile_stays_theirs(void **state)
{
    struct setup s = setup_here(state);
    struct platform machine = *platform_native();
    struct fs_ops fs = *machine.fs;
    fs.exchange = late_exchange;
    machine.fs = &fs;
    s.platform = &machine;
    make_file("p.ini", "[s]\nk=off\n", 0644);
    IS(E_BUSY, setting_set(&s, &ini, "on", &why));
    assert_holds("p.ini", "[s]\nk=off\nnew=1\n");
    assert_int_equal(info_of("p.ini.surefoot-new").kind, FS_ABSENT);
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_clear),
        cmocka_unit_test(refuses_what_two_programs_would_read_differently),
        cmocka_unit_test(changes_the_value_and_nothing_else),
        cmocka_unit_test(what_is_not_there_is_not_changed),
        cmocka_unit_test(values_past_the_limit_are_refused),
        cmocka_unit_test(depths_and_sizes_end_in_an_answer),
        cmocka_unit_test(many_attributes_and_namespaces_are_refused),
        cmocka_unit_test(a_file_with_a_nul_is_no_text),
        MACHINE(a_file_keeps_owner_and_mode),
        MACHINE(what_is_so_already_is_not_written),
        MACHINE(links_and_second_names_are_not_replaced),
        MACHINE(what_a_killed_one_left_is_in_no_ones_way),
        MACHINE(a_broken_file_is_left_as_it_is),
        MACHINE(what_is_not_there_is_found_out),
        MACHINE(a_setting_of_the_registry_is_read_and_changed),
        MACHINE(where_files_cannot_be_swapped_it_is_replaced),
        MACHINE(a_file_that_somebody_else_changes_meanwhile_stays_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
