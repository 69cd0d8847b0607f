#ifndef SUREFOOT_MANIFEST_RESULT_H
#define SUREFOOT_MANIFEST_RESULT_H

/* result.h: the words in which an upgrade says how it ended, and why it did not begin. They are
 * the words of the automatic upgrade of Microsoft Entra Connect, as its documentation spells them,
 * and a few of our own. A result may be compound: a word, "-", and a detail.
 *
 *   UpgradeFailedRollbackSuccess-GetPasswordHashSyncStateFailed
 *
 * The reason of a state may be any other text as well (AADHealthEndpointNotDefined); it is kept as
 * it is and belongs to no class.
 *
 * What it does not check: whether the thing that the word speaks of happened. */

#include <stdbool.h>

#include "platform/base/err.h"
#include "platform/base/span.h"

#define RESULT_TEXT_MAX 1024 /* bytes of any result or reason */
#define RESULT_WORD_MAX 128  /* bytes of one that a product file names */

/* What a class means to whoever meets it: when to try again, and the exit code. */
enum result_class {
    RESULT_CLASS_NONE = 0,        /* any other text: a reason that is no upgrade result */
    RESULT_CLASS_SUCCESS,         /* in place and healthy; exit 0 */
    RESULT_CLASS_ABORTED,         /* temporary, tried again soon; exit 4 */
    RESULT_CLASS_NOT_SUPPORTED,   /* this machine's configuration blocks it, seldom tried; exit 5 */
    RESULT_CLASS_ROLLED_BACK,     /* failed, the old version runs again; exit 6 */
    RESULT_CLASS_ROLLBACK_FAILED, /* failed, and so did the way back; exit 7 */
    RESULT_CLASS_PRE_FAILURE,     /* did not get as far as judging; exit 3 where refused, else 1 */
};

/* Where in the order of work a result belongs. Of several the first by this order is the result
 * of the run, and the others are reported beside it. */
enum result_phase {
    RESULT_PHASE_NONE = 0, /* no one place */
    RESULT_PHASE_CONFIGURATION,
    RESULT_PHASE_ENVIRONMENT, /* database, groups, permissions */
    RESULT_PHASE_ACTIVITY,    /* scheduler, work in progress, programs */
    RESULT_PHASE_DISK,
    RESULT_PHASE_SERVICE, /* is it running */
    RESULT_PHASE_MARKER,
    RESULT_PHASE_DOWNLOAD,
    RESULT_PHASE_STOP,
    RESULT_PHASE_START,
};

/* How the words came to us: still in use, no longer given by the reference, or our own. */
enum result_origin { RESULT_CURRENT, RESULT_RETIRED, RESULT_OWN };

/* X(what follows RESULT_, the word, class, phase, origin). The three e of MetaverseSizeExceeeded
 * are the reference's. */
