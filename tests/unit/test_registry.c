/* The registry, mutexes and groups of Windows, by the machine's own means: for Windows. */

#include <windows.h>

#include <sddl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "answers.h"

#define KEY "HKLM\\SOFTWARE\\Surefoot Test"
#define OWN L"SOFTWARE\\Surefoot Test"

#define REG(op, ...) CALL(registry, op, __VA_ARGS__)

/* --- the test's own key, made and looked at without our code */

static HKEY own_key(void)
{
    HKEY key = NULL;
    assert_int_equal(RegCreateKeyExW(HKEY_LOCAL_MACHINE, OWN, 0, NULL, 0,
                                     KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, &key, NULL),
                     ERROR_SUCCESS);
    return key;
}

static int take_own_key_away(void **state)
{
    UNUSED(state);
    LSTATUS os = RegDeleteTreeW(HKEY_LOCAL_MACHINE, OWN);
    return os == ERROR_SUCCESS || os == ERROR_FILE_NOT_FOUND ? 0 : -1;
}

static void put(const wchar_t *name, DWORD kind, const void *bytes, size_t len)
{
    HKEY key = own_key();
    assert_int_equal(RegSetValueExW(key, name, 0, kind, bytes, (DWORD)len), ERROR_SUCCESS);
    (void)RegCloseKey(key);
}

static void assert_has(const wchar_t *name, DWORD kind, const void *bytes, size_t len)
{
    uint8_t got[256];
    DWORD got_kind = 0, got_len = sizeof(got);
    HKEY key = own_key();
    assert_int_equal(RegQueryValueExW(key, name, NULL, &got_kind, got, &got_len), ERROR_SUCCESS);
    (void)RegCloseKey(key);
    assert_int_equal(got_kind, kind);
    assert_int_equal(got_len, len);
    assert_memory_equal(got, bytes, len);
}

static bool key_is_there(const wchar_t *name)
{
    HKEY key = NULL;
    LSTATUS os =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, name, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
    if (os == ERROR_SUCCESS)
        (void)RegCloseKey(key);
    return os == ERROR_SUCCESS;
}

static void assert_text(const char *name, const char *text)
{
    char to[256] = "-";
    bool found = false;
    IS(E_OK, REG(get, KEY, name, to, sizeof(to), &found));
    assert_true(found);
    assert_string_equal(to, text);
}

static void assert_absent(const char *key, const char *name)
{
    char to[16] = "-";
    bool found = true;
    IS(E_OK, REG(get, key, name, to, sizeof(to), &found));
    assert_false(found);
    assert_string_equal(to, "-");
}

/* --- reading */

static const uint8_t forty_two[] = { 42, 0, 0, 0 }, most[] = { 255, 255, 255, 255 };
static const uint8_t large[] = { 0, 0, 0, 0, 0, 0, 0, 128 };

static const struct {
    const char *name;
    DWORD kind;
    const void *bytes;
    size_t len;
    const char *text;
} readable[] = {
    { "text", REG_SZ, L"Expr\u00e9ss", sizeof(L"Expr\u00e9ss"), "Expr\u00e9ss" },
    { "no NUL", REG_SZ, L"abc", 6, "abc" },
    { "two NULs", REG_SZ, L"abc\0", 10, "abc" },
    { "empty", REG_SZ, L"", 2, "" },
    { "nothing", REG_SZ, L"", 0, "" },
    { "a pair", REG_SZ, L"\U0001F332", 6, "\U0001F332" },
    { "as it is", REG_EXPAND_SZ, L"%windir%\\x", sizeof(L"%windir%\\x"), "%windir%\\x" },
    { "number", REG_DWORD, forty_two, 4, "42" },
    { "most", REG_DWORD, most, 4, "4294967295" },
    { "large", REG_QWORD, large, 8, "9223372036854775808" },
    { "", REG_SZ, L"the key's own", sizeof(L"the key's own"), "the key's own" },
};

