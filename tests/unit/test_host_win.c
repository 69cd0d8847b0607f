/* The host as Windows has it: for Windows. Its groups and mutexes are in test_registry.c. */

#include "win_kit.h"

#include <winhttp.h>

#include <wincrypt.h>

#include "make_cert.h"
#include "platform/win32/host_parts.h"

#define HOST(op, ...) CALL(host, op, __VA_ARGS__)
#define SOURCE "surefoot-test-source"
#define SOURCE_KEY                                                                                 \
    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\surefoot-test-source"

static const struct host_ops *host(void)
{
    return platform_native()->host;
}

static void the_clocks_go_forward(void **state)
{
    UNUSED(state);
    int64_t before = host()->monotonic_ms(NULL);
    host()->sleep_ms(NULL, 50);
    int64_t took = host()->monotonic_ms(NULL) - before;
    assert_true(took >= 30 && took < 5000); /* the clock has steps of some 16 ms */
    host()->sleep_ms(NULL, -5);
    assert_true(host()->now(NULL) > 1700000000);
}

static void calendar_time_is_of_the_zone_that_was_asked_for(void **state)
{
    struct host_time t;
    UNUSED(state);
    IS(E_OK, HOST(calendar, 1782863705, HOST_UTC, &t)); /* 2026-06-30T23:55:05Z */
    assert_int_equal(t.year, 2026);
    assert_int_equal(t.month, 6);
    assert_int_equal(t.day, 30);
    assert_int_equal(t.weekday, 2);
    assert_int_equal(t.minute, 23 * 60 + 55);
    assert_int_equal(t.second, 5);
    assert_int_equal(t.offset_s, 0);
    IS(E_ARGUMENT, HOST(calendar, INT64_MAX, HOST_UTC, &t));
}

static void the_machine_says_what_it_is(void **state)
{
    struct host_os os;
    unsigned major = 0, minor = 0, build = 0, update = 99;
    char name[300] = "", few[8] = "";
    UNUSED(state);
    IS(E_OK, HOST(os, &os));
    assert_string_equal(os.os, "windows");
    assert_string_equal(os.id, "windows");
    assert_true(strcmp(os.arch, "x86_64") == 0 || strcmp(os.arch, "aarch64") == 0);
    assert_int_equal(sscanf(os.version, "%u.%u.%u", &major, &minor, &build), 3);
    assert_true(major >= 10 && build > 10000);
    assert_int_equal(strncmp(os.kernel, os.version, strlen(os.version)), 0);
    assert_int_equal(sscanf(os.kernel + strlen(os.version), ".%u", &update), 1);
    IS(E_OK, HOST(name, name, sizeof(name)));
    assert_true(name[0] != '\0');
    IS(E_OK, HOST(name, few, sizeof(few)));
    assert_true(strlen(few) < sizeof(few));
}

static void the_machines_id_is_what_windows_keeps(void **state)
{
    uint8_t id[HOST_MACHINE_ID_LEN];
    char text[64] = "", digits[2 * HOST_MACHINE_ID_LEN + 1] = "", ours[TEXT_HEX_LEN(sizeof(id))];
    DWORD len = sizeof(text);
    size_t n = 0;
    UNUSED(state);
    const LSTATUS os =
        RegGetValueA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Microsoft\\Cryptography", "MachineGuid",
                     RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, text, &len);
    if (os == ERROR_FILE_NOT_FOUND) {
        IS(E_ABSENT, HOST(machine_id, id));
        return;
    }
    IS(E_OK, HOST(machine_id, id));
    for (const char *c = text; *c != '\0' && n < sizeof(digits) - 1; c++)
        if (*c != '-')
            digits[n++] = *c;
    assert_int_equal(_stricmp(text_to_hex(span_of(id, sizeof(id)), ours), digits), 0);
}

