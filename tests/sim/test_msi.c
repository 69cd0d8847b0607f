/* What an upgrade does where Windows Installer has the files: whose package counts, what keeps it
 * from beginning, and what it will not do without a way back. On the machine in memory, with real
 * packages (releases.sh).
 *
 *   usage: test_msi RELEASES SCENARIO.xml */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

#define UPGRADE_CODE "{5EF00700-0000-4000-8000-000000000000}"
#define PACKAGES "/var/lib/app/packages"

static const char *releases;
static struct scenario scenario;

void sim_fail(const char *fmt, ...)
{
    char text[600];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    fail_msg("%s", text);
}

/* --- a machine for each test */

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_new(w, &scenario, releases, NULL);
    *state = w;
    return 0;
}

/* One on which installing the second version ends as `how` says. */
static int set_up_ending(void **state, enum mock_install how)
{
    static struct scenario changed;
    static char version[] = "2.0.0";
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    changed = scenario;
    changed.packages[changed.n_packages++] =
        (struct package_of){ .version = version, .install = how };
    world_new(w, &changed, releases, NULL);
    *state = w;
    return 0;
}

static int set_up_restarting(void **state)
{
    return set_up_ending(state, INSTALL_NEEDS_RESTART);
}

static int set_up_none_at_first(void **state)
{
    return set_up_ending(state, INSTALL_NONE_AT_FIRST);
}

static int tear_down(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static void expect(struct world *w, enum deed deed, const char *to, const char *result)
{
    char version[32], got[RUN_RESULT_ROOM];
    (void)snprintf(version, sizeof(version), "%s", to == NULL ? "" : to);
    const struct deed_of d = { .deed = deed, .to = to == NULL ? NULL : version };
    world_do(w, &d, got);
    if (strcmp(got, result) != 0)
        fail_msg("\"%s\" instead of \"%s\": %s", got, result, w->said);
}

static void expect_running(const struct world *w, const char *version)
{
    assert_string_equal(w->running, version);
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), version);
}

/* What somebody else does, by hand. */
static void install_by_hand(struct world *w, const char *version)
{
    struct platform *p = mock_platform(w->mock);
    struct msi_result result = { .end = MSI_NO_END };
    char path[200];
    struct err err;
    (void)snprintf(path, sizeof(path), "/C:/srv/site/%s/app-%s.msi", version, version);
    assert_int_equal(p->msi->install(p->self, path, false, NULL, &result, &err), E_OK);
    assert_int_equal(result.end, MSI_ENDED_WELL);
}

struct spoiling {
    struct world *w;
    const char *folder;
    bool removes;
    unsigned n;
};

static enum errc spoil_name(void *ctx, const char *name, struct err *err)
{
    struct spoiling *s = ctx;
    struct platform *p = mock_platform(s->w->mock);
    char path[400];
    enum fs_kind kind = FS_ABSENT;
    (void)snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    assert_int_equal(p->fs->kind(p->self, path, &kind, err), E_OK);
    struct spoiling inner = { s->w, path, s->removes, 0 };
    if (kind == FS_FOLDER) {
        assert_int_equal(p->fs->list(p->self, path, spoil_name, &inner, err), E_OK);
        s->n += inner.n;
    } else if (s->removes) {
        assert_int_equal(p->fs->remove(p->self, path, err), E_OK);
        s->n++;
    } else {
        mock_put_file(s->w->mock, path, span_text("no package"), 0644);
        s->n++;
    }
    return E_OK;
}

/* Every file below a folder goes, or is another one from now on. */
static void spoil(struct world *w, const char *folder, bool removes)
{
    struct platform *p = mock_platform(w->mock);
    struct spoiling s = { w, folder, removes, 0 };
    struct err err;
    assert_int_equal(p->fs->list(p->self, folder, spoil_name, &s, &err), E_OK);
    assert_true(s.n > 0);
}

/* --- what keeps it from beginning */

static void an_installation_under_way_is_waited_for(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    mock_set_installer_busy(w->mock, true);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeAbortedInstallerBusy");
    expect_running(w, "1.0.0");
    mock_set_installer_busy(w->mock, false);
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

static void a_restart_that_is_pending_comes_first(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    mock_set_restart_pending(w->mock, true);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeAbortedRestartPending");
    expect_running(w, "1.0.0");
}

static void only_an_administrator_installs_for_the_machine(void **state)
{
    struct world *w = *state;
    mock_set_elevated(w->mock, false);
    expect(w, DO_INSTALL, "1.0.0", "UpgradeAbortedInsufficientPermissions");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "");
}

/* --- a way back, or none */

