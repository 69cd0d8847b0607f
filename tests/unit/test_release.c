/* release: what one release is made of, read; what is refused; which payload is for whom. */

#include "manifest/release.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/buf.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_HASH "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define GUID "{01234567-89AB-CDEF-0123-456789ABCDEF}"
#define RELEASE(inside)                                                                            \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                 \
    "<release xmlns=\"urn:surefoot:release:1\" product=\"orchard\" version=\"2.1.0\"\n"            \
    "         created=\"2026-11-25T00:00:00Z\">\n" inside "</release>\n" /* from line 4 */
#define BYTES "size='123' sha256='" HASH "' "
#define MINISIGN "<demand system='minisign'/>\n"
#define FILE_OF(path, size) "<file path='" path "' size='" size "' sha256='" HASH "' mode='644'/>\n"
#define FILES FILE_OF("bin/orchard", "40") FILE_OF("share/a", "2")
/* An archive of 42 bytes whose content begins in line 5. */
#define ARCHIVE(attrs, inside)                                                                     \
    "<payload kind='archive' path='a.tar.zst' " BYTES "unpacked-size='42' " attrs ">\n" inside     \
    "</payload>\n"
#define MSI_CODES "upgrade-code='" GUID "' product-code='" GUID "' product-version='2.1.0' "
#define MSI(attrs, inside)                                                                         \
    "<payload kind='msi' path='a.msi' " BYTES "unpacked-size='9' " attrs ">\n" inside "</"         \
    "payload>\n"
#define AUTHENTICODE "<demand system='authenticode' publisher='Orchard Works' timestamp='true'/>\n"

static void assert_refused_as(const char *text, enum errc code, int line, const char *says)
{
    struct release release;
    struct err err = { .text = "" };
    char where[24] = "";
    enum errc rc = release_read_unverified(span_text(text), &release, &err);
    if (rc == E_OK)
        release_fini(&release);
    (void)snprintf(where, sizeof(where), "line %d: ", line);
    if (rc != code || strncmp(err.text, where, strlen(where)) != 0 ||
        strstr(err.text, says) == NULL)
        fail_msg("%.1500s\ncode %d (%s), not \"%s...%s\"", text, (int)rc,
                 rc == E_OK ? "ok" : err.text, where, says);
}

static void assert_refused(const char *text, int line, const char *says)
{
    assert_refused_as(text, E_MALFORMED, line, says);
}

static struct release read_good(const char *text)
{
    struct release release;
    struct err err;
    if (release_read_unverified(span_text(text), &release, &err) != E_OK)
        fail_msg("%s\n%s", text, err.text);
    return release;
}

static void assert_read(const char *text)
{
    struct release release = read_good(text);
    release_fini(&release);
}

/* --- reading */

static const char whole[] = RELEASE(
    "<payload kind='archive' os='linux' arch='x86_64' path='x/a.tar.zst' " BYTES
    "unpacked-size='18446744073709551615'>"
    "<link path='lib/liborchard.so' to='liborchard.so.2'/>"
    "<file path='bin/orchard' size='18446744073709551614' sha256='" OTHER_HASH "' mode='755'/>"
    "<demand system='minisign'/><mirror>\n https://mirror.example.org/a.tar.zst\n</mirror>"
    "<folder path='Logs' mode='750'/><folder path='bin' mode='700'/>"
    "<demand system='cms' publisher='Orchard Works' timestamp='true'/>"
    "<file path='lib/liborchard.so.2' size='1' sha256='" HASH "' mode='644'/>"
    "<mirror>http://mirror.example.com/a</mirror></payload>" MSI(
        "os='windows' arch='aarch64' " MSI_CODES, AUTHENTICODE MINISIGN));