/* Taking the key away is what a start of the machine does. */
static void a_start_of_the_machine_has_an_id_of_its_own(void **state)
{
    char one[HOST_BOOT_ID_ROOM] = "", two[HOST_BOOT_ID_ROOM] = "";
    HKEY key = NULL, below_it = NULL;
    UNUSED(state);
    IS(E_OK, HOST(boot_id, one));
    Sleep(20);
    IS(E_OK, HOST(boot_id, two));
    assert_string_equal(one, two);
    assert_int_equal(strlen(one), 16);
    if (RegOpenKeyExA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Surefoot\\Boot", 0,
                      KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key) != ERROR_SUCCESS)
        skip(); /* it is with the user, who has no right to the machine's */
    /* nothing that lasts can be made below one that is kept in memory alone */
    assert_int_equal(RegCreateKeyExA(key, "lasts", 0, NULL, REG_OPTION_NON_VOLATILE, KEY_READ, NULL,
                                     &below_it, NULL),
                     ERROR_CHILD_MUST_BE_VOLATILE);
    (void)RegCloseKey(key);
    assert_int_equal(
        RegDeleteKeyExA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Surefoot\\Boot", KEY_WOW64_64KEY, 0),
        ERROR_SUCCESS);
    IS(E_OK, HOST(boot_id, two));
    assert_string_not_equal(one, two);
}

static void random_bytes_differ(void **state)
{
    uint8_t one[32] = { 0 }, two[32] = { 0 };
    UNUSED(state);
    IS(E_OK, HOST(random, one, sizeof(one)));
    IS(E_OK, HOST(random, two, sizeof(two)));
    assert_memory_not_equal(one, two, sizeof(one));
}

static void assert_is_folder_path(const char *path)
{
    assert_null(strchr(path, '\\'));
    assert_int_equal(path[1], ':');
    assert_int_equal(path[2], '/');
    assert_int_not_equal(path[strlen(path) - 1], '/');
}

static void folders_are_told_from_the_root_on(void **state)
{
    static const struct {
        enum host_folder which;
        const char *end;
    } folders[] = { { HOST_STATE, "/Surefoot/state" },
                    { HOST_CACHE, "/Surefoot/cache" },
                    { HOST_CONFIG, "/Surefoot/config" } };
    char path[PATH_ROOM], few[12];
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        IS(E_OK, HOST(usual_folder, folders[i].which, path, sizeof(path)));
        assert_is_folder_path(path);
        assert_string_equal(path + strlen(path) - strlen(folders[i].end), folders[i].end);
        IS(E_LIMIT, HOST(usual_folder, folders[i].which, few, sizeof(few)));
    }
    IS(E_OK, HOST(config_folder, path, sizeof(path)));
    assert_is_folder_path(path);
    IS(E_LIMIT, HOST(config_folder, few, sizeof(few)));
}

static void temporary_files_are_not_where_the_environment_says_when_elevated(void **state)
{
    char before[PATH_ROOM], path[PATH_ROOM], few[4];
    UNUSED(state);
    IS(E_OK, HOST(temp_folder, before, sizeof(before)));
    assert_is_folder_path(before);
    assert_true((GetFileAttributesA(before) & FILE_ATTRIBUTE_DIRECTORY) != 0);
    assert_true(SetEnvironmentVariableA("TMP", "C:\\planted") &&
                SetEnvironmentVariableA("TEMP", "C:\\planted"));
    IS(E_OK, HOST(temp_folder, path, sizeof(path)));
    if (platform_native()->proc->is_elevated(NULL))
        assert_string_equal(path, before);
    else
        assert_string_equal(path, "C:/planted");
    IS(E_LIMIT, HOST(temp_folder, few, sizeof(few)));
}

static void paths_are_made_to_begin_at_the_root(void **state)
{
    static const char *const table[][2] = {
        { "C:/a/b", "C:/a/b" },
        { "c:\\a\\.\\b\\..\\c", "c:/a/c" },
        { "C:/a//b/", "C:/a/b" },
        { "C:/", "C:/" },
        { "//server/share/x", "//server/share/x" },
        { "\\\\?\\C:\\long\\x", "C:/long/x" },
        { "\\\\?\\UNC\\server\\share\\x", "//server/share/x" },
        { "C:/\xC3\xBC.txt", "C:/\xC3\xBC.txt" },
    };
    char path[PATH_ROOM], expected[PATH_ROOM], few[6];
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        IS(E_OK, HOST(absolute_path, table[i][0], path, sizeof(path)));
        assert_string_equal(path, table[i][1]);
    }
    IS(E_OK, HOST(absolute_path, "./sub/x", path, sizeof(path)));
    assert_string_equal(path, below(state, "sub/x", expected));
    IS(E_OK, HOST(absolute_path, "../x", path, sizeof(path)));
    assert_int_equal(path[1], ':');
    assert_null(strstr(path, ".."));
    IS(E_ARGUMENT, HOST(absolute_path, "", path, sizeof(path)));
    IS(E_ARGUMENT, HOST(absolute_path, "NUL", path, sizeof(path)));
    IS(E_ARGUMENT, HOST(absolute_path, "\xFF", path, sizeof(path)));
    IS(E_LIMIT, HOST(absolute_path, "C:/a/b", few, sizeof(few)));
}

