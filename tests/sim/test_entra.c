/* The profile of Entra Connect (docs/examples/entra-connect.xml), row by row: each result of the
 * reference by its real condition, on a mock machine with the reference's service, groups, LocalDB,
 * registry, scheduler and programs. What the profile says is taken as it stands; only where it is
 * installed, where the feed is and who signs is the test's own.
 *
 *   test_entra RELEASES PROFILE */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "installer/core/memory.h"
#include "manifest/result.h"
#include "platform/base/text.h"
#include "sim.h"

#define DATABASE                                                                                   \
    "Driver={ODBC Driver 17 for SQL "                                                              \
    "Server};Server=(localdb)\\.\\ADSync;Database=ADSync;Trusted_Connection=yes"
#define PERSISTED "/C:/ProgramData/AADConnect/PersistedState.xml"
#define MARKER_KEY "HKLM\\SOFTWARE\\Surefoot\\entra-connect"
#define HEALTH_KEY "HKLM\\SOFTWARE\\Microsoft\\ADHealthAgent\\Sync"
#define GIB (1024ULL * 1024 * 1024)
#define HOUR 3600
#define DAY (24 * HOUR)

struct tally *tally;
bool sim_is_hunting;
static const char *releases, *profile;

void sim_fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    exit(2);
}

/* -------------------------------------------------------------------------------- the machine */

struct stand {
    struct mock *m;
    bool scheduler_is_on, is_idle, has_standard_rules, has_default_account, is_metaverse_small;
    struct mock_database database;
    struct mock_service *service;
    struct upgrade_outcome out;
};
static struct stand s;

static const char *const all_rights[] = { "BUILTIN\\Administrators:db_owner", NULL };

static enum errc scheduler(void *ctx, struct mock *m, const struct proc_command *command,
                           struct proc_result *out, struct err *err)
{
    const char *word = command->argv[1];
    UNUSED(ctx);
    UNUSED(m);
    UNUSED(err);
    if (strcmp(word, "status") == 0)
        out->code = s.scheduler_is_on ? 0 : 1;
    else if (strcmp(word, "idle") == 0)
        out->code = s.is_idle ? 0 : 1;
    else
        s.scheduler_is_on = strcmp(word, "resume") == 0;
    return E_OK;
}

static enum errc rules(void *ctx, struct mock *m, const struct proc_command *command,
                       struct proc_result *out, struct err *err)
{
    const char *word = command->argv[1];
    UNUSED(ctx);
    UNUSED(m);
    UNUSED(err);
    out->code = 1;
    if (strcmp(word, "only-standard") == 0 && s.has_standard_rules)
        out->code = 0;
    if (strcmp(word, "default-account") == 0 && s.has_default_account)
        out->code = 0;
    if (strcmp(word, "metaverse-below") == 0 && strcmp(command->argv[2], "100000") == 0 &&
        s.is_metaverse_small)
        out->code = 0;
    return E_OK;
}

/* Replaces what must be there. */
static void replace(struct buf *page, const char *from, const char *to)
{
    struct buf next;
    char *at = strstr((const char *)page->ptr, from);
    if (at == NULL)
        fail_msg("the profile has no \"%s\"", from);
    const size_t before = (size_t)(at - (char *)page->ptr);
    buf_init(&next, 1 << 20);
    assert_int_equal(buf_add(&next, span_of(page->ptr, before), NULL), E_OK);
    assert_int_equal(buf_add_text(&next, to, NULL), E_OK);
    assert_int_equal(buf_add_text(&next, at + strlen(from), NULL), E_OK);
    assert_int_equal(buf_add_byte(&next, '\0', NULL), E_OK);
    next.len--;
    buf_fini(page);
    *page = next;
}