static void release_holds_all_that_is_said(void **state)
{
    UNUSED(state);
    struct release r = read_good(whole);
    assert_string_equal(r.product, "orchard");
    assert_string_equal(r.version.text, "2.1.0");
    assert_int_equal(r.created, 1795564800);
    assert_int_equal(r.payloads.n, 2);
    const struct payload *a = &r.payloads.items[0];
    assert_int_equal(a->kind, PAYLOAD_ARCHIVE);
    assert_int_equal(a->os, 1U << OS_LINUX);
    assert_int_equal(a->arch, 1U << ARCH_X86_64);
    assert_string_equal(a->path, "x/a.tar.zst");
    assert_int_equal(a->size, 123);
    assert_int_equal(a->sha256[1], 0x11);
    assert_true(a->unpacked_size == UINT64_MAX);
    assert_int_equal(a->mirrors.n, 2);
    assert_string_equal(a->mirrors.items[0].url, "https://mirror.example.org/a.tar.zst");
    assert_int_equal(a->demands.n, 2);
    assert_int_equal(a->demands.items[0].system, DEMAND_MINISIGN);
    assert_null(a->demands.items[0].publisher);
    assert_string_equal(a->demands.items[1].publisher, "Orchard Works");
    assert_true(a->demands.items[1].needs_timestamp && !a->demands.items[0].needs_timestamp);
    assert_int_equal(a->files.n, 2);
    assert_string_equal(a->files.items[0].path, "bin/orchard");
    assert_true(a->files.items[0].size == UINT64_MAX - 1);
    assert_int_equal(a->files.items[0].mode, 0755);
    assert_int_equal(a->files.items[0].sha256[0], 0xFF);
    assert_int_equal(a->folders.n, 2);
    assert_int_equal(a->folders.items[0].mode, 0750);
    assert_int_equal(a->links.n, 1);
    assert_string_equal(a->links.items[0].to, "liborchard.so.2");
    assert_null(a->upgrade_code);
    release_fini(&r);
}

static void release_holds_an_msi(void **state)
{
    UNUSED(state);
    struct release r = read_good(whole);
    const struct payload *m = &r.payloads.items[1];
    assert_int_equal(m->kind, PAYLOAD_MSI);
    assert_string_equal(m->upgrade_code, GUID);
    assert_string_equal(m->product_code, GUID);
    assert_string_equal(m->product_version.text, "2.1.0");
    assert_int_equal(m->demands.items[0].system, DEMAND_AUTHENTICODE);
    assert_true(m->demands.items[0].needs_timestamp);
    assert_int_equal(m->files.n, 0);
    release_fini(&r);
    release_fini(&r);
}

static void release_needs_a_payload_and_a_demand(void **state)
{
    UNUSED(state);
    assert_read(RELEASE(ARCHIVE("", MINISIGN FILES)));
    assert_refused(RELEASE(""), 2, "<release> lacks <payload>");
    assert_refused(RELEASE("\n" ARCHIVE("", FILES)), 5,
                   "<payload>: demands no signature: at least one <demand");
    assert_refused(RELEASE(MSI("os='windows' " MSI_CODES, "")), 4,
                   "<payload>: demands no signature");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILES MINISIGN)), 4,
                   "<payload>: demands minisign twice");
    assert_refused(
        RELEASE(MSI("os='windows' " MSI_CODES, AUTHENTICODE "<demand system='authenticode'/>")), 4,
        "demands authenticode twice");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN AUTHENTICODE FILES)), 4,
                   "demands authenticode, which an archive cannot carry");
    assert_refused(RELEASE(ARCHIVE("", "<demand system='pgp'/>" FILES)), 5,
                   "<demand system>: \"pgp\" is none of: authenticode cms minisign");
    assert_refused(RELEASE(ARCHIVE("", "<demand/>" FILES)), 5,
                   "<demand> lacks its attribute \"system\"");
    assert_refused(RELEASE(ARCHIVE("", "<demand system='minisign' publisher='x'/>" FILES)), 5,
                   "<demand>: a minisign signature names no publisher");
    assert_refused(RELEASE(ARCHIVE("", "<demand system='minisign' timestamp='true'/>" FILES)), 5,
                   "<demand>: a minisign signature has no timestamp");
    assert_read(RELEASE(ARCHIVE("", "<demand system='minisign' timestamp='false'/>" FILES)));
    assert_refused(RELEASE(ARCHIVE("", "<demand system='cms' publisher=''/>" FILES)), 5,
                   "<demand publisher>: is empty");
    assert_refused(RELEASE(ARCHIVE("", "<demand system='cms' timestamp='yes'/>" FILES)), 5,
                   "<demand timestamp>: is neither");
}