static void without_an_old_package_nothing_begins(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    spoil(w, "/windows/installer", true);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeNotSupportedNoOldPackage");
    expect_running(w, "1.0.0");
    w->no_rollback = true;
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

static void there_is_no_way_back_where_none_was_wanted(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    spoil(w, "/windows/installer", true);
    w->no_rollback = true;
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackFailed-HealthCheckFailed");
    expect(w, DO_RECOVER, NULL, "UpgradeFailedRollbackFailed-HealthCheckFailed");
}

static void windows_installers_own_package_is_taken_where_ours_is_gone(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    expect_running(w, "1.0.0");
}

static void a_kept_package_that_was_changed_is_not_gone_back_to(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    spoil(w, PACKAGES, false);
    expect(w, DO_ROLLBACK, "1.0.0", "PreUpgradeFailure-KeptTreeChanged");
    expect_running(w, "2.0.0");
    /* and of the installed version another copy is taken */
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    expect_running(w, "2.0.0");
}

/* --- others' hands */

static void what_is_installed_already_is_taken_over(void **state)
{
    struct world *w = *state;
    install_by_hand(w, "1.0.0");
    expect(w, DO_INSTALL, NULL, "Success");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "1.0.0");
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeAbortedServiceIsNotRunning");
}

static bool is_in_the_trace(const struct world *w, const char *line)
{
    char text[4000];
    (void)snprintf(text, sizeof(text), "%.*s", (int)w->trace.len, (const char *)w->trace.ptr);
    return strstr(text, line) != NULL;
}

/* The mock knows who holds what by its name, as the product file has it. */
static void open_a_file_of_it(const struct world *w)
{
    (void)mock_add_process(w->mock, "/opt/tools/viewer", "root",
                           "/etc/app/../../opt/app/share/n\xf6tes\n");
}

static void who_has_a_file_open_for_which_a_restart_is_needed_is_said(void **state)
{
    struct world *w = *state;
    char warning[24];
    (void)snprintf(warning, sizeof(warning), "%d - - -\n", event_id(EVENT_WARNING));
    expect(w, DO_INSTALL, "1.0.0", "Success");
    open_a_file_of_it(w);
    expect(w, DO_UPGRADE, "2.0.0", "");
    assert_true(is_in_the_trace(w, warning));
}

static void who_has_a_file_open_is_not_asked_where_nothing_waits(void **state)
{
    struct world *w = *state;
    char warning[24];
    (void)snprintf(warning, sizeof(warning), "%d - - -\n", event_id(EVENT_WARNING));
    expect(w, DO_INSTALL, "1.0.0", "Success");
    open_a_file_of_it(w);
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    assert_false(is_in_the_trace(w, warning));
}

static void what_ended_well_and_left_nothing_is_installed_once_more(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

static void what_somebody_else_installed_meanwhile_counts(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    install_by_hand(w, "2.0.0");
    expect(w, DO_UPGRADE, "1.0.0", "");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "2.0.0");
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "2.0.0");
}

static void what_was_taken_away_is_missed(void **state)
{
    struct world *w = *state;
    struct platform *p = mock_platform(w->mock);
    struct msi_result result = { .end = MSI_NO_END };
    struct err err;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    assert_int_equal(
        p->msi->remove(p->self, "{5EF00700-0000-4000-8000-000000010000}", NULL, &result, &err),
        E_OK);
    assert_int_equal(result.end, MSI_ENDED_WELL);
    expect(w, DO_UPGRADE, "2.0.0", "PreUpgradeFailure");
    w->running[0] = '\0';
    expect(w, DO_INSTALL, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

/* --- the mock is what it says */

static void a_system_without_windows_installer_says_so(void **state)
{
    UNUSED(state);
    struct mock *m = mock_new(false);
    struct platform *p = mock_platform(m);
    bool is = false;
    struct err err;
    assert_int_equal(p->msi->is_busy(p->self, &is, &err), E_UNSUPPORTED);
    assert_int_equal(p->msi->restart_pending(p->self, &is, &err), E_UNSUPPORTED);
    assert_int_equal(platform_native()->msi->is_busy(NULL, &is, &err), E_UNSUPPORTED);
    mock_free(m);
}

int main(int argc, char **argv)
{
#define ON_A_MACHINE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_A_MACHINE(an_installation_under_way_is_waited_for),
        ON_A_MACHINE(a_restart_that_is_pending_comes_first),
        ON_A_MACHINE(only_an_administrator_installs_for_the_machine),
        ON_A_MACHINE(without_an_old_package_nothing_begins),
        ON_A_MACHINE(there_is_no_way_back_where_none_was_wanted),
        ON_A_MACHINE(windows_installers_own_package_is_taken_where_ours_is_gone),
        ON_A_MACHINE(a_kept_package_that_was_changed_is_not_gone_back_to),
        ON_A_MACHINE(what_is_installed_already_is_taken_over),
        cmocka_unit_test_setup_teardown(who_has_a_file_open_for_which_a_restart_is_needed_is_said,
                                        set_up_restarting, tear_down),
        cmocka_unit_test_setup_teardown(what_ended_well_and_left_nothing_is_installed_once_more,
                                        set_up_none_at_first, tear_down),
        ON_A_MACHINE(who_has_a_file_open_is_not_asked_where_nothing_waits),
        ON_A_MACHINE(what_somebody_else_installed_meanwhile_counts),
        ON_A_MACHINE(what_was_taken_away_is_missed),
        cmocka_unit_test(a_system_without_windows_installer_says_so),
    };
    if (argc != 3) {
        (void)fputs("usage: test_msi RELEASES SCENARIO.xml\n", stderr);
        return 2;
    }
    releases = argv[1];
    scenario_read(argv[2], &scenario);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scenario_fini(&scenario);
    return failed;
}