/* --- the event log */

static bool read_source(const wchar_t *name, wchar_t to[MAX_PATH])
{
    DWORD len = MAX_PATH * sizeof(*to);
    return RegGetValueW(HKEY_LOCAL_MACHINE, SOURCE_KEY, name,
                        RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND | RRF_SUBKEY_WOW6464KEY, NULL, to,
                        &len) == ERROR_SUCCESS;
}

static void an_event_is_written_and_its_source_made_known(void **state)
{
    static const wchar_t another[] = L"C:\\another\\messages.dll";
    wchar_t file[MAX_PATH], own[MAX_PATH];
    UNUSED(state);
    (void)RegDeleteTreeW(HKEY_LOCAL_MACHINE, SOURCE_KEY);
    IS(E_OK, HOST(log_event, 300, HOST_INFO, SOURCE, "100 % of it\nand more"));
    assert_true(GetModuleFileNameW(NULL, own, MAX_PATH) > 0);
    assert_true(read_source(L"EventMessageFile", file));
    assert_int_equal(wcscmp(file, own), 0);
    /* another's is left alone */
    assert_int_equal(RegSetKeyValueW(HKEY_LOCAL_MACHINE, SOURCE_KEY, L"EventMessageFile",
                                     REG_EXPAND_SZ, another, sizeof(another)),
                     ERROR_SUCCESS);
    IS(E_OK, HOST(log_event, 399, HOST_ERROR, SOURCE, ""));
    assert_true(read_source(L"EventMessageFile", file));
    assert_int_equal(wcscmp(file, another), 0);
    assert_int_equal(RegDeleteTreeW(HKEY_LOCAL_MACHINE, SOURCE_KEY), ERROR_SUCCESS);
}

/* What shows an event takes its text from the message table of the program. */
static void our_program_has_the_texts_of_all_events(void **state)
{
    wchar_t wide[PATH_ROOM], shown[100];
    char program[PATH_ROOM];
    DWORD_PTR words[] = { (DWORD_PTR)L"told" };
    const DWORD flags =
        FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    UNUSED(state);
    (void)made_program("SUREFOOT_PROGRAM", program);
    assert_true(MultiByteToWideChar(CP_UTF8, 0, program, -1, wide, PATH_ROOM) > 0);
    HMODULE module = LoadLibraryExW(wide, NULL, LOAD_LIBRARY_AS_DATAFILE);
    assert_non_null(module);
    for (DWORD id = 299; id <= 400; id++) {
        DWORD n = FormatMessageW(flags, module, id, 0, shown, 100, (va_list *)words);
        while (n > 0 && (shown[n - 1] == L' ' || shown[n - 1] == L'\r' || shown[n - 1] == L'\n'))
            shown[--n] = L'\0';
        if (id < 300 || id > 399)
            assert_int_equal(n, 0);
        else
            assert_int_equal(n > 0 && wcscmp(shown, L"told") == 0, true);
    }
    (void)FreeLibrary(module);
}

/* --- the proxy */