static void an_archive_lists_files_whose_sizes_add_up(void **state)
{
    UNUSED(state);
    assert_refused(RELEASE(ARCHIVE("", MINISIGN)), 4, "an archive lists each <file> that is in it");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN "<folder path='a' mode='755'/>")), 4,
                   "this one lists none");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("a", "41"))), 4,
                   "\"unpacked-size\" is 42, and its files have 41 bytes");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("a", "42") FILE_OF("b", "1"))), 4,
                   "its files have 43 bytes");
    assert_refused(
        RELEASE(ARCHIVE("", MINISIGN FILE_OF("a", "18446744073709551615") FILE_OF("b", "43"))), 4,
        "its files have more bytes than can be counted");
    assert_read(RELEASE("<payload kind='archive' path='a' " BYTES
                        "unpacked-size='0'>" MINISIGN FILE_OF("a", "0") "</payload>"));
    assert_refused(
        RELEASE(ARCHIVE("", MINISIGN "<file path='a' size='42' sha256='" HASH "' mode='4755'/>")),
        6, "<file mode>: \"4755\" is not a mode of three octal digits");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN "<file path='a' size='42' sha256='" HASH "'/>")), 6,
                   "<file> lacks its attribute \"mode\"");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("a", "0x2A"))), 6,
                   "<file size>: \"0x2A\" is not a number");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("a", "18446744073709551616"))), 6,
                   "is not a number");
}

#define TREE(inside) RELEASE(ARCHIVE("", MINISIGN FILES inside))

static void lists_are_sorted(void **state)
{
    UNUSED(state);
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("b", "40") FILE_OF("a", "2"))), 4,
                   "<payload>: lists the file \"a\" after \"b\": they must be sorted");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("a/b", "40") FILE_OF("a.b", "2"))), 4,
                   "lists the file \"a.b\" after \"a/b\"");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("a", "40") FILE_OF("a", "2"))), 4,
                   "lists the file \"a\" twice");
    assert_refused(TREE("<folder path='y' mode='755'/><folder path='x' mode='755'/>"), 4,
                   "lists the folder \"x\" after \"y\"");
    assert_refused(TREE("<folder path='x' mode='755'/><folder path='x' mode='700'/>"), 4,
                   "lists the folder \"x\" twice");
    assert_refused(TREE("<link path='y' to='bin'/><link path='x' to='bin'/>"), 4,
                   "lists the link \"x\" after \"y\"");
    assert_refused(TREE("<link path='x' to='bin'/><link path='x' to='share'/>"), 4,
                   "lists the link \"x\" twice");
    assert_read(RELEASE(ARCHIVE("", MINISIGN FILE_OF("Z", "40") FILE_OF("a", "2")))); /* by bytes */
    assert_read(RELEASE(ARCHIVE("", MINISIGN FILE_OF("z", "40") FILE_OF("\xC3\xA4", "2"))));
}

static void paths_lie_side_by_side(void **state)
{
    UNUSED(state);
    assert_read(TREE("<folder path='bin' mode='755'/><folder path='empty' mode='755'/>"));
    assert_refused(TREE("<folder path='bin/orchard' mode='755'/>"), 4, "bin/orchard");
    assert_refused(TREE("<link path='bin/orchard' to='x'/>"), 4, "bin/orchard");
    assert_refused(TREE("<link path='bin' to='share'/>"), 4, "bin");
    assert_refused(TREE("<folder path='share/a/b' mode='755'/>"), 4, "share/a");
    assert_refused(TREE("<link path='share/A' to='a'/>"), 4, "share/A");
    assert_refused(TREE("<folder path='Bin' mode='755'/>"), 4, "Bin");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILE_OF("A/x", "40") FILE_OF("a/y", "2"))), 4,
                   "a/y");
}

static void paths_stay_in_the_tree(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "../a",  "/a",  "a/../b",    "a//b", "./a",          "a/",       "C:/a",    "a\\b",
        "a:b",   "NUL", "a/con.txt", "a.",   "a ",           "a/b. /c",  "a&#10;b", "",
        "//h/s", "a*",  "PROGRA~1",  "a?",   "\xE2\x80\x8B", "a\xCC\x88"
    };
    static const char *const shapes[] = { FILE_OF("%s", "42"), "<folder path='%s' mode='755'/>",
                                          "<link path='%s' to='x'/>" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (size_t k = 0; k < ARRAY_LEN(shapes); k++) {
            struct buf b;
            const char *mark = strstr(shapes[k], "%s");
            buf_init(&b, 4096);
            assert_int_equal(buf_add_text(&b,
                                          RELEASE("<payload kind='archive' path='a' " BYTES
                                                  "unpacked-size='1'>\n"),
                                          NULL),
                             E_OK);
            b.len -= strlen("</release>\n");
            assert_int_equal(buf_add(&b, span_of(shapes[k], (size_t)(mark - shapes[k])), NULL),
                             E_OK);
            assert_int_equal(buf_add_text(&b, bad[i], NULL), E_OK);
            assert_int_equal(buf_add(&b, span_text(mark + 2), NULL), E_OK);
            assert_int_equal(buf_add_text(&b, "</payload></release>", NULL), E_OK);
            assert_int_equal(buf_add_byte(&b, 0, NULL), E_OK);
            assert_refused((const char *)b.ptr, 5, " path>: ");
            buf_fini(&b);
        }
}

