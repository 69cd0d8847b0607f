/* Paths: what is refused and why, where links may point, what folds alike, and which sets of paths
 * can be side by side. */

#include "manifest/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const accepted[] = {
    "a",
    "bin/server",
    "a b/c d.txt",
    " a",
    ".config/.hidden",
    "...a/..b",
    "a.b.c",
    "a/b/c/d",
    "lib/x86_64-linux-gnu/libz.so.1.2.3",
    "[x]{y}(z)'!@#$%^&+=,;~`",
    "CONSOLE",
    "CON1",
    "COM",
    "COM10",
    "LPTX",
    "xCON",
    "a.CON",
    "a.nul/b",
    "NULL.txt",
    "AUXILIARY",
    "COM\xE2\x81\xB4",                   /* superscript four is no port */
    "conin",                             /* without its dollar */
    "backup~",                           /* no number */
    "longer name~1",                     /* more than eight characters */
    "file.txt~1",                        /* behind an extension */
    "file~1.json",                       /* a longer extension */
    "a~b1",                              /* the tilde is not before the number */
    "gro\xC3\x9F/\xC3\xA9t\xC3\xA9.txt", /* composed letters */
    "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E/\xED\x95\x9C\xEA\xB8\x80", /* CJK, whole syllables */
    "\xF0\x9F\x98\x80.png",                                          /* beyond the first plane */
    "\xEF\xBC\xA1",                                                  /* full-width */
};

static void path_accepts_what_is_safe_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        struct err err = { .code = E_OK };
        if (path_check(span_text(accepted[i]), &err) != E_OK)
            fail_msg("%s", err.text);
    }
}