static const struct {
    const char *proxies, *exceptions, *scheme, *host, *url; /* url NULL: straight */
} proxies[] = {
    { "proxy:8080", "", "https", "example.org", "http://proxy:8080" },
    { "proxy:8080", "", "http", "example.org", "http://proxy:8080" },
    { "http=one:80;https=two:81", "", "http", "a.b", "http://one:80" },
    { "http=one:80;https=two:81", "", "https", "a.b", "http://two:81" },
    { "HTTPS=https://two:81 http=one", "", "https", "a.b", "https://two:81" },
    { "socks=s:1080;ftp=f:21", "", "https", "a.b", NULL },
    { "https=", "", "https", "a.b", NULL },
    { "", "", "https", "a.b", NULL },
    { " ; p:1", "", "https", "a.b", "http://p:1" },
    { "p:1", "*.example.org;10.*", "https", "x.EXAMPLE.org", NULL },
    { "p:1", "*.example.org;10.*", "https", "example.org", "http://p:1" },
    { "p:1", "*.example.org;10.*", "https", "10.1.2.3", NULL },
    { "p:1", "*.example.org;10.*", "https", "110.1.2.3", "http://p:1" },
    { "p:1", "<local>", "https", "intranet", NULL },
    { "p:1", "<local>", "https", "intranet.example", "http://p:1" },
    { "p:1", "a*b*c", "https", "a.b.bxbcc", NULL },
    { "p:1", "a*b*c", "https", "a.b.bxbcd", "http://p:1" },
    { "p:1", "*", "https", "any", NULL },
};

static void the_proxy_is_chosen_from_windows_lists(void **state)
{
    char url[HOST_PROXY_ROOM], longer[2 * HOST_PROXY_ROOM];
    enum host_proxy how;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
        IS(E_OK, host_proxy_choose(proxies[i].proxies, proxies[i].exceptions, proxies[i].scheme,
                                   proxies[i].host, &how, url, &why));
        assert_int_equal(how, proxies[i].url == NULL ? HOST_PROXY_NONE : HOST_PROXY_NAMED);
        if (proxies[i].url != NULL)
            assert_string_equal(url, proxies[i].url);
    }
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    IS(E_LIMIT, host_proxy_choose(longer, "", "https", "a", &how, url, &why));
}

typedef BOOL(WINAPI *proxy_fn)(WINHTTP_PROXY_INFO *info);

static void the_machines_own_proxy_is_found(void **state)
{
    HMODULE winhttp = LoadLibraryA("winhttp.dll");
    const proxy_fn get = (proxy_fn)(void (*)(void))(uintptr_t)GetProcAddress(
        winhttp, "WinHttpGetDefaultProxyConfiguration");
    const proxy_fn set = (proxy_fn)(void (*)(void))(uintptr_t)GetProcAddress(
        winhttp, "WinHttpSetDefaultProxyConfiguration");
    WINHTTP_PROXY_INFO before = { 0 }, ours = { .dwAccessType = WINHTTP_ACCESS_TYPE_NAMED_PROXY };
    wchar_t list[] = L"https=two:8080", exceptions[] = L"*.example.org";
    char url[HOST_PROXY_ROOM] = "";
    enum host_proxy how;
    UNUSED(state);
    assert_true(get != NULL && set != NULL && get(&before));
    ours.lpszProxy = list;
    ours.lpszProxyBypass = exceptions;
    if (!set(&ours))
        skip(); /* only an administrator may */
    const enum errc one = HOST(proxy_for, "https", "example.com", &how, url);
    const enum host_proxy named = how;
    const enum errc two = HOST(proxy_for, "https", "x.example.org", &how, url);
    const enum host_proxy straight = how;
    assert_true(set(&before));
    assert_int_equal(one, E_OK);
    assert_int_equal(named, HOST_PROXY_NAMED);
    assert_string_equal(url, "http://two:8080");
    assert_int_equal(two, E_OK);
    assert_int_equal(straight, HOST_PROXY_NONE);
    if (is_wine()) { /* where nothing is set at first */
        IS(E_OK, HOST(proxy_for, "https", "example.com", &how, url));
        assert_int_equal(how, HOST_PROXY_ENVIRONMENT);
    }
}

/* --- the user's own, as WinINet keeps it: three numbers (its mark, how often it was changed, what
 * of the rest is in force), then each text after its length */

#define SETTINGS L"Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections"
#define CONNECTION L"DefaultConnectionSettings"
#define SETTINGS_ROOM 1000
#define SETTINGS_MARK 0x46
#define REST_LEN 32

enum { DIRECT = 1, PROXY = 2, SCRIPT = 4, DETECT = 8 };