static const struct {
    const char *name;
    DWORD kind;
    const void *bytes;
    size_t len;
    const char *says;
} unreadable[] = {
    { "binary", REG_BINARY, forty_two, 4, "of kind 3" },
    { "several", REG_MULTI_SZ, L"a\0b\0", 10, "of kind 7" },
    { "big-endian", REG_DWORD_BIG_ENDIAN, forty_two, 4, "of kind 5" },
    { "none", REG_NONE, "", 0, "of kind 0" },
    { "odd", REG_SZ, "abc", 3, "no whole UTF-16" },
    { "NUL inside", REG_SZ, L"on\0off", sizeof(L"on\0off"), "NUL in it" },
    { "half a pair", REG_SZ, L"a\xd83c", 6, "no UTF-16" },
    { "short", REG_DWORD, forty_two, 2, "of 2 bytes" },
    { "narrow", REG_QWORD, forty_two, 4, "of 4 bytes" },
};

static const wchar_t *wide_name(const char *name)
{
    static wchar_t wide[32];
    for (size_t i = 0; i == 0 || name[i - 1] != '\0'; i++)
        wide[i] = (wchar_t)name[i];
    return wide;
}

static void texts_and_numbers_are_read(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
        put(wide_name(readable[i].name), readable[i].kind, readable[i].bytes, readable[i].len);
        assert_text(readable[i].name, readable[i].text);
    }
}

static void what_has_no_text_is_no_value_and_is_not_absent(void **state)
{
    char to[16] = "-";
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(unreadable); i++) {
        bool found = true;
        put(wide_name(unreadable[i].name), unreadable[i].kind, unreadable[i].bytes,
            unreadable[i].len);
        IS(E_MALFORMED, REG(get, KEY, unreadable[i].name, to, sizeof(to), &found));
        SAYS(unreadable[i].says);
        assert_string_equal(to, "-");
    }
}

static void what_is_not_there_is_absent(void **state)
{
    UNUSED(state);
    assert_absent(KEY, "x");
    put(L"y", REG_SZ, L"1", 4);
    assert_absent(KEY, "x");
    assert_absent(KEY "\\below\\it", "y");
    assert_absent("HKU\\.DEFAULT\\Software\\Surefoot Test", "x");
}

static void keys_and_values_go_by_any_case(void **state)
{
    char to[16];
    bool found = false;
    UNUSED(state);
    put(L"Mode", REG_SZ, L"on", 6);
    IS(E_OK, REG(get, "HKLM\\software\\SUREFOOT test", "mode", to, sizeof(to), &found));
    assert_true(found);
    assert_string_equal(to, "on");
}

static void what_does_not_fit_is_said(void **state)
{
    char to[4] = "-";
    bool found;
    UNUSED(state);
    put(L"four", REG_SZ, L"abcd", 10);
    put(L"three", REG_SZ, L"abc", 8);
    put(L"number", REG_DWORD, most, 4);
    IS(E_LIMIT, REG(get, KEY, "four", to, sizeof(to), &found));
    IS(E_LIMIT, REG(get, KEY, "number", to, sizeof(to), &found));
    IS(E_OK, REG(get, KEY, "three", to, sizeof(to), &found));
    assert_string_equal(to, "abc");
}

static void other_roots_are_no_keys(void **state)
{
    static const char *const wrong[] = { "",        "HKLM",        "HKLM\\",     "HKU\\",
                                         "HKCU\\x", "SOFTWARE\\x", "hklm\\x\\y", "HKLM/x" };
    char to[16];
    bool flag;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        IS(E_ARGUMENT, REG(get, wrong[i], "x", to, sizeof(to), &flag));
        IS(E_ARGUMENT, REG(set, wrong[i], "x", "1"));
        IS(E_ARGUMENT, REG(remove, wrong[i], "x"));
        IS(E_ARGUMENT, REG(can_write, wrong[i], &flag));
    }
}