/* clang-format off */
static const struct refusal {
    const char *path, *cause;
} refused[] = {
    { "", "is empty" },
    { "/", "is absolute" }, { "/etc/passwd", "is absolute" },
    { "//host/share/a", "another machine (UNC)" }, { "\\\\host\\share", "another machine (UNC)" },
    { "\\\\?\\C:\\a", "another machine (UNC)" },
    { "C:", "names a drive" }, { "c:/a", "names a drive" }, { "C:\\a", "names a drive" },
    { "Z:a", "names a drive" },
    { "\\a", "backslash" }, { "a\\b", "backslash" }, { "..\\a", "backslash" }, { "a/..\\b", "backslash" },
    { "ab:c", "has \":\"" }, { "a:b", "names a drive" }, { "a.txt:stream", "has \":\"" }, { "a/b::$DATA", "has \":\"" }, { ":", "has \":\"" },
    { "dir/c:", "has \":\"" },
    { "a<b", "has '<'" }, { "a>b", "has '>'" }, { "a\"b", "has '\"'" }, { "a|b", "has '|'" },
    { "a?b", "has '?'" }, { "a*b", "has '*'" },
    { "a\nb", "control character, 0x0a" }, { "a\tb", "control character, 0x09" },
    { "\x1b[2J", "control character, 0x1b" }, { "a\x7f", "control character, 0x7f" },
    { "a\x01", "control character, 0x01" },
    { "a\xC2\x85" "b", "U+0085, which is not seen" },
    { "a//b", "nothing between two \"/\" at byte 2" }, { "a///b", "nothing between two \"/\" at byte 2" },
    { "a/", "ends in \"/\"" }, { "a/b/", "ends in \"/\"" },
    { ".", "has \".\" at byte 0" }, { "./a", "has \".\" at byte 0" }, { "a/./b", "has \".\" at byte 2" },
    { "a/.", "has \".\" at byte 2" },
    { "..", "has \"..\" at byte 0" }, { "../a", "has \"..\" at byte 0" }, { "a/../b", "has \"..\" at byte 2" },
    { "a/..", "has \"..\" at byte 2" },
    { "a.", "ends in a dot" }, { "a./b", "ends in a dot" }, { "...", "ends in a dot" }, { "a/b..", "ends in a dot" },
    { "a ", "ends in a space" }, { "a /b", "ends in a space" }, { " ", "ends in a space" }, { ".. ", "ends in a space" },
    { "a/. /b", "ends in a space" },
    /* devices: any case, any extension, in any folder */
    { "CON", "is a device" }, { "con", "is a device" }, { "Con.txt", "is a device" }, { "a/cOn", "is a device" },
    { "nul/a", "is a device" }, { "PRN", "is a device" }, { "AUX.tar.gz", "is a device" }, { "NUL.", "ends in a dot" },
    { "NUL .txt", "is a device" }, { "NUL  .a.b", "is a device" }, { "aux.h", "is a device" },
    { "COM0", "is a device" }, { "com1", "is a device" }, { "COM9.log", "is a device" }, { "LPT0", "is a device" },
    { "lpt5", "is a device" }, { "LPT9.x", "is a device" },
    { "COM\xC2\xB9", "is a device" }, { "com\xC2\xB2.txt", "is a device" }, { "LPT\xC2\xB3", "is a device" },
    { "CONIN$", "is a device" }, { "conout$", "is a device" }, { "CLOCK$", "is a device" }, { "clock$.x", "is a device" },
    /* names that Windows makes up */
    { "PROGRA~1", "as Windows makes up" }, { "progra~1/a", "as Windows makes up" }, { "a~12.txt", "as Windows makes up" },
    { "~1", "as Windows makes up" }, { "GIT~1", "as Windows makes up" }, { "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9~1", "as Windows makes up" },
    /* bytes that are no UTF-8 */
    { "a\xFF", "is no UTF-8 at its byte 1" }, { "a\xC3", "is no UTF-8 at its byte 1" },
    { "a\xC3/b", "is no UTF-8 at its byte 1" }, { "\xC0\xAE\xC0\xAE/a", "is no UTF-8 at its byte 0" },
    { "a\xC0\xAF" "b", "is no UTF-8 at its byte 1" }, { "\xED\xA0\x80", "is no UTF-8 at its byte 0" },
    { "\xF4\x90\x80\x80", "is no UTF-8 at its byte 0" }, { "\xE2\x82", "is no UTF-8 at its byte 0" },
    /* what is not seen */
    { "a\xE2\x80\xAE" "gpj.exe", "U+202E, which is not seen" }, { "a\xE2\x81\xA6", "U+2066, which is not seen" },
    { "a\xE2\x80\x8B", "U+200B, which is not seen" }, { "a\xE2\x80\x8D" "b", "U+200D, which is not seen" },
    { "\xEF\xBB\xBF" "a", "U+FEFF, which is not seen" }, { "a\xC2\xAD" "b", "U+00AD, which is not seen" },
    { "a\xE2\x80\xA8", "U+2028, which is not seen" }, { "\xEF\xBF\xBF", "U+FFFF, which is not seen" },
    { "\xF3\xA0\x80\x81", "U+E0001, which is not seen" }, { "a\xEF\xB8\x8F", "U+FE0F, which is not seen" },
    { "\xEF\xB7\x90", "U+FDD0, which is not seen" }, { "\xE3\x85\xA4", "U+3164, which is not seen" },
    { "\xF4\x8F\xBF\xBE", "U+10FFFE, which is not seen" },
    /* what normalises to something else */
    { "e\xCC\x81", "U+0301, which combines" }, { "\xCC\x80", "U+0300, which combines" },
    { "\xE3\x81\x8B\xE3\x82\x99", "U+3099, which combines" }, { "x\xE2\x83\x97", "U+20D7, which combines" },
    { "x\xEF\xB8\xA0", "U+FE20, which combines" }, { "x\xCD\x85", "U+0345, which combines" },
    { "\xE0\xA6\x95\xE0\xA6\xBE", "U+09BE, which combines" }, { "x\xF0\x9D\x85\xA5", "U+1D165, which combines" },
    { "\xE2\x84\xAA", "U+212A, which is not in normal form" }, { "\xE2\x84\xAB", "U+212B, which is not in normal form" },
    { "\xE2\x84\xA6", "U+2126, which is not in normal form" }, { "\xE1\xBD\xB1", "U+1F71, which is not in normal form" },
    { "x\xCD\x81", "U+0341, which combines" }, { "\xEF\xA4\x80", "U+F900, which is not in normal form" },
    { "\xF0\xAF\xA0\x80", "U+2F800, which is not in normal form" }, { "\xCD\xBE", "U+037E, which is not in normal form" },
    { "\xE0\xA5\x98", "U+0958, which is not in normal form" },
    { "\xE1\x84\x80\xE1\x85\xA1", "U+1100, which is part of a Hangul syllable" },
    { "\xEA\xB0\x80\xE1\x86\xA8", "U+11A8, which is part of a Hangul syllable" },
    { "\xEA\xA5\xA0", "U+A960, which is part of a Hangul syllable" },
    { "\xED\x9E\xB0", "U+D7B0, which is part of a Hangul syllable" },
    /* private characters for those that are forbidden: "." + U+F029 is ".." on some systems */
    { ".\xEF\x80\xA9/a", "U+F029, which stands for a forbidden" }, { "a\xEF\x80\xBA", "U+F03A, which stands for a forbidden" },
};
/* clang-format on */