static const struct {
    DWORD flags;
    const char *proxies, *exceptions, *script;
    enum errc rc;
    enum host_proxy how; /* for https://host.example.com */
    const char *url;
} users[] = {
    { DIRECT, "", "", "", E_OK, HOST_PROXY_ENVIRONMENT, NULL },
    { DIRECT | PROXY, "own:3128", "", "", E_OK, HOST_PROXY_NAMED, "http://own:3128" },
    { DIRECT | PROXY, "http=one:80;https=two:81", "*.example.org", "", E_OK, HOST_PROXY_NAMED,
      "http://two:81" },
    { DIRECT | PROXY, "own:3128", "<local>;*.example.com", "", E_OK, HOST_PROXY_NONE, NULL },
    { DIRECT | PROXY, "", "", "", E_OK, HOST_PROXY_ENVIRONMENT, NULL },
    /* what is kept, and not in force */
    { DIRECT, "own:3128", "*.example.com", "http://own/a.pac", E_OK, HOST_PROXY_ENVIRONMENT, NULL },
    { DIRECT | SCRIPT, "", "", "http://own/a.pac", E_UNSUPPORTED, HOST_PROXY_NONE, NULL },
    { DIRECT | SCRIPT, "own:3128", "", "http://own/a.pac", E_UNSUPPORTED, HOST_PROXY_NONE, NULL },
    { DIRECT | SCRIPT, "", "", "", E_OK, HOST_PROXY_ENVIRONMENT, NULL },
    /* a script and what is named beside it, for whoever does not run it */
    { DIRECT | PROXY | SCRIPT, "own:3128", "", "http://own/a.pac", E_OK, HOST_PROXY_NAMED,
      "http://own:3128" },
    /* to be looked for on the network, as Windows has it at first: nobody named one */
    { DIRECT | DETECT, "", "", "", E_OK, HOST_PROXY_ENVIRONMENT, NULL },
    { DIRECT | DETECT | PROXY, "own:3128", "", "", E_OK, HOST_PROXY_NAMED, "http://own:3128" },
    { DIRECT | DETECT | SCRIPT, "", "", "http://own/a.pac", E_UNSUPPORTED, HOST_PROXY_NONE, NULL },
};

static size_t add(uint8_t *to, size_t at, const void *bytes, size_t len)
{
    assert_true(len <= SETTINGS_ROOM - at);
    memcpy(to + at, bytes, len);
    return at + len;
}

static void set_user(size_t row)
{
    const DWORD head[] = { SETTINGS_MARK, 1, users[row].flags };
    const char *const texts[] = { users[row].proxies, users[row].exceptions, users[row].script };
    static const uint8_t rest[REST_LEN];
    uint8_t bytes[SETTINGS_ROOM];
    size_t at = add(bytes, 0, head, sizeof(head));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const DWORD len = (DWORD)strlen(texts[i]);
        at = add(bytes, add(bytes, at, &len, sizeof(len)), texts[i], len);
    }
    at = add(bytes, at, rest, sizeof(rest));
    assert_int_equal(
        RegSetKeyValueW(HKEY_CURRENT_USER, SETTINGS, CONNECTION, REG_BINARY, bytes, (DWORD)at),
        ERROR_SUCCESS);
}

static void the_users_own_proxy_is_found_and_a_script_is_not_run(void **state)
{
    enum errc codes[ARRAY_LEN(users)];
    enum host_proxy ways[ARRAY_LEN(users)];
    char urls[ARRAY_LEN(users)][HOST_PROXY_ROOM], words[ARRAY_LEN(users)][sizeof(why.text)];
    uint8_t before[SETTINGS_ROOM];
    DWORD len = sizeof(before);
    UNUSED(state);
    const LSTATUS os = RegGetValueW(HKEY_CURRENT_USER, SETTINGS, CONNECTION, RRF_RT_REG_BINARY,
                                    NULL, before, &len);
    assert_true(os == ERROR_SUCCESS || os == ERROR_FILE_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        set_user(i);
        why = (struct err){ .code = E_OK };
        codes[i] = HOST(proxy_for, "https", "host.example.com", &ways[i], urls[i]);
        (void)text_copy(words[i], sizeof(words[i]), why.text);
    }
    if (os == ERROR_SUCCESS)
        (void)RegSetKeyValueW(HKEY_CURRENT_USER, SETTINGS, CONNECTION, REG_BINARY, before, len);
    else
        (void)RegDeleteKeyValueW(HKEY_CURRENT_USER, SETTINGS, CONNECTION);
    for (size_t i = 0; i < ARRAY_LEN(users); i++) {
        if (codes[i] != users[i].rc)
            print_error("row %zu: %s\n", i, words[i]);
        assert_int_equal(codes[i], users[i].rc);
        if (users[i].rc != E_OK) {
            assert_non_null(strstr(words[i], "by a script, which is not run here"));
            continue;
        }
        if (ways[i] != users[i].how)
            print_error("row %zu\n", i);
        assert_int_equal(ways[i], users[i].how);
        if (users[i].url != NULL)
            assert_string_equal(urls[i], users[i].url);
    }
}