/* --- writing */

static void a_new_value_is_a_text_and_its_keys_are_made(void **state)
{
    char to[64];
    bool found = false;
    UNUSED(state);
    IS(E_OK, REG(set, KEY "\\a\\b", "x", "Expr\u00e9ss"));
    assert_true(key_is_there(OWN L"\\a\\b"));
    IS(E_OK, REG(get, KEY "\\a\\b", "x", to, sizeof(to), &found));
    assert_true(found);
    assert_string_equal(to, "Expr\u00e9ss");
    IS(E_OK, REG(set, KEY, "n", "1"));
    assert_has(L"n", REG_SZ, L"1", 4);
    IS(E_ARGUMENT, REG(set, KEY, "n", "\xff"));
    assert_has(L"n", REG_SZ, L"1", 4);
}

static void what_is_there_keeps_its_kind(void **state)
{
    static const uint8_t seven[] = { 7, 0, 0, 0, 0, 0, 0, 0 };
    UNUSED(state);
    put(L"dword", REG_DWORD, forty_two, 4);
    put(L"qword", REG_QWORD, large, 8);
    put(L"expand", REG_EXPAND_SZ, L"%x%", 8);
    put(L"text", REG_SZ, L"abc", 8);
    IS(E_OK, REG(set, KEY, "dword", "7"));
    assert_has(L"dword", REG_DWORD, seven, 4);
    IS(E_OK, REG(set, KEY, "dword", "4294967295"));
    assert_has(L"dword", REG_DWORD, most, 4);
    IS(E_OK, REG(set, KEY, "qword", "7"));
    assert_has(L"qword", REG_QWORD, seven, 8);
    IS(E_OK, REG(set, KEY, "qword", "9223372036854775808"));
    assert_has(L"qword", REG_QWORD, large, 8);
    IS(E_OK, REG(set, KEY, "expand", "%y%"));
    assert_has(L"expand", REG_EXPAND_SZ, L"%y%", 8);
    IS(E_OK, REG(set, KEY, "text", ""));
    assert_has(L"text", REG_SZ, L"", 2);
}

static void what_would_change_the_kind_is_refused(void **state)
{
    static const char *const no_number[] = { "",    "on",         "-1",
                                             "+1",  "01",         "1 ",
                                             "0x1", "4294967296", "18446744073709551616" };
    UNUSED(state);
    put(L"dword", REG_DWORD, forty_two, 4);
    put(L"qword", REG_QWORD, large, 8);
    put(L"binary", REG_BINARY, forty_two, 4);
    for (size_t i = 0; i < ARRAY_LEN(no_number); i++)
        IS(E_ARGUMENT, REG(set, KEY, "dword", no_number[i]));
    IS(E_ARGUMENT, REG(set, KEY, "qword", "18446744073709551616"));
    IS(E_MALFORMED, REG(set, KEY, "binary", "1"));
    assert_has(L"dword", REG_DWORD, forty_two, 4);
    assert_has(L"qword", REG_QWORD, large, 8);
    assert_has(L"binary", REG_BINARY, forty_two, 4);
}

static void a_value_is_taken_away_and_its_key_stays(void **state)
{
    UNUSED(state);
    IS(E_OK, REG(remove, KEY, "x"));
    assert_false(key_is_there(OWN));
    put(L"x", REG_BINARY, forty_two, 4);
    put(L"y", REG_SZ, L"1", 4);
    IS(E_OK, REG(remove, KEY, "x"));
    assert_absent(KEY, "x");
    assert_text("y", "1");
    IS(E_OK, REG(remove, KEY, "x"));
    IS(E_OK, REG(remove, KEY, "y"));
    assert_true(key_is_there(OWN));
}