static void path_refuses_with_the_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err err = { .code = E_OK };
        if (path_check(span_text(refused[i].path), &err) != E_MALFORMED)
            fail_msg("\"%s\" was accepted", refused[i].path);
        if (strstr(err.text, refused[i].cause) == NULL)
            fail_msg("%s, not: %s", err.text, refused[i].cause);
        assert_int_equal(strncmp(err.text, "path \"", 6), 0);
        assert_int_equal(path_check(span_text(refused[i].path), NULL), E_MALFORMED);
    }
}

/* What is wrong in one component is wrong in each place of a longer path. */
static void path_refuses_it_in_every_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text), "good/%s", refused[i].path);
        assert_int_equal(path_check(span_text(text), NULL), E_MALFORMED);
        (void)snprintf(text, sizeof(text), "good/%s/more", refused[i].path);
        assert_int_equal(path_check(span_text(text), NULL), E_MALFORMED);
    }
}

static void path_refuses_a_nul_byte_and_each_control(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(path_check(span_of("a\0b", 3), &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "has a NUL byte"));
    assert_int_equal(path_check(span_of("\0", 1), &err), E_MALFORMED);
    for (char c = 1; c < 0x20; c++) {
        char text[] = { 'a', c, 'b' };
        assert_int_equal(path_check(span_of(text, sizeof(text)), &err), E_MALFORMED);
        assert_non_null(strstr(err.text, "has a control character"));
    }
}

static void components_of_255_bytes_are_the_longest(void **state)
{
    (void)state;
    char text[PATH_COMPONENT_MAX + 2];
    struct err err;
    memset(text, 'a', sizeof(text));
    assert_int_equal(path_check(span_of(text, PATH_COMPONENT_MAX), &err), E_OK);
    assert_int_equal(path_check(span_of(text, PATH_COMPONENT_MAX + 1), &err), E_LIMIT);
    assert_non_null(strstr(err.text, "has 256 bytes, limit 255"));
    text[0] = '\xC3', text[1] = '\xA9';
    assert_int_equal(path_check(span_of(text, PATH_COMPONENT_MAX), &err), E_OK);
}

static void paths_of_1024_bytes_and_64_folders_are_the_longest(void **state)
{
    (void)state;
    char text[PATH_TREE_MAX + 1];
    struct err err;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 100 == 99 ? '/' : 'a';
    assert_int_equal(path_check(span_of(text, PATH_TREE_MAX), &err), E_OK);
    assert_int_equal(path_check(span_of(text, PATH_TREE_MAX + 1), &err), E_LIMIT);
    assert_non_null(strstr(err.text, "has 1025 bytes, limit 1024"));
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 == 1 ? '/' : 'a';
    assert_int_equal(path_check(span_of(text, 2 * PATH_DEPTH_MAX - 1), &err), E_OK);
    assert_int_equal(path_check(span_of(text, 2 * PATH_DEPTH_MAX + 1), &err), E_LIMIT);
    assert_non_null(strstr(err.text, "more than 64 components"));
}