#define RESULTS(X)                                                                                 \
    X(SUCCESS, "Success", SUCCESS, NONE, CURRENT)                                                  \
    X(COULD_NOT_SET_MARKER, "UpgradeAbortedCouldNotSetUpgradeMarker", ABORTED, MARKER, CURRENT)    \
    X(INSUFFICIENT_DATABASE_PERMISSIONS, "UpgradeAbortedInsufficientDatabasePermissions", ABORTED, \
      ENVIRONMENT, CURRENT)                                                                        \
    X(INSUFFICIENT_DISK_SPACE, "UpgradeAbortedInsufficientDiskSpace", ABORTED, DISK, CURRENT)      \
    X(GROUPS_NOT_PRESENT, "UpgradeAbortedSecurityGroupsNotPresent", ABORTED, ENVIRONMENT, CURRENT) \
    X(SERVICE_CANNOT_START, "UpgradeAbortedServiceCanNotBeStarted", ABORTED, START, CURRENT)       \
    X(SERVICE_CANNOT_STOP, "UpgradeAbortedServiceCanNotBeStopped", ABORTED, STOP, CURRENT)         \
    X(SERVICE_NOT_RUNNING, "UpgradeAbortedServiceIsNotRunning", ABORTED, SERVICE, CURRENT)         \
    X(SCHEDULER_DISABLED, "UpgradeAbortedSyncCycleDisabled", ABORTED, ACTIVITY, CURRENT)           \
    X(PROGRAM_IN_USE, "UpgradeAbortedSyncExeInUse", ABORTED, ACTIVITY, CURRENT)                    \
    X(WORK_IN_PROGRESS, "UpgradeAbortedSyncOrConfigurationInProgress", ABORTED, ACTIVITY, CURRENT) \
    X(CUSTOMIZED_RULES, "UpgradeNotSupportedCustomizedSyncRules", NOT_SUPPORTED, CONFIGURATION,    \
      CURRENT)                                                                                     \
    X(INVALID_PERSISTED_STATE, "UpgradeNotSupportedInvalidPersistedState", NOT_SUPPORTED,          \
      CONFIGURATION, CURRENT)                                                                      \
    X(NON_LOCAL_DATABASE, "UpgradeNotSupportedNonLocalDbInstall", NOT_SUPPORTED, CONFIGURATION,    \
      CURRENT)                                                                                     \
    X(DATABASE_SIZE_EXCEEDED, "UpgradeNotSupportedLocalDbSizeExceeded", NOT_SUPPORTED,             \
      CONFIGURATION, CURRENT)                                                                      \
    X(HEALTH_UPLOAD_DISABLED, "UpgradeNotSupportedAADHealthUploadDisabled", NOT_SUPPORTED,         \
      CONFIGURATION, CURRENT)                                                                      \
    X(DEVICE_WRITEBACK, "UpgradeNotSupportedDeviceWritebackEnabled", NOT_SUPPORTED, CONFIGURATION, \
      RETIRED)                                                                                     \
    X(GROUP_WRITEBACK, "UpgradeNotSupportedGroupWritebackEnabled", NOT_SUPPORTED, CONFIGURATION,   \
      RETIRED)                                                                                     \
    X(USER_WRITEBACK, "UpgradeNotSupportedUserWritebackEnabled", NOT_SUPPORTED, CONFIGURATION,     \
      RETIRED)                                                                                     \
    X(METAVERSE_SIZE, "UpgradeNotSupportedMetaverseSizeExceeeded", NOT_SUPPORTED, CONFIGURATION,   \
      RETIRED)                                                                                     \
    X(MULTI_FOREST, "UpgradeNotSupportedMultiForestSetup", NOT_SUPPORTED, CONFIGURATION, RETIRED)  \
    X(NON_MSOL_ACCOUNT, "UpgradeNotSupportedNonMsolAccount", NOT_SUPPORTED, CONFIGURATION,         \
      RETIRED)                                                                                     \
    X(STAGING_MODE, "UpgradeNotSupportedStagingModeEnabled", NOT_SUPPORTED, CONFIGURATION,         \
      RETIRED)                                                                                     \
    X(ADFS_SIGN_IN, "UpgradeNotSupportedAdfsSignInMethod", NOT_SUPPORTED, CONFIGURATION, RETIRED)  \
    X(PTA_SIGN_IN, "UpgradeNotSupportedPtaSignInMethod", NOT_SUPPORTED, CONFIGURATION, RETIRED)    \
    X(NO_SIGN_IN, "UpgradeNotSupportedNotConfiguredSignInMethod", NOT_SUPPORTED, CONFIGURATION,    \
      RETIRED)                                                                                     \
    X(PRE_FAILURE, "PreUpgradeFailure", PRE_FAILURE, NONE, CURRENT)                                \
    X(DOWNLOAD_FAILED, "UpgradeAbortedDownloadFailed", ABORTED, DOWNLOAD, OWN)                     \
    X(ALREADY_RUNNING, "UpgradeAbortedAlreadyRunning", ABORTED, NONE, OWN)                         \
    X(ROLLED_BACK, "UpgradeFailedRollbackSuccess", ROLLED_BACK, NONE, CURRENT)                     \
    X(ROLLBACK_FAILED, "UpgradeFailedRollbackFailed", ROLLBACK_FAILED, NONE, CURRENT)

enum result_word {
    RESULT_OTHER = 0, /* none of ours; its class may still be known */
#define X(name, word, class, phase, origin) RESULT_##name,
    RESULTS(X)
#undef X
};

/* result: `base` and `detail` are parts of the text that was read, which must outlive them. A word
 * that begins with UpgradeAborted or UpgradeNotSupported and is none of ours has that class, since
 * product files may name such words. */
struct result {
    enum result_word word;
    enum result_class class;
    struct span base, detail; /* of a text of no class, base is the whole; detail may be empty */
};

/* result_read takes any text that a result or a state's reason may be. Both spellings of
 * UpgradeAbortedSyncExeInUse give the one word. E_MALFORMED for an empty text or one that is not
 * on one line of printable UTF-8, E_LIMIT past RESULT_TEXT_MAX. */
MUST_USE enum errc result_read(struct span text, struct result *out, struct err *err);

/* The words as data. result_name is the spelling that we write, "" for RESULT_OTHER. */
const char *result_name(enum result_word word);
enum result_class result_class(enum result_word word);
enum result_phase result_phase(enum result_word word);
enum result_origin result_origin(enum result_word word);

/* result_check_named is E_OK for a result that a product file may give a check: letters and digits
 * that begin with UpgradeAborted or UpgradeNotSupported and go on, and a detail of letters and
 * digits or none. E_MALFORMED. */
MUST_USE enum errc result_check_named(const char *text, struct err *err);

#endif