static void links_stay_in_the_tree(void **state)
{
    UNUSED(state);
    assert_read(TREE("<link path='share/b' to='../bin/orchard'/><link path='x' to='share/a'/>"));
    assert_refused(TREE("<link path='x' to='../y'/>"), 8, "<link>: ");
    assert_refused(TREE("<link path='share/b' to='../../y'/>"), 8, "leaves the tree");
    assert_refused(TREE("<link path='x' to='/etc/hostname'/>"), 8, "<link>: ");
    assert_refused(TREE("<link path='x' to='share/../../y'/>"), 8, "<link>: ");
    assert_refused(TREE("<link path='x' to='C:\\x'/>"), 8, "<link>: ");
    assert_refused(TREE("<link path='x' to=''/>"), 8, "<link to>: is empty");
    assert_refused(TREE("<link path='x' to='NUL'/>"), 8, "<link>: ");
    assert_refused(TREE("<link path='x'/>"), 8, "<link> lacks its attribute \"to\"");
    assert_refused(TREE("<link path='x' to='bin'/><link path='x/y' to='orchard'/>"), 4,
                   "x/y"); /* through a link */
}

static void an_archive_has_nothing_of_an_msi(void **state)
{
    UNUSED(state);
    static const char says[] =
        "an archive has no \"upgrade-code\", \"product-code\" and \"product-version\"";
    assert_refused(RELEASE(ARCHIVE("upgrade-code='" GUID "'", MINISIGN FILES)), 4, says);
    assert_refused(RELEASE(ARCHIVE("product-code='" GUID "'", MINISIGN FILES)), 4, says);
    assert_refused(RELEASE(ARCHIVE("product-version='1'", MINISIGN FILES)), 4, says);
}

static void an_msi_has_its_codes_and_nothing_of_an_archive(void **state)
{
    UNUSED(state);
#define MSI_IN(attrs, inside) RELEASE(MSI(attrs, AUTHENTICODE inside))
    assert_read(MSI_IN("os='windows' " MSI_CODES, ""));
    assert_refused(MSI_IN(MSI_CODES, ""), 4, "an MSI must say os=\"windows\"");
    assert_refused(MSI_IN("os='linux' " MSI_CODES, ""), 4, "an MSI must say os=\"windows\"");
    assert_refused(MSI_IN("os='windows' product-code='" GUID "' product-version='2'", ""), 4,
                   "an MSI must have \"upgrade-code\"");
    assert_refused(MSI_IN("os='windows' upgrade-code='" GUID "' product-version='2'", ""), 4,
                   "an MSI must have \"product-code\"");
    assert_refused(MSI_IN("os='windows' upgrade-code='" GUID "' product-code='" GUID "'", ""), 4,
                   "an MSI must have \"product-version\"");
    assert_refused(MSI_IN("os='windows' " MSI_CODES, FILES), 4,
                   "an MSI lists no <file>, <folder> or <link>");
    assert_refused(MSI_IN("os='windows' " MSI_CODES, "<folder path='a' mode='755'/>"), 4,
                   "an MSI lists no <file>");
    assert_refused(MSI_IN("os='windows' " MSI_CODES, "<link path='a' to='b'/>"), 4,
                   "an MSI lists no <file>");
    assert_refused(
        MSI_IN("os='windows' upgrade-code='{01234567-89ab-cdef-0123-456789abcdef}'", ""), 4,
        "<payload upgrade-code>: \"{01234567-89ab-cdef-0123-456789abcdef}\" is not a code such as");
    assert_refused(MSI_IN("os='windows' product-version='2.*'", ""), 4,
                   "<payload product-version>: ");
}