/* clang-format off */
static const struct {
    const char *at, *target, *cause; /* NULL: may point there */
} links[] = {
    { "l", "a", NULL }, { "l", "a/b/c", NULL }, { "d/l", "a", NULL }, { "d/l", "../a", NULL }, { "d/e/l", "../../a", NULL },
    { "d/e/l", "..", NULL }, { "d/l", "..", NULL }, { "l", ".", NULL }, { "l", "./a", NULL }, { "l", "a/./b", NULL },
    { "d/l", "./../a", NULL }, { "d/l", ".././a", NULL }, { "l", "libz.so.1", NULL },
    { "l", "..", "leaves the tree at byte 0" }, { "l", "../a", "leaves the tree at byte 0" },
    { "d/l", "../../a", "leaves the tree at byte 3" }, { "d/l", "../../d/a", "leaves the tree at byte 3" },
    { "l", "./../a", "leaves the tree at byte 2" }, { "d/e/l", "../../..", "leaves the tree at byte 6" },
    { "l", "a/..", "has \"..\" at byte 2, behind a name" }, { "d/l", "a/../../b", "has \"..\" at byte 2, behind a name" },
    { "d/l", "../a/../b", "has \"..\" at byte 5, behind a name" }, { "l", "a/./..", "has \"..\" at byte 4, behind a name" },
    { "l", "", "is empty" }, { "l", "/etc/passwd", "is absolute" }, { "l", "C:/a", "names a drive" },
    { "l", "\\\\host\\share", "another machine" }, { "l", "//host/share", "another machine" }, { "d/l", "..\\a", "backslash" },
    { "l", "a//b", "nothing between" }, { "l", "a/", "ends in \"/\"" }, { "l", "./", "ends in \"/\"" }, { "d/l", "../", "ends in \"/\"" },
    { "l", "NUL", "is a device" }, { "d/l", "../con.txt", "is a device" }, { "l", "a.", "ends in a dot" }, { "l", "...", "ends in a dot" },
    { "l", ".. ", "ends in a space" }, { "l", "ab:c", "has \":\"" }, { "l", "e\xCC\x81", "combines" }, { "l", "\xFF", "is no UTF-8" },
    { "l", "GIT~1/x", "as Windows makes up" }, { "l", ".\xEF\x80\xA9/a", "stands for a forbidden" },
    { "../l", "a", "path \"../l\": has \"..\"" }, { "/l", "a", "path \"/l\": is absolute" }, { "", "a", "path \"\": is empty" },
    { "a//l", "a", "nothing between" },
};
/* clang-format on */

static void links_stay_in_the_tree(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        struct err err = { .text = "" };
        enum errc rc = path_check_link(span_text(links[i].at), span_text(links[i].target), &err);
        if (rc != (links[i].cause == NULL ? E_OK : E_MALFORMED))
            fail_msg("%s -> %s: %s", links[i].at, links[i].target, errc_name(rc));
        if (links[i].cause != NULL && strstr(err.text, links[i].cause) == NULL)
            fail_msg("%s, not: %s", err.text, links[i].cause);
    }
}

static void links_lead_no_deeper_than_paths_may(void **state)
{
    (void)state;
    char at[2 * PATH_DEPTH_MAX], up[4 * PATH_DEPTH_MAX];
    struct err err;
    for (size_t i = 0; i < sizeof(at); i++)
        at[i] = i % 2 == 1 ? '/' : 'a';
    struct span deep = span_of(at, 2 * PATH_DEPTH_MAX - 1);
    assert_int_equal(path_check_link(deep, span_text("b"), &err), E_OK);
    assert_int_equal(path_check_link(deep, span_text("b/c"), &err), E_LIMIT);
    for (size_t i = 0; i < sizeof(up); i++)
        up[i] = i % 3 == 2 ? '/' : '.';
    size_t to_root = 3 * (PATH_DEPTH_MAX - 1) - 1;
    assert_int_equal(path_check_link(deep, span_of(up, to_root), &err), E_OK);
    assert_int_equal(path_check_link(deep, span_of(up, to_root + 3), &err), E_MALFORMED);
}