static void put_profile(const char *jitter, const char *more_checks)
{
    struct buf page;
    assert_int_equal(platform_read_file(platform_native(), profile, 1 << 20, &page, NULL), E_OK);
    assert_int_equal(buf_add_byte(&page, '\0', NULL), E_OK);
    page.len--;
    replace(&page,
            "<install kind=\"msi\" os=\"windows\" arch=\"x86_64\" "
            "upgrade-code=\"{00000000-0000-0000-0000-000000000000}\"\n           "
            "folder=\"C:\\Program Files\\Microsoft Azure AD Sync\"/>",
            "<install kind=\"archive\" folder=\"/opt/adsync\"/>");
    replace(&page, "https://updates.contoso.example/entra-connect/feed.xml",
            "file:///C:/srv/site/feed.xml");
    replace(&page, "</fetch>",
            "</fetch><folders state=\"/var/lib/entra\" cache=\"/var/cache/entra\"/>");
    replace(&page,
            "<authenticode>\n        <publisher>Microsoft Corporation</publisher>\n        "
            "<require-timestamp/>\n      </authenticode>",
            "<minisign><key file=\"feed.pub\"/></minisign>");
    if (jitter != NULL)
        replace(&page, "jitter=\"P7D\"", jitter);
    replace(&page, "</checks>", more_checks);
    mock_put_file(s.m, "/etc/entra/entra.xml", buf_span(&page), 0644);
    buf_fini(&page);
}

static void put_persisted(const char *kind)
{
    char text[200];
    (void)snprintf(text, sizeof(text),
                   "<PersistedState><InstallationType>%s</InstallationType></PersistedState>",
                   kind);
    mock_put_file(s.m, PERSISTED, span_text(text), 0644);
}

static void set_database(enum db_kind kind, uint64_t size, const char *const *rights)
{
    s.database = (struct mock_database){ DATABASE, kind, size, E_OK, rights };
    mock_set_database(s.m, &s.database);
}

static const char *go(enum upgrade_mode mode, const char *to)
{
    static struct setup setup;
    struct version version;
    struct err err = { .text = "" };
    struct events events = { .platform = mock_platform(s.m) };
    if (to != NULL)
        assert_int_equal(version_read(span_text(to), &version, NULL), E_OK);
    assert_int_equal(setup_load(mock_platform(s.m), "/etc/entra/entra.xml", &setup, &err), E_OK);
    const struct upgrade_ask ask = { .setup = &setup,
                                     .word = "/etc/entra/entra.xml",
                                     .events = &events,
                                     .mode = mode,
                                     .to = to == NULL ? NULL : &version };
    if (upgrade_do(&ask, &s.out, &err) != E_OK)
        fail_msg("%s", err.text);
    setup_fini(&setup);
    return s.out.result;
}

/* An administrator's word, which counts whatever the default would be. */
static void enable(void)
{
    static struct setup setup;
    struct memory memory;
    assert_int_equal(setup_load(mock_platform(s.m), "/etc/entra/entra.xml", &setup, NULL), E_OK);
    assert_int_equal(memory_open(&setup, false, &memory, NULL), E_OK);
    memory.state.is_set = true;
    struct buf page;
    buf_init(&page, 1 << 20);
    assert_int_equal(state_write(&memory.state, &page, NULL), E_OK);
    mock_put_file(s.m, "/var/lib/entra/state.xml", buf_span(&page), 0600);
    buf_fini(&page);
    memory_close(&memory);
    setup_fini(&setup);
}

static int set_up(void **state)
{
    static const char *const groups[] = { "ADSyncAdmins", "ADSyncBrowse", "ADSyncOperators",
                                          "ADSyncPasswordSet" };
    struct world w = { .mock = mock_new(true) };
    struct buf key;
    char path[400];
    UNUSED(state);
    memset(&s, 0, sizeof(s));
    s.m = w.mock;
    w.platform = mock_platform(s.m);
    mock_disk(s.m)->is_windows = false; /* files as on POSIX */
    mock_disk(s.m)->volumes[0].can_exchange = true;
    mock_disk(s.m)->volumes[0].capacity = 100 * GIB;
    mock_set_clock(s.m, world_clock(releases));
    (void)snprintf(path, sizeof(path), "%s/site", releases);
    world_load(&w, path, "/C:/srv/site");
    (void)snprintf(path, sizeof(path), "%s/maker.pub", releases);
    assert_int_equal(platform_read_file(platform_native(), path, 1000, &key, NULL), E_OK);
    mock_put_file(s.m, "/etc/entra/feed.pub", buf_span(&key), 0644);
    buf_fini(&key);
    mock_put_folder(s.m, "/opt", 0755);
    mock_put_folder(s.m, "/tmp", 01777);
    mock_add_program(s.m, "scheduler.exe", scheduler, NULL);
    mock_add_program(s.m, "rules.exe", rules, NULL);
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        mock_set_group(s.m, groups[i], true);
    s.service = mock_service(s.m, "ADSync");
    s.scheduler_is_on = s.is_idle = s.has_standard_rules = s.has_default_account = true;
    s.is_metaverse_small = true;
    put_persisted("Express");
    set_database(DB_LOCALDB, GIB, all_rights);
    put_profile("jitter=\"PT0S\"", "</checks>");
    if (strcmp(go(MODE_INSTALL, "1.0.0"), "Success") != 0)
        fail_msg("installed: %s", s.out.why);
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    mock_free(s.m);
    return 0;
}