static void payloads_are_for_one_system_each(void **state)
{
    UNUSED(state);
    assert_refused(RELEASE(ARCHIVE("os='linux windows'", MINISIGN FILES)), 4,
                   "\"os\" names several systems");
    assert_refused(RELEASE(ARCHIVE("arch='x86_64 x86'", MINISIGN FILES)), 4,
                   "\"arch\" names several processors");
    assert_refused(RELEASE(ARCHIVE("os=''", MINISIGN FILES)), 4,
                   "<payload os>: \"\" is none of: linux");
    assert_refused(
        RELEASE(ARCHIVE("os='linux'", MINISIGN FILES) ARCHIVE("os='linux'", MINISIGN FILES)), 2,
        "<release>: two payloads of the same \"kind\", \"os\" and \"arch\": \"a.tar.zst\" is the "
        "second");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILES) MSI("os='windows' " MSI_CODES, MINISIGN)
                               ARCHIVE("", MINISIGN FILES)),
                   2, "two payloads of the same");
    assert_read(RELEASE(ARCHIVE("os='linux'", MINISIGN FILES) ARCHIVE("", MINISIGN FILES) ARCHIVE(
        "arch='x86'", MINISIGN FILES) ARCHIVE("os='linux' arch='x86'", MINISIGN FILES)));
    assert_refused(RELEASE(ARCHIVE("", MINISIGN FILES) "<payload kind='archive' os='linux' "
                                                       "path='a.tar.zst' size='124' sha256='" HASH
                                                       "' unpacked-size='42'>" MINISIGN FILES
                                                       "</payload>"),
                   2, "two payloads at \"a.tar.zst\" that differ in \"size\" or \"sha256\"");
    assert_refused(
        RELEASE(ARCHIVE("", MINISIGN FILES) "<payload kind='archive' os='linux' path='a.tar.zst' "
                                            "size='123' sha256='" OTHER_HASH
                                            "' unpacked-size='42'>" MINISIGN FILES "</payload>"),
        2, "two payloads at \"a.tar.zst\" that differ");
}

static void release_refuses_bad_values(void **state)
{
    UNUSED(state);
#define PAYLOAD(attrs) RELEASE("<payload kind='archive' " attrs ">" MINISIGN FILES "</payload>")
    assert_refused(PAYLOAD("path='a' size='0' sha256='" HASH "' unpacked-size='42'"), 4,
                   "<payload size>: is 0, the least is 1");
    assert_refused(PAYLOAD("path='../a' size='1' sha256='" HASH "' unpacked-size='42'"), 4,
                   "<payload path>: ");
    assert_refused(PAYLOAD("path='https://a/b' size='1' sha256='" HASH "' unpacked-size='42'"), 4,
                   "<payload path>: ");
    assert_refused(PAYLOAD("path='a' size='1' sha256='" HASH "' unpacked-size='1KiB'"), 4,
                   "<payload unpacked-size>: \"1KiB\"");
    assert_refused(PAYLOAD("path='a' size='1' sha256='" HASH "'"), 4,
                   "<payload> lacks its attribute \"unpacked-size\"");
    assert_refused(PAYLOAD("path='a' size='1' unpacked-size='42'"), 4,
                   "<payload> lacks its attribute \"sha256\"");
    assert_refused(PAYLOAD("run='x'"), 4,
                   "<payload> has no attribute \"run\"; it has: kind os arch path");
    assert_refused(RELEASE("<payload kind='zip'/>"), 4,
                   "<payload kind>: \"zip\" is none of: archive msi");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN "<mirror>ftp://a/b</mirror>" FILES)), 6,
                   "<mirror>: \"ftp://a/b\" is not a URL");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN "<mirror/>" FILES)), 6,
                   "<mirror>: is empty where a URL");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN "<mirror url='https://a/b'/>" FILES)), 6,
                   "<mirror> has no attribute \"url\"");
    assert_refused(RELEASE(ARCHIVE("", MINISIGN "<script>x</script>" FILES)), 6,
                   "<script> is not known inside <payload>");
    assert_refused("<release xmlns='urn:surefoot:release:1' product='a' version='1' "
                   "created='2026-02-30T00:00:00Z'/>",
                   1, "<release created>: \"2026-02-30T00:00:00Z\" is not a time");
    assert_refused("<release xmlns='urn:surefoot:feed:1'/>", 1,
                   "<release> is not in the namespace urn:surefoot:release:1");
}