/* --- folding */

static const struct {
    const char *path, *key;
} folds[] = {
    { "Bin/README.TXT", "bin/readme.txt" },
    { "abc-123_@[`{", "abc-123_@[`{" },
    { "\xC3\x84\xC3\x96\xC3\x9C\xC3\x97",
      "\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x97" }, /* not the times sign */
    { "Stra\xC3\x9F"
      "e",
      "strasse" },
    { "\xE1\xBA\x9E", "ss" },                                   /* capital sharp s */
    { "\xC4\xB0\xC4\xB1I", "iii" },                             /* Turkish */
    { "\xC5\xBF", "s" },                                        /* long s */
    { "\xC5\xB8\xC3\xBF", "\xC3\xBF\xC3\xBF" },                 /* y with diaeresis */
    { "\xCE\xA3\xCF\x82\xCF\x83", "\xCF\x83\xCF\x83\xCF\x83" }, /* sigma */
    { "\xC2\xB5", "\xCE\xBC" },                                 /* micro, mu */
    { "\xE1\xBE\xB3", "\xCE\xB1\xCE\xB9" },                     /* alpha, iota */
    { "\xD0\x96\xD0\x81", "\xD0\xB6\xD1\x91" },                 /* Cyrillic */
    { "\xD4\xB1", "\xD5\xA1" },                                 /* Armenian */
    { "\xE1\xB2\x90\xE1\x82\xA0", "\xE1\x83\x90\xE2\xB4\x80" }, /* Georgian */
    { "\xE2\x85\xA0\xE2\x92\xB6\xEF\xBC\xA1", "\xE2\x85\xB0\xE2\x93\x90\xEF\xBD\x81" },
    { "\xEF\xAC\x83", "ffi" },                                          /* a ligature of three */
    { "\xF0\x90\x90\x80", "\xF0\x90\x90\xA8" },                         /* Deseret */
    { "\xE6\x97\xA5\xF0\x9F\x98\x80", "\xE6\x97\xA5\xF0\x9F\x98\x80" }, /* no case */
};

static void paths_fold_to_their_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
        struct buf key;
        buf_init(&key, 1000);
        assert_int_equal(buf_add_text(&key, "before:", NULL), E_OK);
        assert_int_equal(path_check(span_text(folds[i].path), NULL), E_OK);
        assert_int_equal(path_fold(span_text(folds[i].path), &key, NULL), E_OK);
        if (!span_equal_text(span_sub(buf_span(&key), 7, 1000), folds[i].key))
            fail_msg("%s folds to %.*s", folds[i].path, (int)key.len, (const char *)key.ptr);
        buf_fini(&key);
    }
}

static void path_fold_leaves_the_buf_as_it_was_where_it_fails(void **state)
{
    (void)state;
    char longer[PATH_TREE_MAX + 1];
    struct buf key;
    struct err err;
    memset(longer, 'a', sizeof(longer));
    buf_init(&key, 8);
    assert_int_equal(buf_add_text(&key, "1", NULL), E_OK);
    assert_int_equal(path_fold(span_text("Ab\xFF"), &key, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "no UTF-8 at byte 2"));
    assert_int_equal(path_fold(span_text("ABCDE"), &key, &err), E_LIMIT);
    assert_int_equal(path_fold(span_of(longer, sizeof(longer)), &key, &err), E_LIMIT);
    assert_true(span_equal_text(buf_span(&key), "1"));
    assert_int_equal(path_fold(span_text(""), &key, &err), E_OK);
    assert_true(span_equal_text(buf_span(&key), "1"));
    buf_fini(&key);
}

