/* How Windows Installer ended, by its code, which every system can test: the numbers as Microsoft
 * publishes them stand here a second time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/win32/msi_code.h"

static void codes_mean_what_they_say(void **state)
{
    static const struct {
        unsigned code;
        enum msi_end end;
    } table[] = {
        { 0, MSI_ENDED_WELL },
        { 3010, MSI_ENDED_FOR_RESTART }, /* ERROR_SUCCESS_REBOOT_REQUIRED */
        { 1641, MSI_ENDED_FOR_RESTART }, /* ERROR_SUCCESS_REBOOT_INITIATED */
        { 1618, MSI_ENDED_BUSY },        /* ERROR_INSTALL_ALREADY_RUNNING */
        { 5, MSI_ENDED_BADLY },          /* ERROR_ACCESS_DENIED */
        { 1601, MSI_ENDED_BADLY },       /* ERROR_INSTALL_SERVICE_FAILURE */
        { 1602, MSI_ENDED_BADLY },       /* ERROR_INSTALL_USEREXIT */
        { 1603, MSI_ENDED_BADLY },       /* ERROR_INSTALL_FAILURE */
        { 1604, MSI_ENDED_BADLY },       /* ERROR_INSTALL_SUSPEND */
        { 1605, MSI_ENDED_BADLY },       /* ERROR_UNKNOWN_PRODUCT */
        { 1612, MSI_ENDED_BADLY },       /* ERROR_INSTALL_SOURCE_ABSENT */
        { 1614, MSI_ENDED_BADLY },       /* ERROR_PRODUCT_UNINSTALLED */
        { 1619, MSI_ENDED_BADLY },       /* ERROR_INSTALL_PACKAGE_OPEN_FAILED */
        { 1620, MSI_ENDED_BADLY },       /* ERROR_INSTALL_PACKAGE_INVALID */
        { 1625, MSI_ENDED_BADLY },       /* ERROR_INSTALL_PACKAGE_REJECTED */
        { 1627, MSI_ENDED_BADLY },       /* ERROR_FUNCTION_FAILED */
        { 1633, MSI_ENDED_BADLY },       /* ERROR_INSTALL_PLATFORM_UNSUPPORTED */
        { 1638, MSI_ENDED_BADLY },       /* ERROR_PRODUCT_VERSION */
        { 3017, MSI_ENDED_BADLY },       /* ERROR_FAIL_REBOOT_REQUIRED */
        { 3018, MSI_ENDED_BADLY },       /* ERROR_FAIL_REBOOT_INITIATED */
        { 99999, MSI_ENDED_BADLY },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(msi_code_end(table[i].code), table[i].end);
}

static void a_code_that_is_not_known_ended_badly(void **state)
{
    static const unsigned others[] = { 4999, 0x80070000U, 0x80070BC2U, 0xFFFFFFFFU };
    unsigned n_badly = 0;
    (void)state;
    for (unsigned code = 0; code < 5000; code++)
        n_badly += msi_code_end(code) == MSI_ENDED_BADLY;
    assert_int_equal(n_badly, 5000 - 4); /* all but those above */
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(msi_code_end(others[i]), MSI_ENDED_BADLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_mean_what_they_say),
        cmocka_unit_test(a_code_that_is_not_known_ended_badly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