/* tree_of is a release of n empty files and n_folders folders; buf_fini frees it. */
static struct buf tree_of(unsigned n, unsigned n_folders)
{
    struct buf b;
    buf_init(&b, RELEASE_BYTES_MAX);
    assert_int_equal(buf_add_text(&b,
                                  RELEASE("<payload kind='archive' path='a' " BYTES
                                          "unpacked-size='0'>" MINISIGN),
                                  NULL),
                     E_OK);
    b.len -= strlen("</release>\n");
    char text[200];
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(text, sizeof(text),
                       "<file path='%06u' size='0' sha256='" HASH "' mode='644'/>\n", i);
        assert_int_equal(buf_add_text(&b, text, NULL), E_OK);
    }
    for (unsigned i = 0; i < n_folders; i++) {
        (void)snprintf(text, sizeof(text), "<folder path='f%06u' mode='755'/>\n", i);
        assert_int_equal(buf_add_text(&b, text, NULL), E_OK);
    }
    assert_int_equal(buf_add_text(&b, "</payload></release>", NULL), E_OK);
    return b;
}

static void release_has_a_limit_of_files(void **state)
{
    UNUSED(state);
    struct release r;
    struct err err;
    struct buf b = tree_of(300000, 200000);
    assert_int_equal(release_read_unverified(buf_span(&b), &r, &err), E_OK);
    assert_int_equal(r.payloads.items[0].files.n, 300000);
    assert_string_equal(r.payloads.items[0].files.items[299999].path, "299999");
    release_fini(&r);
    buf_fini(&b);
    b = tree_of(300000, 200001);
    assert_int_equal(release_read_unverified(buf_span(&b), &r, &err), E_LIMIT);
    assert_string_equal(err.text,
                        "line 4: <payload>: 500001 files, folders and links, the limit is 500000");
    buf_fini(&b);
}

/* --- questions */

static void find_payload_prefers_the_more_exact(void **state)
{
    UNUSED(state);
#define NAMED(path, attrs)                                                                         \
    "<payload kind='archive' path='" path "' " attrs " " BYTES                                     \
    "unpacked-size='42'>" MINISIGN FILES "</payload>"
    struct release r = read_good(RELEASE(
        NAMED("any", "") NAMED("x86", "arch='x86_64'") NAMED("linux", "os='linux'")
            NAMED("both", "os='linux' arch='x86_64'") MSI("os='windows' " MSI_CODES, MINISIGN)));
    static const struct {
        enum target_os os;
        enum target_arch arch;
        enum payload_kind kind;
        const char *path;
    } cases[] = { { OS_LINUX, ARCH_X86_64, PAYLOAD_ARCHIVE, "both" },
                  { OS_LINUX, ARCH_AARCH64, PAYLOAD_ARCHIVE, "linux" },
                  { OS_FREEBSD, ARCH_X86_64, PAYLOAD_ARCHIVE, "x86" },
                  { OS_FREEBSD, ARCH_S390X, PAYLOAD_ARCHIVE, "any" },
                  { OS_WINDOWS, ARCH_X86, PAYLOAD_MSI, "a.msi" },
                  { OS_LINUX, ARCH_X86, PAYLOAD_MSI, NULL } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct payload *p =
            release_find_payload(&r, cases[i].os, cases[i].arch, cases[i].kind);
        if (cases[i].path == NULL)
            assert_null(p);
        else
            assert_string_equal(p->path, cases[i].path);
    }
    release_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release_holds_all_that_is_said),
        cmocka_unit_test(release_holds_an_msi),
        cmocka_unit_test(release_needs_a_payload_and_a_demand),
        cmocka_unit_test(an_archive_lists_files_whose_sizes_add_up),
        cmocka_unit_test(lists_are_sorted),
        cmocka_unit_test(paths_lie_side_by_side),
        cmocka_unit_test(paths_stay_in_the_tree),
        cmocka_unit_test(links_stay_in_the_tree),
        cmocka_unit_test(an_archive_has_nothing_of_an_msi),
        cmocka_unit_test(an_msi_has_its_codes_and_nothing_of_an_archive),
        cmocka_unit_test(payloads_are_for_one_system_each),
        cmocka_unit_test(release_refuses_bad_values),
        cmocka_unit_test(release_has_a_limit_of_files),
        cmocka_unit_test(find_payload_prefers_the_more_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
