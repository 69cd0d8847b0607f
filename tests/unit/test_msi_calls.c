/* What Windows Installer is told, call by call: for Windows. Its functions are stood in for by ones
 * that write down what they are called with (msi_parts.h). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "answers.h"
#include "platform/win32/msi_parts.h"

#define MSI(op, ...) CALL(msi, op, __VA_ARGS__)
#define CODE "{0D1C1C34-6E3A-4E5B-9B1E-0A1B2C3D4E5F}"
#define ALWAYS "ALLUSERS=1 REBOOT=ReallySuppress MSIRESTARTMANAGERCONTROL=Disable"
#define AGAIN " REINSTALL=ALL REINSTALLMODE=vamus"

static char said[2000];
static UINT answer;
static enum errc library;

static void say(const char *fmt, ...) PRINTF_FORMAT(1, 2);
static void say(const char *fmt, ...)
{
    const size_t len = strlen(said);
    va_list args;
    va_start(args, fmt);
    const int n = vsnprintf(said + len, sizeof(said) - len, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof(said) - len);
}

static INSTALLUILEVEL WINAPI set_ui(INSTALLUILEVEL level, HWND *window)
{
    say("ui %d %s\n", (int)level, window == NULL ? "no window" : "a window");
    return INSTALLUILEVEL_FULL;
}

static DWORD WINAPI enable_log(DWORD modes, LPCWSTR path, DWORD attributes)
{
    if (path == NULL)
        say("no log\n");
    else
        say("log %lx %ls %lx\n", (unsigned long)modes, path, (unsigned long)attributes);
    return ERROR_SUCCESS;
}

static UINT WINAPI install(LPCWSTR package, LPCWSTR properties)
{
    say("install %ls [%ls]\n", package, properties);
    return answer;
}

static UINT WINAPI configure(LPCWSTR product, int level, INSTALLSTATE wanted, LPCWSTR properties)
{
    say("configure %ls %d %d [%ls]\n", product, level, (int)wanted, properties);
    return answer;
}

/* In place of the machine's own. What is not to be called is not there. */
enum errc msi_library_load(struct msi_library *out, struct err *err)
{
    say("load\n");
    if (library != E_OK)
        return err_set(err, library, "no library");
    *out = (struct msi_library){
        .install = install, .configure = configure, .set_ui = set_ui, .enable_log = enable_log
    };
    return E_OK;
}

static int begin(void **state)
{
    UNUSED(state);
    said[0] = '\0';
    answer = ERROR_SUCCESS;
    library = E_OK;
    return 0;
}

/* The modes as Microsoft numbers them: 1 << INSTALLMESSAGE_FATALEXIT (0), ERROR (1), WARNING (2),
 * INFO (4), OUTOFDISKSPACE (7), ACTIONSTART (8). The level: INSTALLUILEVEL_NONE is 2; the state:
 * INSTALLSTATE_ABSENT is 2; INSTALLLOGATTRIBUTES_APPEND is 1. */
#define SILENT "load\nui 2 no window\n"
#define LOGGED SILENT "log 197 C:\\state\\a b\\msi.log 1\n"

static void an_installation_is_silent_before_all_else_and_has_its_log(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    IS(E_OK, MSI(install, "C:/state/new one.msi", false, "C:/state/a b/msi.log", &result));
    assert_string_equal(said, LOGGED "install C:\\state\\new one.msi [" ALWAYS "]\n");
    assert_int_equal(result.end, MSI_ENDED_WELL);
    assert_int_equal(result.code, 0);
}

static void the_same_product_is_written_anew(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    answer = ERROR_SUCCESS_REBOOT_REQUIRED;
    IS(E_OK, MSI(install, "C:/new.msi", true, "C:/state/a b/msi.log", &result));
    assert_string_equal(said, LOGGED "install C:\\new.msi [" ALWAYS AGAIN "]\n");
    assert_int_equal(result.end, MSI_ENDED_FOR_RESTART);
    assert_int_equal(result.code, 3010);
}

/* Windows Installer would go on with the log of what was before. */
static void without_a_log_it_is_silent_too_and_writes_none(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    IS(E_OK, MSI(install, "C:/new.msi", false, NULL, &result));
    assert_string_equal(said, SILENT "no log\ninstall C:\\new.msi [" ALWAYS "]\n");
    (void)begin(state);
    IS(E_OK, MSI(remove, CODE, NULL, &result));
    assert_string_equal(said, SILENT "no log\nconfigure " CODE " 0 2 [" ALWAYS "]\n");
}

static void a_removal_makes_the_product_absent(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    answer = ERROR_INSTALL_ALREADY_RUNNING;
    IS(E_OK, MSI(remove, CODE, "C:/state/a b/msi.log", &result));
    assert_string_equal(said, LOGGED "configure " CODE " 0 2 [" ALWAYS "]\n");
    assert_int_equal(result.end, MSI_ENDED_BUSY);
    assert_int_equal(result.code, 1618);
}

static void what_failed_is_told_with_its_words(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    answer = 54321; /* one that no system has words for */
    IS(E_OK, MSI(install, "C:/new.msi", false, NULL, &result));
    assert_int_equal(result.end, MSI_ENDED_BADLY);
    assert_int_equal(result.code, 54321);
    assert_string_equal(result.text, "error 54321");
    answer = ERROR_ACCESS_DENIED;
    IS(E_OK, MSI(install, "C:/new.msi", false, NULL, &result));
    assert_int_equal(result.end, MSI_ENDED_BADLY);
    assert_string_not_equal(result.text, "error 5");
    assert_true(strlen(result.text) > 5);
}

static void without_windows_installer_nothing_is_told(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    library = E_UNSUPPORTED;
    IS(E_UNSUPPORTED, MSI(install, "C:/new.msi", false, "C:/log", &result));
    IS(E_UNSUPPORTED, MSI(remove, CODE, "C:/log", &result));
    assert_string_equal(said, "load\nload\n");
    assert_int_equal(result.end, MSI_NO_END);
}

static void a_path_that_is_no_text_is_not_installed(void **state)
{
    struct msi_result result = { .end = MSI_NO_END };
    UNUSED(state);
    IS(E_ARGUMENT, MSI(install, "C:/\xFF.msi", false, NULL, &result));
    assert_string_equal(said, SILENT "no log\n");
    (void)begin(state);
    IS(E_ARGUMENT, MSI(install, "C:/new.msi", false, "C:/\xFF", &result));
    assert_string_equal(said, SILENT);
    assert_int_equal(result.end, MSI_NO_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_installation_is_silent_before_all_else_and_has_its_log, begin),
        cmocka_unit_test_setup(the_same_product_is_written_anew, begin),
        cmocka_unit_test_setup(without_a_log_it_is_silent_too_and_writes_none, begin),
        cmocka_unit_test_setup(a_removal_makes_the_product_absent, begin),
        cmocka_unit_test_setup(what_failed_is_told_with_its_words, begin),
        cmocka_unit_test_setup(without_windows_installer_nothing_is_told, begin),
        cmocka_unit_test_setup(a_path_that_is_no_text_is_not_installed, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