static struct upgrade_state remembered(void)
{
    static struct upgrade_state state;
    struct buf bytes;
    assert_int_equal(
        platform_read_file(mock_platform(s.m), "/var/lib/entra/state.xml", 1 << 20, &bytes, NULL),
        E_OK);
    assert_int_equal(state_read(buf_span(&bytes), &state, NULL), E_OK);
    buf_fini(&bytes);
    return state;
}

static void assert_state(enum state_word word, const char *reason)
{
    const struct upgrade_state state = remembered();
    assert_int_equal(state.word, word);
    assert_string_equal(state.reason, reason);
}

static bool is_marked(void)
{
    char text[200];
    bool found = false;
    struct platform *p = mock_platform(s.m);
    assert_int_equal(p->registry->get(p->self, MARKER_KEY, "UpgradeInProgress", text, sizeof(text),
                                      &found, NULL),
                     E_OK);
    return found;
}

/* --------------------------------------------------------- the table: a condition, its result */

static void nothing(void)
{
}
static void deny_marker(void)
{
    mock_set_key_denied(s.m, MARKER_KEY, true);
}
static void no_right(void)
{
    static const char *const others[] = { "BUILTIN\\Users:db_owner", NULL };
    set_database(DB_LOCALDB, GIB, others);
}
static void no_room(void)
{
    mock_disk(s.m)->volumes[0].capacity = 2 * GIB;
}
static void no_group(void)
{
    mock_set_group(s.m, "ADSyncPasswordSet", false);
}
static void will_not_stop(void)
{
    s.service->stop = TURN_HANGS;
}
static void will_refuse_to_stop(void)
{
    s.service->stop = TURN_REFUSES;
}
static void is_stopped(void)
{
    s.service->is = SERVICE_IS_STOPPED;
}
static void is_gone(void)
{
    s.service->name[0] = '\0';
}
static void scheduler_off(void)
{
    s.scheduler_is_on = false;
}
static void manager_open(void)
{
    (void)mock_add_process(s.m, "C:\\Program Files\\Sync\\UIShell\\miisclient.exe", "admin", NULL);
}
static void wizard_open(void)
{
    (void)mock_add_process(s.m, "C:\\Program Files\\Connect\\AzureADConnect.exe", "admin", NULL);
}
static void cycle_runs(void)
{
    s.is_idle = false;
}
static void custom_rules(void)
{
    s.has_standard_rules = false;
}
static void custom_installation(void)
{
    put_persisted("Custom");
}
static void other_server(void)
{
    set_database(DB_SQLSERVER, GIB, all_rights);
}
static void eight_gib(void)
{
    set_database(DB_LOCALDB, 8 * GIB, all_rights);
}
static void just_below(void)
{
    set_database(DB_LOCALDB, 8 * GIB - 1, all_rights);
}
static void no_uploads(void)
{
    mock_set_value(s.m, HEALTH_KEY, "UploadDisabled", "1");
}
static void uploads(void)
{
    mock_set_value(s.m, HEALTH_KEY, "UploadDisabled", "0");
}
static void locked(void)
{
    mock_set_locked(s.m, "/var/lib/entra/lock", true);
}
static void dirsync(void)
{
    put_persisted("DirSync");
}
static void damage(const char *path)
{
    struct disk_node *node = NULL;
    assert_int_equal(disk_get(mock_disk(s.m), path, true, &node, NULL), E_OK);
    node->bytes.ptr[node->bytes.len / 2] ^= 1;
}
static void feed_changed(void)
{
    damage("/C:/srv/site/feed.xml");
}
static void payload_changed(void)
{
    damage("/C:/srv/site/4.0.0/entra-connect-4.0.0.tar.zst");
}
static void payload_gone(void)
{
    struct platform *p = mock_platform(s.m);
    assert_int_equal(p->fs->remove(p->self, "/C:/srv/site/4.0.0/entra-connect-4.0.0.tar.zst", NULL),
                     E_OK);
}
static void feed_gone(void)
{
    struct platform *p = mock_platform(s.m);
    assert_int_equal(p->fs->remove(p->self, "/C:/srv/site/feed.xml", NULL), E_OK);
}