/* --- whom the machine trusts */

struct counting {
    struct span der;
    unsigned n;
};

static enum errc count(void *ctx, struct span cert, struct err *err)
{
    struct counting *c = ctx;
    UNUSED(err);
    c->n += span_equal(cert, c->der);
    return E_OK;
}

/* What is in that place of the registry: the user's store shows the machine's certificates as well,
 * and may write there. */
static HCERTSTORE open_root(DWORD location)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, location, L"ROOT");
    assert_non_null(store);
    return store;
}

static void put_root(DWORD location, const struct made *root)
{
    HCERTSTORE store = open_root(location);
    assert_true(CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, root->der,
                                                 (DWORD)root->len, CERT_STORE_ADD_ALWAYS, NULL));
    assert_true(CertCloseStore(store, 0)); /* it is written then */
}

/* Fails where it was not there. */
static void take_root(DWORD location, const struct made *root)
{
    HCERTSTORE store = open_root(location);
    const CERT_CONTEXT *cert = NULL;
    do {
        cert = CertEnumCertificatesInStore(store, cert);
        assert_non_null(cert);
    } while (!span_equal(span_of(cert->pbCertEncoded, cert->cbCertEncoded), made_der(root)));
    assert_true(CertDeleteCertificateFromStore(cert));
    assert_true(CertCloseStore(store, 0));
}

/* How often the certificate is among those that the machine trusts while it is in that ROOT. */
static unsigned anchors_while_in(DWORD location, const struct made *root)
{
    struct counting c = { .der = made_der(root) };
    struct err err;
    put_root(location, root);
    const enum errc rc = host()->system_anchors(NULL, count, &c, &err);
    take_root(location, root);
    assert_int_equal(rc, E_OK);
    return c.n;
}

static void the_machines_roots_count_and_the_users_do_not(void **state)
{
    UNUSED(state);
    const struct made *root =
        make(&(struct spec){ .cn = "Surefoot test root", .exts = { CA_EXTS } });
    assert_int_equal(anchors_while_in(CERT_SYSTEM_STORE_CURRENT_USER, root), 0);
    assert_int_equal(anchors_while_in(CERT_SYSTEM_STORE_LOCAL_MACHINE, root), 1);
    assert_int_equal(anchors_while_in(CERT_SYSTEM_STORE_CURRENT_USER, root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clocks_go_forward),
        cmocka_unit_test(calendar_time_is_of_the_zone_that_was_asked_for),
        cmocka_unit_test(the_machine_says_what_it_is),
        cmocka_unit_test(the_machines_id_is_what_windows_keeps),
        cmocka_unit_test(a_start_of_the_machine_has_an_id_of_its_own),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(folders_are_told_from_the_root_on),
        cmocka_unit_test_setup_teardown(paths_are_made_to_begin_at_the_root, enter_folder,
                                        leave_folder),
        cmocka_unit_test(temporary_files_are_not_where_the_environment_says_when_elevated),
        cmocka_unit_test(an_event_is_written_and_its_source_made_known),
        cmocka_unit_test(the_proxy_is_chosen_from_windows_lists),
        cmocka_unit_test(the_machines_own_proxy_is_found),
        cmocka_unit_test(the_users_own_proxy_is_found_and_a_script_is_not_run),
        cmocka_unit_test(our_program_has_the_texts_of_all_events),
        cmocka_unit_test(the_machines_roots_count_and_the_users_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, free_made);
}