/* --- sets: words with spaces between; one that ends in ">" is a folder, "a" and "b" the clash */

#define SET_MAX 12

static const struct {
    const char *words;
    int a, b; /* -1: none */
    const char *cause;
} sets[] = {
    { "", -1, -1, NULL },
    { "a", -1, -1, NULL },
    { "a> a/b a/c", -1, -1, NULL },
    { "a/b a/c a>", -1, -1, NULL },
    { "a/b/c a/b/d a/e f", -1, -1, NULL },
    { "a a.b a-b ab a/b", 0, 4, "is no folder" },
    { "a> a.b a-b ab a/b a0/c", -1, -1, NULL },
    { "a/b/c/d a/b> x", -1, -1, NULL },
    { "a a", 0, 1, "stand twice" },
    { "a> a>", 0, 1, "stand twice" },
    { "a a>", 0, 1, "stand twice" },
    { "x a y z a", 1, 4, "stand twice" },
    { "readme README", 0, 1, "are one where case does not count" },
    { "lib/A.so lib/b.so lib/a.so", 0, 2, "are one where case" },
    { "stra\xC3\x9F"
      "e x strasse",
      0, 2, "are one where case" },
    { "\xC4\xB0 i", 0, 1, "are one where case" },
    { "a> A>", 0, 1, "are one where case" },
    { "a A>", 0, 1, "are one where case" },
    { "a/b a", 0, 1, "is no folder" },
    { "a/b/c/d a/b", 0, 1, "is no folder" },
    { "a/b/c/d x a", 0, 2, "is no folder" },
    { "A a/b", 0, 1, "is no folder" },
    { "a/B/c A/b", 0, 1, "paths \"" }, /* for two reasons */
    { "Lib/a lib/b", 0, 1, "spell one folder in two ways" },
    { "x/Lib/a x/lib/b/c", 0, 1, "spell one folder in two ways" },
    { "Lib/a/b z LIB/q/r", 0, 2, "spell one folder in two ways" },
    { "Lib> lib/b", 0, 1, "spell one folder in two ways" },
    { "lib/b Lib>", 0, 1, "spell one folder in two ways" },
    { "lib/a lib/b Lib/c", -2, 2, "spell one folder in two ways" },
    { "x/lib/a y/Lib/a", -1, -1, NULL },
    { "Lib/a lib2/a LIB3/a", -1, -1, NULL },
};

static size_t read_words(const char *words, struct path_entry entries[SET_MAX])
{
    size_t n = 0;
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        bool is_folder = words[len - 1] == '>';
        assert_in_range(n, 0, SET_MAX - 1);
        entries[n] = (struct path_entry){ span_of(words, len - is_folder), is_folder };
        assert_int_equal(path_check(entries[n++].path, NULL), E_OK);
        words += len + (words[len] == ' ');
    }
    return n;
}

static bool is_pair(size_t a, size_t b, int wanted_a, int wanted_b)
{
    int low = (int)(a < b ? a : b), high = (int)(a < b ? b : a);
    return (wanted_a == -2 || low == wanted_a) && high == wanted_b;
}

static void sets_are_checked_for_clashes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        struct path_entry entries[SET_MAX];
        struct err err = { .text = "" };
        size_t a = 77, b = 77, n = read_words(sets[i].words, entries);
        enum errc rc = path_set_check(entries, n, &a, &b, &err);
        if (rc != (sets[i].cause == NULL ? E_OK : E_MALFORMED))
            fail_msg("%s: %s %s", sets[i].words, errc_name(rc), err.text);
        if (sets[i].cause == NULL && (a != 77 || b != 77))
            fail_msg("%s: numbers without a clash", sets[i].words);
        if (sets[i].cause != NULL && !is_pair(a, b, sets[i].a, sets[i].b))
            fail_msg("%s: %zu and %zu", sets[i].words, a, b);
        if (sets[i].cause != NULL && strstr(err.text, sets[i].cause) == NULL)
            fail_msg("%s: %s, not: %s", sets[i].words, err.text, sets[i].cause);
        assert_int_equal(path_set_check(entries, n, NULL, NULL, NULL), rc);
    }
}