/* Of the new version alone: the second start since the installation. */
static enum errc refuse_new(void *ctx, struct mock *m, struct mock_service *service,
                            struct err *err)
{
    const unsigned *n_refused = ctx;
    static unsigned n;
    UNUSED(m);
    UNUSED(service);
    n = n >= *n_refused ? 0 : n + 1;
    return n > 0 ? err_set(err, E_IO, "failed (exit-code)") : E_OK;
}
static void new_does_not_start(void)
{
    static unsigned once = 1;
    s.service->on_start = refuse_new;
    s.service->ctx = &once;
}
static enum errc refuse(void *ctx, struct mock *m, struct mock_service *service, struct err *err)
{
    UNUSED(ctx);
    UNUSED(m);
    UNUSED(service);
    return err_set(err, E_IO, "failed (exit-code)");
}
static void neither_starts(void)
{
    s.service->on_start = refuse;
}
static enum errc short_lived(void *ctx, struct mock *m, struct mock_service *service,
                             struct err *err)
{
    static unsigned n;
    UNUSED(ctx);
    UNUSED(m);
    UNUSED(err);
    service->dies_after_ms = n++ % 2 == 0 ? 30000 : 0; /* the new one; the old one lives */
    return E_OK;
}
static void new_dies_soon(void)
{
    s.service->on_start = short_lived;
}
/* The switch fails, and then the old version's service does not start: nothing was switched. */
static struct fault no_switch(void *ctx, const struct fault_step *step)
{
    UNUSED(ctx);
    const bool is_it = strcmp(step->what, "exchange") == 0 && strstr(step->path, "probe") == NULL;
    return (struct fault){ is_it ? FAULT_FAILS : FAULT_NONE, E_IO };
}
static const struct fault_plan switch_fails = { no_switch, NULL };
static void old_does_not_start(void)
{
    mock_plan(s.m, &switch_fails);
    s.service->on_start = refuse;
}

static const struct row {
    const char *result;
    void (*make_so)(void);
} rows[] = {
    { "Success", nothing },
    { "Success", just_below },
    { "Success", uploads },
    { "Success", dirsync },
    { "UpgradeAbortedCouldNotSetUpgradeMarker", deny_marker },
    { "UpgradeAbortedInsufficientDatabasePermissions", no_right },
    { "UpgradeAbortedInsufficientDiskSpace", no_room },
    { "UpgradeAbortedSecurityGroupsNotPresent", no_group },
    { "UpgradeAbortedServiceCanNotBeStarted", old_does_not_start },
    { "UpgradeAbortedServiceCanNotBeStopped", will_not_stop },
    { "UpgradeAbortedServiceCanNotBeStopped", will_refuse_to_stop },
    { "UpgradeAbortedServiceIsNotRunning", is_stopped },
    { "UpgradeAbortedServiceIsNotRunning", is_gone },
    { "UpgradeAbortedSyncCycleDisabled", scheduler_off },
    { "UpgradeAbortedSyncExeInUse", manager_open },
    { "UpgradeAbortedSyncOrConfigurationInProgress", wizard_open },
    { "UpgradeAbortedSyncOrConfigurationInProgress", cycle_runs },
    { "UpgradeNotSupportedCustomizedSyncRules", custom_rules },
    { "UpgradeNotSupportedInvalidPersistedState", custom_installation },
    { "UpgradeNotSupportedNonLocalDbInstall", other_server },
    { "UpgradeNotSupportedLocalDbSizeExceeded", eight_gib },
    { "UpgradeNotSupportedAADHealthUploadDisabled", no_uploads },
    { "PreUpgradeFailure-SignatureInvalid", feed_changed },
    { "PreUpgradeFailure-DigestMismatch", payload_changed },
    { "UpgradeAbortedDownloadFailed", payload_gone },
    { "UpgradeAbortedDownloadFailed", feed_gone },
    { "UpgradeAbortedAlreadyRunning", locked },
    { "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted", new_does_not_start },
    { "UpgradeFailedRollbackSuccess-HealthCheckFailed", new_dies_soon },
    { "UpgradeFailedRollbackFailed-ServiceCanNotBeStarted", neither_starts },
};

