/* The words of results, one by one, as the product's description lists them. */

#include "manifest/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct result read_result(const char *text)
{
    struct result r;
    struct err err;
    assert_int_equal(result_read(span_text(text), &r, &err), E_OK);
    return r;
}

/* What the description says, written a second time: the table under test must agree. */
static const struct {
    const char *name;
    enum result_word word;
    enum result_class class;
    enum result_phase phase;
    enum result_origin origin;
} all[] = {
#define ROW(name, word, class, phase, origin)                                                      \
    {                                                                                              \
        name, RESULT_##word, RESULT_CLASS_##class, RESULT_PHASE_##phase, RESULT_##origin           \
    }
    ROW("Success", SUCCESS, SUCCESS, NONE, CURRENT),
    ROW("UpgradeAbortedCouldNotSetUpgradeMarker", COULD_NOT_SET_MARKER, ABORTED, MARKER, CURRENT),
    ROW("UpgradeAbortedInsufficientDatabasePermissions", INSUFFICIENT_DATABASE_PERMISSIONS, ABORTED,
        ENVIRONMENT, CURRENT),
    ROW("UpgradeAbortedInsufficientDiskSpace", INSUFFICIENT_DISK_SPACE, ABORTED, DISK, CURRENT),
    ROW("UpgradeAbortedSecurityGroupsNotPresent", GROUPS_NOT_PRESENT, ABORTED, ENVIRONMENT,
        CURRENT),
    ROW("UpgradeAbortedServiceCanNotBeStarted", SERVICE_CANNOT_START, ABORTED, START, CURRENT),
    ROW("UpgradeAbortedServiceCanNotBeStopped", SERVICE_CANNOT_STOP, ABORTED, STOP, CURRENT),
    ROW("UpgradeAbortedServiceIsNotRunning", SERVICE_NOT_RUNNING, ABORTED, SERVICE, CURRENT),
    ROW("UpgradeAbortedSyncCycleDisabled", SCHEDULER_DISABLED, ABORTED, ACTIVITY, CURRENT),
    ROW("UpgradeAbortedSyncExeInUse", PROGRAM_IN_USE, ABORTED, ACTIVITY, CURRENT),
    ROW("UpgradeAbortedSyncOrConfigurationInProgress", WORK_IN_PROGRESS, ABORTED, ACTIVITY,
        CURRENT),
    ROW("UpgradeNotSupportedCustomizedSyncRules", CUSTOMIZED_RULES, NOT_SUPPORTED, CONFIGURATION,
        CURRENT),
    ROW("UpgradeNotSupportedInvalidPersistedState", INVALID_PERSISTED_STATE, NOT_SUPPORTED,
        CONFIGURATION, CURRENT),
    ROW("UpgradeNotSupportedNonLocalDbInstall", NON_LOCAL_DATABASE, NOT_SUPPORTED, CONFIGURATION,
        CURRENT),
    ROW("UpgradeNotSupportedLocalDbSizeExceeded", DATABASE_SIZE_EXCEEDED, NOT_SUPPORTED,
        CONFIGURATION, CURRENT),
    ROW("UpgradeNotSupportedAADHealthUploadDisabled", HEALTH_UPLOAD_DISABLED, NOT_SUPPORTED,
        CONFIGURATION, CURRENT),
    ROW("UpgradeNotSupportedDeviceWritebackEnabled", DEVICE_WRITEBACK, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("UpgradeNotSupportedGroupWritebackEnabled", GROUP_WRITEBACK, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("UpgradeNotSupportedUserWritebackEnabled", USER_WRITEBACK, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("UpgradeNotSupportedMetaverseSizeExceeeded", METAVERSE_SIZE, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("UpgradeNotSupportedMultiForestSetup", MULTI_FOREST, NOT_SUPPORTED, CONFIGURATION, RETIRED),
    ROW("UpgradeNotSupportedNonMsolAccount", NON_MSOL_ACCOUNT, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("UpgradeNotSupportedStagingModeEnabled", STAGING_MODE, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("UpgradeNotSupportedAdfsSignInMethod", ADFS_SIGN_IN, NOT_SUPPORTED, CONFIGURATION, RETIRED),
    ROW("UpgradeNotSupportedPtaSignInMethod", PTA_SIGN_IN, NOT_SUPPORTED, CONFIGURATION, RETIRED),
    ROW("UpgradeNotSupportedNotConfiguredSignInMethod", NO_SIGN_IN, NOT_SUPPORTED, CONFIGURATION,
        RETIRED),
    ROW("PreUpgradeFailure", PRE_FAILURE, PRE_FAILURE, NONE, CURRENT),
    ROW("UpgradeAbortedDownloadFailed", DOWNLOAD_FAILED, ABORTED, DOWNLOAD, OWN),
    ROW("UpgradeAbortedAlreadyRunning", ALREADY_RUNNING, ABORTED, NONE, OWN),
    ROW("UpgradeFailedRollbackSuccess", ROLLED_BACK, ROLLED_BACK, NONE, CURRENT),
    ROW("UpgradeFailedRollbackFailed", ROLLBACK_FAILED, ROLLBACK_FAILED, NONE, CURRENT),
#undef ROW
};

static void each_word_is_read_and_written(void **state)
{
    UNUSED(state);
    assert_int_equal(ARRAY_LEN(all), RESULT_ROLLBACK_FAILED);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct result r = read_result(all[i].name);
        assert_int_equal(r.word, all[i].word);
        assert_int_equal(r.class, all[i].class);
        assert_true(span_equal_text(r.base, all[i].name));
        assert_int_equal(r.detail.len, 0);
        assert_string_equal(result_name(r.word), all[i].name);
        assert_int_equal(result_class(r.word), all[i].class);
        assert_int_equal(result_phase(r.word), all[i].phase);
        assert_int_equal(result_origin(r.word), all[i].origin);
    }
}

static void both_spellings_are_the_one_word(void **state)
{
    UNUSED(state);
    struct result r = read_result("UpgradeAbortedAdSyncExeInUse");
    assert_int_equal(r.word, RESULT_PROGRAM_IN_USE);
    assert_int_equal(r.class, RESULT_CLASS_ABORTED);
    assert_string_equal(result_name(r.word), "UpgradeAbortedSyncExeInUse");
}

static void a_compound_is_split_at_its_first_dash(void **state)
{
    UNUSED(state);
    struct result r = read_result("UpgradeFailedRollbackSuccess-GetPasswordHashSyncStateFailed");
    assert_int_equal(r.word, RESULT_ROLLED_BACK);
    assert_int_equal(r.class, RESULT_CLASS_ROLLED_BACK);
    assert_true(span_equal_text(r.base, "UpgradeFailedRollbackSuccess"));
    assert_true(span_equal_text(r.detail, "GetPasswordHashSyncStateFailed"));
    r = read_result("UpgradeFailedRollbackFailed-a b-c");
    assert_int_equal(r.word, RESULT_ROLLBACK_FAILED);
    assert_true(span_equal_text(r.detail, "a b-c"));
    r = read_result("PreUpgradeFailure-SerialJump");
    assert_int_equal(r.class, RESULT_CLASS_PRE_FAILURE);
    assert_true(span_equal_text(r.detail, "SerialJump"));
}

static void a_new_word_has_the_class_that_it_begins_with(void **state)
{
    UNUSED(state);
    struct result r = read_result("UpgradeAbortedHarvestInProgress-Apples");
    assert_int_equal(r.word, RESULT_OTHER);
    assert_int_equal(r.class, RESULT_CLASS_ABORTED);
    assert_true(span_equal_text(r.base, "UpgradeAbortedHarvestInProgress"));
    assert_true(span_equal_text(r.detail, "Apples"));
    assert_int_equal(read_result("UpgradeNotSupportedFrozenSite").class,
                     RESULT_CLASS_NOT_SUPPORTED);
    assert_int_equal(read_result("UpgradeAborted").class, RESULT_CLASS_ABORTED);
}

static void any_other_text_is_kept_whole_and_has_no_class(void **state)
{
    static const char *const texts[] = {
        "AADHealthEndpointNotDefined",
        "DirSyncInPlaceUpgradeNonLocalDb",
        "the disk was taken out",
        "Success-butNotReally",
        "success",
        "Successful",
        "UpgradeFailedRollbackSuccessful",
        "UpgradeFailedRollbackSuccess-",
        "UpgradeFailed",
        "UpgradeFailedRollbackSuccess x",
        "upgradeAbortedSyncExeInUse",
        " Success",
        "-Success",
        "UpgradeAbortedSyncExeInUse.",
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct result r = read_result(texts[i]);
        assert_int_equal(r.word, RESULT_OTHER);
        assert_int_equal(r.class, RESULT_CLASS_NONE);
        assert_true(span_equal_text(r.base, texts[i]));
        assert_int_equal(r.detail.len, 0);
    }
}

static void what_is_no_line_of_text_is_refused(void **state)
{
    static char long_text[RESULT_TEXT_MAX + 2];
    struct result r;
    struct err err;
    UNUSED(state);
    memset(long_text, 'a', RESULT_TEXT_MAX + 1);
    assert_int_equal(result_read(span_text(""), &r, &err), E_MALFORMED);
    assert_int_equal(result_read(span_text("Success\n"), &r, &err), E_MALFORMED);
    assert_int_equal(result_read(span_text("a\x1b[31m"), &r, &err), E_MALFORMED);
    assert_int_equal(result_read(span_text("\xff"), &r, &err), E_MALFORMED);
    assert_int_equal(result_read(span_text(long_text), &r, &err), E_LIMIT);
    long_text[RESULT_TEXT_MAX] = '\0';
    assert_int_equal(result_read(span_text(long_text), &r, &err), E_OK);
}

static void words_that_are_none_have_no_name(void **state)
{
    UNUSED(state);
    assert_string_equal(result_name(RESULT_OTHER), "");
    assert_string_equal(result_name((enum result_word)1000), "");
    assert_int_equal(result_class((enum result_word)1000), RESULT_CLASS_NONE);
    assert_int_equal(result_phase(RESULT_OTHER), RESULT_PHASE_NONE);
}

static void a_check_may_have_a_word_of_two_classes_alone(void **state)
{
    static const char *const good[] = {
        "UpgradeAbortedSyncExeInUse",
        "UpgradeAbortedAdSyncExeInUse",
        "UpgradeNotSupportedMultiForestSetup",
        "UpgradeAbortedHarvest-Apples2",
        "UpgradeNotSupportedX",
    };
    static const char *const bad[] = {
        "",
        "Success",
        "PreUpgradeFailure",
        "UpgradeFailedRollbackSuccess",
        "UpgradeFailedRollbackFailed",
        "UpgradeAborted",
        "UpgradeNotSupported",
        "UpgradeAborted-Detail",
        "UpgradeAbortedX-",
        "UpgradeAbortedX-a b",
        "UpgradeAbortedX-a-b",
        "UpgradeAbortedX_",
        "AADHealthEndpointNotDefined",
    };
    char long_word[RESULT_WORD_MAX + 2] = "UpgradeAborted";
    struct err err;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(result_check_named(good[i], &err), E_OK);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(result_check_named(bad[i], &err), E_MALFORMED);
        assert_non_null(strstr(err.text, "UpgradeAborted or UpgradeNotSupported"));
    }
    memset(long_word + strlen(long_word), 'a', sizeof(long_word) - 1 - strlen(long_word));
    assert_int_equal(result_check_named(long_word, &err), E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_is_read_and_written),
        cmocka_unit_test(both_spellings_are_the_one_word),
        cmocka_unit_test(a_compound_is_split_at_its_first_dash),
        cmocka_unit_test(a_new_word_has_the_class_that_it_begins_with),
        cmocka_unit_test(any_other_text_is_kept_whole_and_has_no_class),
        cmocka_unit_test(what_is_no_line_of_text_is_refused),
        cmocka_unit_test(words_that_are_none_have_no_name),
        cmocka_unit_test(a_check_may_have_a_word_of_two_classes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