static void set_names_both_paths(void **state)
{
    (void)state;
    struct path_entry entries[] = { { span_text("Docs/x"), false }, { span_text("docs"), false } };
    struct err err;
    assert_int_equal(path_set_check(entries, 2, NULL, NULL, &err), E_MALFORMED);
    assert_string_equal(err.text,
                        "paths \"docs\" and \"Docs/x\" cannot both be: the first is no folder");
}

static void set_refuses_what_it_cannot_fold(void **state)
{
    (void)state;
    struct path_entry entries[] = { { span_text("a"), false }, { span_text("b\xFF"), false } };
    assert_int_equal(path_set_check(entries, 2, NULL, NULL, NULL), E_MALFORMED);
    assert_int_equal(path_set_check(entries, PATH_SET_MAX + 1, NULL, NULL, NULL), E_LIMIT);
}

#define MANY 20000
#define NAME_ROOM 64

/* many makes paths of a few hundred folders, in an order of no use. */
static struct path_entry *make_many(char *names)
{
    struct path_entry *entries = calloc(MANY, sizeof(*entries));
    assert_non_null(entries);
    for (size_t i = 0; i < MANY; i++) {
        char *name = names + i * NAME_ROOM;
        size_t k = i * 7919 % MANY;
        int len = snprintf(name, NAME_ROOM, "lib/part%zu/module/File%05zu.dll", k % 311, k);
        entries[i] = (struct path_entry){ span_of(name, (size_t)len), false };
    }
    return entries;
}

static void one_clash_among_many_is_found_wherever_it_stands(void **state)
{
    (void)state;
    char *names = calloc(MANY, NAME_ROOM);
    assert_non_null(names);
    struct path_entry *entries = make_many(names);
    assert_int_equal(path_set_check(entries, MANY, NULL, NULL, NULL), E_OK);
    for (size_t i = 1; i < MANY; i += MANY / 7) {
        struct path_entry held = entries[i];
        size_t a = 0, b = 0, other = (i * 31) % (MANY - 1);
        char name[NAME_ROOM + 2];
        other += other >= i;
        int len = snprintf(name, sizeof(name), "LIB%s", names + other * NAME_ROOM + 3);
        entries[i].path = span_of(name, (size_t)len);
        assert_int_equal(path_set_check(entries, MANY, &a, &b, NULL), E_MALFORMED);
        assert_true(a == i || b == i);
        len = snprintf(name, sizeof(name), "%s/x", names + other * NAME_ROOM);
        entries[i].path = span_of(name, (size_t)len);
        assert_int_equal(path_set_check(entries, MANY, &a, &b, NULL), E_MALFORMED);
        assert_true(is_pair(a, b, (int)(i < other ? i : other), (int)(i < other ? other : i)));
        entries[i] = held;
    }
    free(entries);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_accepts_what_is_safe_everywhere),
        cmocka_unit_test(path_refuses_with_the_cause),
        cmocka_unit_test(path_refuses_it_in_every_place),
        cmocka_unit_test(path_refuses_a_nul_byte_and_each_control),
        cmocka_unit_test(components_of_255_bytes_are_the_longest),
        cmocka_unit_test(paths_of_1024_bytes_and_64_folders_are_the_longest),
        cmocka_unit_test(links_stay_in_the_tree),
        cmocka_unit_test(links_lead_no_deeper_than_paths_may),
        cmocka_unit_test(paths_fold_to_their_key),
        cmocka_unit_test(path_fold_leaves_the_buf_as_it_was_where_it_fails),
        cmocka_unit_test(sets_are_checked_for_clashes),
        cmocka_unit_test(set_names_both_paths),
        cmocka_unit_test(set_refuses_what_it_cannot_fold),
        cmocka_unit_test(one_clash_among_many_is_found_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