/* What the word of a result means for state, scheduler, marker and service. */
static void assert_consequences(const char *result)
{
    struct result read;
    assert_int_equal(result_read(span_text(result), &read, NULL), E_OK);
    const bool is_stuck =
        strstr(result, "ServiceCanNotBeStarted") != NULL && read.class != RESULT_CLASS_ROLLED_BACK;
    switch (read.class) {
    case RESULT_CLASS_SUCCESS: assert_state(STATE_ENABLED, ""); break;
    case RESULT_CLASS_ABORTED:
    case RESULT_CLASS_NOT_SUPPORTED:
        if (strcmp(result, "UpgradeAbortedAlreadyRunning") != 0)
            assert_state(STATE_SUSPENDED, result);
        break;
    case RESULT_CLASS_ROLLED_BACK:
    case RESULT_CLASS_ROLLBACK_FAILED: assert_state(STATE_ENABLED, result); break;
    default: assert_state(STATE_ENABLED, ""); break;
    }
    assert_string_equal(remembered().installed.text,
                        read.class == RESULT_CLASS_SUCCESS ? "4.0.0" : "1.0.0");
    if (!is_stuck && strcmp(result, "UpgradeAbortedSyncCycleDisabled") != 0)
        assert_true(s.scheduler_is_on);
    if (read.class != RESULT_CLASS_ROLLBACK_FAILED)
        assert_false(is_marked());
    if (read.class == RESULT_CLASS_SUCCESS || read.class == RESULT_CLASS_ROLLED_BACK)
        assert_int_equal(s.service->is, SERVICE_IS_RUNNING);
}

static void each_result_by_its_condition(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (i > 0) {
            (void)tear_down(NULL);
            (void)set_up(NULL);
        }
        rows[i].make_so();
        enable();
        const char *result = go(MODE_RUN, NULL);
        if (strcmp(result, rows[i].result) != 0)
            fail_msg("row %zu: %s instead of %s (%s)", i, result, rows[i].result, s.out.why);
        mock_plan(s.m, NULL);
        assert_consequences(result);
    }
}

/* No word of the reference's table is left out. */
static void every_word_in_use_has_a_row(void **state)
{
    UNUSED(state);
    for (int word = RESULT_SUCCESS; word <= RESULT_ROLLBACK_FAILED; word++) {
        bool found = result_origin((enum result_word)word) == RESULT_RETIRED;
        for (size_t i = 0; i < ARRAY_LEN(rows) && !found; i++) {
            struct result read;
            assert_int_equal(result_read(span_text(rows[i].result), &read, NULL), E_OK);
            found = (int)read.word == word;
        }
        if (!found)
            fail_msg("no row reaches %s", result_name((enum result_word)word));
    }
}

/* Retired words are what a product file may still give its own checks. */
static void every_retired_word_is_reached_by_a_check(void **state)
{
    unsigned n = 0;
    UNUSED(state);
    for (int word = RESULT_SUCCESS; word <= RESULT_ROLLBACK_FAILED; word++) {
        char check[400];
        if (result_origin((enum result_word)word) != RESULT_RETIRED)
            continue;
        (void)snprintf(check, sizeof(check),
                       "<command result=\"%s\"><arg>C:\\rules.exe</arg><arg>never</arg></command>"
                       "</checks>",
                       result_name((enum result_word)word));
        put_profile("jitter=\"PT0S\"", check);
        assert_string_equal(go(MODE_UPGRADE, NULL), result_name((enum result_word)word));
        n++;
    }
    assert_int_equal(n, 10);
}

/* ---------------------------------------------------------------------- all of it, in its order */

static void all_reasons_are_told_and_the_first_is_the_result(void **state)
{
    static const char *const in_order[] = {
        "UpgradeNotSupportedCustomizedSyncRules",
        "UpgradeNotSupportedLocalDbSizeExceeded",
        "UpgradeAbortedInsufficientDatabasePermissions",
        "UpgradeAbortedSecurityGroupsNotPresent",
        "UpgradeAbortedSyncCycleDisabled",
        "UpgradeAbortedSyncExeInUse",
        "UpgradeAbortedInsufficientDiskSpace",
        "UpgradeAbortedServiceIsNotRunning",
    };
    UNUSED(state);
    is_stopped();
    no_room();
    manager_open();
    scheduler_off();
    no_group();
    set_database(DB_LOCALDB, 9 * GIB, NULL);
    custom_rules();
    assert_string_equal(go(MODE_RUN, NULL), in_order[0]);
    size_t at = 0;
    for (size_t i = 0; i < s.out.reasons.n && at < ARRAY_LEN(in_order); i++)
        at += strcmp(s.out.reasons.items[i].result, in_order[at]) == 0;
    assert_int_equal(at, ARRAY_LEN(in_order));
}