/* Others may read the key of the test, and do nothing else. */
static void deny(HKEY key, const wchar_t *rule)
{
    PSECURITY_DESCRIPTOR sd = NULL;
    assert_true(
        ConvertStringSecurityDescriptorToSecurityDescriptorW(rule, SDDL_REVISION_1, &sd, NULL));
    assert_int_equal(RegSetKeySecurity(key, DACL_SECURITY_INFORMATION, sd), ERROR_SUCCESS);
    (void)LocalFree(sd);
}

static void rights_are_asked_and_nothing_is_changed(void **state)
{
    bool can = false;
    UNUSED(state);
    IS(E_OK, REG(can_write, KEY, &can));
    assert_true(can);
    IS(E_OK, REG(can_write, KEY "\\a\\b", &can));
    assert_true(can);
    assert_false(key_is_there(OWN));
    IS(E_OK, REG(can_write, "HKLM\\No Such Key Right Here", &can));
    assert_false(can);
    put(L"x", REG_SZ, L"1", 4);
    can = false;
    IS(E_OK, REG(can_write, KEY, &can));
    assert_true(can);
    IS(E_OK, REG(can_write, KEY "\\a", &can));
    assert_true(can);
    assert_false(key_is_there(OWN L"\\a"));
}

static void a_key_that_others_may_only_read_is_not_written(void **state)
{
    char to[16];
    bool can = true, found = false;
    UNUSED(state);
    put(L"x", REG_SZ, L"1", 4);
    HKEY key = own_key();
    deny(key, L"D:P(A;CI;KR;;;WD)");
    IS(E_OK, REG(can_write, KEY, &can));
    assert_false(can);
    can = true;
    IS(E_OK, REG(can_write, KEY "\\a", &can));
    assert_false(can);
    IS(E_ACCESS, REG(set, KEY, "x", "2"));
    IS(E_ACCESS, REG(remove, KEY, "x"));
    IS(E_OK, REG(get, KEY, "x", to, sizeof(to), &found));
    assert_string_equal(to, "1");
    deny(key, L"D:P(A;CI;KA;;;WD)");
    (void)RegCloseKey(key);
    IS(E_OK, REG(can_write, KEY, &can));
    assert_true(can);
}

/* --- mutexes */

#define MUTEX "Local\\Surefoot-Test"

struct owner {
    HANDLE mutex, owns, may_end;
};

static DWORD WINAPI own_until_told(void *ctx)
{
    struct owner *o = ctx;
    bool has = WaitForSingleObject(o->mutex, 5000) == WAIT_OBJECT_0;
    (void)SetEvent(o->owns);
    (void)WaitForSingleObject(o->may_end, 30000);
    return has ? 0 : 1; /* and ends without giving it back */
}

static bool is_held(void)
{
    bool held = false;
    IS(E_OK, CALL(host, mutex_held, MUTEX, &held));
    return held;
}

static void a_mutex_is_held_while_another_thread_owns_it(void **state)
{
    UNUSED(state);
    assert_false(is_held());
    struct owner o = { CreateMutexW(NULL, FALSE, L"Local\\Surefoot-Test"),
                       CreateEventW(NULL, TRUE, FALSE, NULL),
                       CreateEventW(NULL, TRUE, FALSE, NULL) };
    DWORD code = 9;
    assert_non_null(o.mutex);
    assert_false(is_held());
    HANDLE thread = CreateThread(NULL, 0, own_until_told, &o, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(o.owns, 30000), WAIT_OBJECT_0);
    assert_true(is_held());
    assert_true(is_held());
    (void)SetEvent(o.may_end);
    assert_int_equal(WaitForSingleObject(thread, 30000), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &code));
    assert_int_equal(code, 0);
    assert_false(is_held()); /* abandoned */
    /* What was asked was given back: whoever comes next has it at once. */
    assert_int_equal(WaitForSingleObject(o.mutex, 0), WAIT_OBJECT_0);
    (void)ReleaseMutex(o.mutex);
    (void)CloseHandle(thread);
    (void)CloseHandle(o.mutex);
    assert_false(is_held());
    (void)CloseHandle(o.owns);
    (void)CloseHandle(o.may_end);
}

