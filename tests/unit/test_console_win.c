/* The console's code page and mode: for Windows. Its functions are stood in for by ones of a
 * console that the test has: the program's imports of them lead here. */

#include <windows.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <io.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/cc.h"
#include "platform/console.h"

static struct {
    UINT code_page;  /* 0: there is no console */
    bool is_output;  /* standard output is the console */
    DWORD mode;      /* of standard output */
    unsigned n_sets; /* how often anything was asked to change */
    long n_printed;  /* bytes of standard output when that was last */
} machine;

static UINT WINAPI get_code_page(void)
{
    return machine.code_page;
}

static BOOL WINAPI set_code_page(UINT code_page)
{
    machine.n_sets++;
    machine.n_printed = _filelength(_fileno(stdout));
    if (machine.code_page == 0)
        return FALSE;
    machine.code_page = code_page;
    return TRUE;
}

static BOOL WINAPI get_mode(HANDLE handle, LPDWORD mode)
{
    if (!machine.is_output || handle != GetStdHandle(STD_OUTPUT_HANDLE))
        return FALSE;
    *mode = machine.mode;
    return TRUE;
}

static BOOL WINAPI set_mode(HANDLE handle, DWORD mode)
{
    machine.n_sets++;
    if (!machine.is_output || handle != GetStdHandle(STD_OUTPUT_HANDLE))
        return FALSE;
    machine.mode = mode;
    return TRUE;
}

typedef UINT(WINAPI *get_code_page_fn)(void);
typedef BOOL(WINAPI *set_code_page_fn)(UINT);
typedef BOOL(WINAPI *get_mode_fn)(HANDLE, LPDWORD);
typedef BOOL(WINAPI *set_mode_fn)(HANDLE, DWORD);
extern get_code_page_fn imported_get_code_page __asm__("__imp_GetConsoleOutputCP");
extern set_code_page_fn imported_set_code_page __asm__("__imp_SetConsoleOutputCP");
extern get_mode_fn imported_get_mode __asm__("__imp_GetConsoleMode");
extern set_mode_fn imported_set_mode __asm__("__imp_SetConsoleMode");
get_code_page_fn imported_get_code_page = get_code_page;
set_code_page_fn imported_set_code_page = set_code_page;
get_mode_fn imported_get_mode = get_mode;
set_mode_fn imported_set_mode = set_mode;

#define FOUND_MODE (ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT)

static int begin(void **state)
{
    UNUSED(state);
    memset(&machine, 0, sizeof(machine));
    machine.code_page = 850;
    machine.is_output = true;
    machine.mode = FOUND_MODE;
    return SetEnvironmentVariableA("NO_COLOR", NULL) || GetLastError() == ERROR_ENVVAR_NOT_FOUND
               ? 0
               : -1;
}

static void a_console_shows_utf_8_and_is_then_as_it_was(void **state)
{
    static const UINT found[] = { 437, 850, 1252, 932, CP_UTF8 };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(found); i++) {
        machine.code_page = found[i];
        const struct console before = console_init();
        assert_int_equal(machine.code_page, CP_UTF8);
        assert_int_equal(machine.mode, FOUND_MODE);
        assert_true(console_is_terminal(1));
        assert_true(console_wants_colour());
        assert_int_equal(machine.mode, FOUND_MODE | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
        console_fini(&before);
        assert_int_equal(machine.code_page, found[i]);
        assert_int_equal(machine.mode, FOUND_MODE);
    }
}

static void output_to_a_file_leaves_the_consoles_mode(void **state)
{
    UNUSED(state);
    machine.is_output = false;
    const struct console before = console_init();
    assert_int_equal(machine.code_page, CP_UTF8); /* messages may still be shown */
    assert_false(console_is_terminal(1));
    assert_false(console_wants_colour());
    machine.n_sets = 0;
    console_fini(&before);
    assert_int_equal(machine.code_page, 850);
    assert_int_equal(machine.n_sets, 1);
}

static void without_a_console_there_is_nothing_to_put_back(void **state)
{
    UNUSED(state);
    machine.code_page = 0;
    machine.is_output = false;
    const struct console before = console_init();
    machine.n_sets = 0;
    console_fini(&before);
    assert_int_equal(machine.n_sets, 0);
}

/* What is printed and not yet shown would be shown by the code page that was found. */
static void all_is_printed_before_it_is_put_back(void **state)
{
    char folder[MAX_PATH], path[MAX_PATH];
    UNUSED(state);
    assert_true(GetTempPathA(sizeof(folder), folder) > 0);
    assert_true(GetTempFileNameA(folder, "con", 0, path) > 0);
    const struct console before = console_init();
    (void)fflush(stdout);
    const int own = _dup(_fileno(stdout));
    FILE *file = fopen(path, "wb");
    assert_true(own >= 0 && file != NULL && _dup2(_fileno(file), _fileno(stdout)) == 0);
    (void)setvbuf(stdout, NULL, _IOFBF, 4096);
    (void)fputs("\xC3\xBC", stdout);
    const long n_shown = _filelength(_fileno(stdout));
    console_fini(&before);
    const bool is_back = _dup2(own, _fileno(stdout)) == 0;
    (void)_close(own);
    (void)fclose(file);
    (void)DeleteFileA(path);
    assert_true(is_back);
    assert_int_equal(n_shown, 0); /* so that the test can fail */
    assert_int_equal(machine.n_printed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_console_shows_utf_8_and_is_then_as_it_was, begin),
        cmocka_unit_test_setup(output_to_a_file_leaves_the_consoles_mode, begin),
        cmocka_unit_test_setup(without_a_console_there_is_nothing_to_put_back, begin),
        cmocka_unit_test_setup(all_is_printed_before_it_is_put_back, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