/* -------------------------------------------------------------------- states, retries, jitter */

static void aborted_suspends_is_tried_soon_and_ends_when_eligible(void **state)
{
    UNUSED(state);
    const int64_t pid = mock_add_process(s.m, "C:\\x\\miisclient.exe", "admin", NULL);
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeAbortedSyncExeInUse");
    assert_state(STATE_SUSPENDED, "UpgradeAbortedSyncExeInUse");
    mock_end_process(s.m, pid);
    mock_pass(s.m, (2 * HOUR - 60) * 1000LL);
    assert_string_equal(go(MODE_RUN, NULL), "");
    assert_int_equal(s.out.decision, DECISION_NOT_DUE);
    assert_state(STATE_SUSPENDED, "UpgradeAbortedSyncExeInUse");
    mock_pass(s.m, 120 * 1000);
    assert_string_equal(go(MODE_RUN, NULL), "Success");
    assert_state(STATE_ENABLED, "");
}

static void not_supported_is_tried_seldom(void **state)
{
    UNUSED(state);
    custom_rules();
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeNotSupportedCustomizedSyncRules");
    s.has_standard_rules = true;
    mock_pass(s.m, (7 * DAY - 60) * 1000LL);
    assert_string_equal(go(MODE_RUN, NULL), "");
    assert_int_equal(s.out.decision, DECISION_NOT_DUE);
    assert_state(STATE_SUSPENDED, "UpgradeNotSupportedCustomizedSyncRules");
    mock_pass(s.m, 120 * 1000);
    assert_string_equal(go(MODE_RUN, NULL), "Success");
}

static void by_hand_it_goes_on_in_every_state(void **state)
{
    UNUSED(state);
    custom_rules();
    (void)go(MODE_RUN, NULL);
    s.has_standard_rules = true;
    assert_string_equal(go(MODE_UPGRADE, "2.0.0"), "Success");
}

static void what_was_rolled_back_is_on_hold(void **state)
{
    UNUSED(state);
    new_does_not_start();
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted");
    mock_pass(s.m, 5 * DAY * 1000LL);
    assert_string_equal(go(MODE_RUN, NULL), "");
    assert_int_equal(s.out.decision, DECISION_ON_HOLD);
    assert_state(STATE_ENABLED, "UpgradeFailedRollbackSuccess-ServiceCanNotBeStarted");
    s.service->on_start = NULL;
    assert_string_equal(go(MODE_UPGRADE, "4.0.0"), "Success");
}

/* At first sight a due time within the jitter, the same at every look. */
static void jitter_is_waited_for(void **state)
{
    UNUSED(state);
    put_profile(NULL, "</checks>");
    assert_string_equal(go(MODE_RUN, NULL), "");
    assert_int_equal(s.out.decision, DECISION_NOT_DUE);
    const int64_t due = s.out.when, now = mock_platform(s.m)->host->now(s.m);
    assert_true(due > now && due <= now + 7 * DAY);
    mock_pass(s.m, (due - now - 10) * 1000);
    assert_string_equal(go(MODE_RUN, NULL), "");
    assert_int_equal(s.out.when, due);
    mock_pass(s.m, 20 * 1000);
    assert_string_equal(go(MODE_RUN, NULL), "Success");
}

/* Enabled by default only where the profile's conditions hold; it is looked at anew each time. */
static void the_default_state_has_conditions(void **state)
{
    static bool *const conditions[] = { &s.has_default_account, &s.is_metaverse_small };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        *conditions[i] = false;
        assert_string_equal(go(MODE_RUN, NULL), "");
        assert_int_equal(s.out.decision, DECISION_DISABLED);
        *conditions[i] = true;
    }
    put_persisted("Custom");
    assert_string_equal(go(MODE_RUN, NULL), "");
    put_persisted("Express");
    other_server();
    assert_string_equal(go(MODE_RUN, NULL), "");
    set_database(DB_LOCALDB, GIB, all_rights);
    assert_string_equal(go(MODE_RUN, NULL), "Success");
}