static void a_name_of_something_else_is_no_mutex(void **state)
{
    bool held;
    UNUSED(state);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, L"Local\\Surefoot-Test");
    assert_non_null(event);
    IS(E_ARGUMENT, CALL(host, mutex_held, MUTEX, &held));
    (void)CloseHandle(event);
    IS(E_ARGUMENT, CALL(host, mutex_held, "\xff", &held));
}

/* --- groups */

static const struct {
    const char *sid;
    bool exists;
} sids[] = {
    { "S-1-5-32-544", true }, /* Administrators */
    { "S-1-5-32-545", true }, /* Users */
    { "S-1-1-0", true },      /* Everyone */
    { "S-1-5-32-4999", false }, { "S-1-5-21-1-2-3-99999", false },
};

static void groups_go_by_sid(void **state)
{
    bool exists;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(sids); i++) {
        exists = !sids[i].exists;
        IS(E_OK, CALL(host, sid_exists, sids[i].sid, &exists));
        if (exists != sids[i].exists)
            fail_msg("%s: %d", sids[i].sid, exists);
    }
}

static void what_is_no_identifier_is_refused(void **state)
{
    static const char *const wrong[] = {
        "", "BA", "S-1-", "Administrators", "S-1-5-32-544x", "\xff"
    };
    bool exists;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        IS(E_ARGUMENT, CALL(host, sid_exists, wrong[i], &exists));
}

/* The account that we run under is no group, though it has an identifier. */
static void a_user_is_no_group(void **state)
{
    union {
        TOKEN_USER user;
        uint8_t room[256];
    } owner;
    HANDLE token = NULL;
    wchar_t *wide = NULL;
    char sid[128];
    DWORD len;
    bool exists = true;
    UNUSED(state);
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    assert_true(GetTokenInformation(token, TokenUser, &owner, sizeof(owner), &len));
    assert_true(ConvertSidToStringSidW(owner.user.User.Sid, &wide));
    (void)snprintf(sid, sizeof(sid), "%ls", wide);
    IS(E_OK, CALL(host, sid_exists, sid, &exists));
    assert_false(exists);
    (void)LocalFree(wide);
    (void)CloseHandle(token);
}

static void groups_go_by_name(void **state)
{
    bool exists = false;
    UNUSED(state);
    IS(E_OK, CALL(host, group_exists, "Administrators", &exists));
    assert_true(exists);
    IS(E_OK, CALL(host, group_exists, "No Such Group Here", &exists));
    assert_false(exists);
}

#define IN_KEY(test) cmocka_unit_test_setup_teardown(test, take_own_key_away, take_own_key_away)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_KEY(texts_and_numbers_are_read),
        IN_KEY(what_has_no_text_is_no_value_and_is_not_absent),
        IN_KEY(what_is_not_there_is_absent),
        IN_KEY(keys_and_values_go_by_any_case),
        IN_KEY(what_does_not_fit_is_said),
        IN_KEY(other_roots_are_no_keys),
        IN_KEY(a_new_value_is_a_text_and_its_keys_are_made),
        IN_KEY(what_is_there_keeps_its_kind),
        IN_KEY(what_would_change_the_kind_is_refused),
        IN_KEY(a_value_is_taken_away_and_its_key_stays),
        IN_KEY(rights_are_asked_and_nothing_is_changed),
        IN_KEY(a_key_that_others_may_only_read_is_not_written),
        cmocka_unit_test(a_mutex_is_held_while_another_thread_owns_it),
        cmocka_unit_test(a_name_of_something_else_is_no_mutex),
        cmocka_unit_test(groups_go_by_sid),
        cmocka_unit_test(what_is_no_identifier_is_refused),
        cmocka_unit_test(a_user_is_no_group),
        cmocka_unit_test(groups_go_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