static void a_program_in_use_keeps_waiting_until_it_closes(void **state)
{
    UNUSED(state);
    manager_open();
    for (unsigned i = 0; i < 5; i++) {
        assert_string_equal(go(MODE_RUN, NULL), "UpgradeAbortedSyncExeInUse");
        mock_pass(s.m, 3 * HOUR * 1000LL);
    }
    assert_true(remembered().has_waiting);
    assert_int_equal(s.service->is, SERVICE_IS_RUNNING);
}

/* Nothing was switched, the service is down: it is tried again by whoever comes next. */
static void a_service_that_would_not_start_is_started_later(void **state)
{
    UNUSED(state);
    old_does_not_start();
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeAbortedServiceCanNotBeStarted");
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeAbortedServiceCanNotBeStarted");
    mock_plan(s.m, NULL);
    s.service->on_start = NULL;
    assert_string_equal(go(MODE_RUN, NULL), ""); /* which recovers, and is not due again */
    assert_int_equal(s.out.decision, DECISION_NOT_DUE);
    assert_int_equal(s.service->is, SERVICE_IS_RUNNING);
    mock_pass(s.m, 3 * HOUR * 1000LL);
    assert_string_equal(go(MODE_RUN, NULL), "Success");
    assert_true(s.scheduler_is_on);
    assert_false(is_marked());
}

/* It neither runs nor ends: what could not be done is the stop, whoever comes next. */
static void a_service_that_hangs_is_started_when_it_has_ended(void **state)
{
    UNUSED(state);
    s.service->stop = TURN_STICKS;
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeAbortedServiceCanNotBeStopped");
    assert_int_equal(s.service->is, SERVICE_IS_STOPPING);
    assert_string_equal(go(MODE_RUN, NULL), "UpgradeAbortedServiceCanNotBeStopped");
    s.service->is = SERVICE_IS_STOPPED;
    s.service->stop = TURN_GOOD;
    assert_string_equal(go(MODE_RUN, NULL), ""); /* which recovers, and is not due again */
    assert_int_equal(s.service->is, SERVICE_IS_RUNNING);
    assert_true(s.scheduler_is_on);
    mock_pass(s.m, 3 * HOUR * 1000LL);
    assert_string_equal(go(MODE_RUN, NULL), "Success");
    assert_false(is_marked());
}

/* ------------------------------------------------------------------------------ how it is spelt */

static void both_spellings_and_other_texts_are_read(void **state)
{
    struct result a, b, c, d;
    UNUSED(state);
    assert_int_equal(result_read(span_text("UpgradeAbortedSyncExeInUse"), &a, NULL), E_OK);
    assert_int_equal(result_read(span_text("UpgradeAbortedAdSyncExeInUse"), &b, NULL), E_OK);
    assert_int_equal(a.word, b.word);
    assert_int_equal(
        result_read(span_text("UpgradeFailedRollbackSuccess-GetPasswordHashSyncStateFailed"), &c,
                    NULL),
        E_OK);
    assert_int_equal(c.class, RESULT_CLASS_ROLLED_BACK);
    assert_true(span_equal(c.detail, span_text("GetPasswordHashSyncStateFailed")));
    assert_int_equal(result_read(span_text("AADHealthEndpointNotDefined"), &d, NULL), E_OK);
    assert_int_equal(d.class, RESULT_CLASS_NONE);
    assert_int_equal(result_read(span_text("DirSyncInPlaceUpgradeNonLocalDb"), &d, NULL), E_OK);
    assert_int_equal(d.class, RESULT_CLASS_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(each_result_by_its_condition),
        TEST(every_word_in_use_has_a_row),
        TEST(every_retired_word_is_reached_by_a_check),
        TEST(all_reasons_are_told_and_the_first_is_the_result),
        TEST(aborted_suspends_is_tried_soon_and_ends_when_eligible),
        TEST(not_supported_is_tried_seldom),
        TEST(by_hand_it_goes_on_in_every_state),
        TEST(what_was_rolled_back_is_on_hold),
        TEST(jitter_is_waited_for),
        TEST(the_default_state_has_conditions),
        TEST(a_program_in_use_keeps_waiting_until_it_closes),
        TEST(a_service_that_would_not_start_is_started_later),
        TEST(a_service_that_hangs_is_started_when_it_has_ended),
        TEST(both_spellings_and_other_texts_are_read),
    };
    if (argc != 3)
        return 2;
    releases = argv[1];
    profile = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
