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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "installer/core/doctor.h"
#include "installer/core/own_program.h"
#include "installer/core/schedule_task.h"
#include "platform/base/text.h"
#include "platform/mock/mock_machine.h"
#include "sim.h"

#define UPGRADE_CODE "{5EF00700-0000-4000-8000-000000000000}"
#define PACKAGES "/var/lib/app/packages"
#define LOG "/var/lib/app/msi.log"

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

static struct mock_package *package_of(const struct world *w, const char *version)
{
    for (size_t i = 0; i < w->mock->n_packages; i++)
        if (strcmp(w->mock->packages[i]->version, version) == 0)
            return w->mock->packages[i];
    fail_msg("no package of %s", version);
    return NULL;
}

static void expect_log(struct world *w, const char *text)
{
    struct buf log;
    struct err why;
    buf_init(&log, 10000);
    const enum errc rc = platform_read_file(w->platform, LOG, 10000, &log, &why);
    if (rc != (text == NULL ? E_ABSENT : E_OK) ||
        (text != NULL && !span_equal_text(buf_span(&log), text)))
        fail_msg("the log: %d, %.*s", rc, (int)log.len, (const char *)log.ptr);
    buf_fini(&log);
}

/* What somebody else does, by hand. */
static void install_by_hand(struct world *w, const char *version)
{
    struct platform *p = mock_platform(w->mock);
    struct msi_result result = { .end = MSI_NO_END };
    char path[200];
    struct err err;
    struct source *held;
    (void)snprintf(path, sizeof(path), "/C:/srv/site/%s/app-%s.msi", version, version);
    assert_int_equal(p->fs->open_source(p->self, path, &held, &err), E_OK);
    assert_int_equal(p->msi->install(p->self, path, false, NULL, &result, &err), E_OK);
    source_close(held);
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

static void windows_installers_package_counts_only_if_it_is_that_one(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    spoil(w, "/windows/installer", false);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeNotSupportedNoOldPackage");
    expect_running(w, "1.0.0");
}

/* Its own package is there, whole, and of another product: of the second version. */
static void windows_installers_package_of_another_product_does_not_count(void **state)
{
    static const char own[] = "/windows/installer/{5EF00700-0000-4000-8000-000000010000}.msi";
    struct world *w = *state;
    struct buf other;
    struct err err;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    assert_int_equal(platform_read_file(mock_platform(w->mock), "/C:/srv/site/2.0.0/app-2.0.0.msi",
                                        1 << 20, &other, &err),
                     E_OK);
    mock_put_file(w->mock, own, buf_span(&other), 0644);
    buf_fini(&other);
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeNotSupportedNoOldPackage");
    assert_non_null(strstr(w->said, "of another product"));
    expect_running(w, "1.0.0");
}

/* A patch makes another version of a product, and leaves its package as it was. */
static void windows_installers_package_of_another_version_does_not_count(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    (void)text_copy(package_of(w, "1.0.0")->version, MSI_VERSION_ROOM, "1.0.1");
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeNotSupportedNoOldPackage");
    assert_non_null(strstr(w->said, "is of version 1.0.0, and 1.0.1 is installed"));
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "1.0.1");
    assert_string_equal(w->running, "1.0.0"); /* as it says itself */
}

static void two_products_of_one_upgrade_code_are_left_alone(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    mock_register_product(w->mock, package_of(w, "1.0.0"));
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeNotSupportedSeveralProducts");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "2");
    expect(w, DO_ROLLBACK, "1.0.0", "UpgradeNotSupportedSeveralProducts");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "2");
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
    package_of(w, "2.0.0")->install = INSTALL_NEEDS_RESTART;
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
    package_of(w, "2.0.0")->install = INSTALL_NONE_AT_FIRST;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

/* Windows Installer's word is not enough. */
static void what_ends_well_and_leaves_nothing_is_no_upgrade(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_NONE;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeFailedRollbackSuccess-SwitchFailed");
    expect_running(w, "1.0.0");
}

static void what_ends_well_and_changes_nothing_is_no_upgrade(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_NOTHING;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeFailedRollbackSuccess-SwitchFailed");
    assert_non_null(strstr(w->said, "another version is installed"));
    expect_running(w, "1.0.0");
    package_of(w, "2.0.0")->install = INSTALL_GOOD;
    package_of(w, "2.0.0")->remove = INSTALL_NOTHING;
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    expect(w, DO_ROLLBACK, "1.0.0", "UpgradeFailedRollbackSuccess-SwitchFailed");
    expect_running(w, "2.0.0");
}

/* --- an installation of somebody else that begins in the same moment */

static void what_was_refused_before_it_began_needs_no_way_back(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_IS_BUSY;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    package_of(w, "1.0.0")->install = INSTALL_FAILS; /* it must not be asked for */
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeAbortedSwitchFailed");
    expect_running(w, "1.0.0");
    expect(w, DO_RECOVER, NULL, "");
    package_of(w, "2.0.0")->install = INSTALL_GOOD;
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

static void a_first_installation_that_was_refused_leaves_nothing(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_IS_BUSY;
    expect(w, DO_INSTALL, "2.0.0", "UpgradeAbortedSwitchFailed");
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "");
    expect_log(w, NULL); /* nothing else was asked of Windows Installer either */
    package_of(w, "2.0.0")->install = INSTALL_GOOD;
    expect(w, DO_INSTALL, "2.0.0", "Success");
    expect_running(w, "2.0.0");
}

static void without_rollback(struct world *w)
{
    expect(w, DO_INSTALL, "1.0.0", "Success");
    spoil(w, PACKAGES, true);
    spoil(w, "/windows/installer", true);
    w->no_rollback = true;
}

static void without_a_way_back_the_old_version_runs_on_where_nothing_began(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_IS_BUSY;
    without_rollback(w);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeAbortedSwitchFailed");
    expect_running(w, "1.0.0");
}

static void without_a_way_back_windows_installers_own_one_counts(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_FAILS;
    without_rollback(w);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeFailedRollbackSuccess-SwitchFailed");
    expect_running(w, "1.0.0");
}

static void without_any_way_back_it_says_so(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_LEAVES_NONE;
    without_rollback(w);
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeFailedRollbackFailed-SwitchFailed");
    assert_non_null(strstr(w->said, "the package of the old version: is not there"));
    assert_string_equal(mock_find_product(w->mock, UPGRADE_CODE), "");
}

/* Of the installations to come the package's own is refused until the fourth. */
struct others {
    struct mock_package *package;
    unsigned n;
};

static struct fault begin_beside_us(void *ctx, const struct fault_step *step)
{
    struct others *o = ctx;
    if (strcmp(step->what, "msi_install") == 0)
        o->package->install = ++o->n < 4 ? INSTALL_IS_BUSY : INSTALL_GOOD;
    return (struct fault){ FAULT_NONE, E_OK };
}

static void a_way_back_that_was_refused_is_tried_again(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    struct others others = { .package = package_of(w, "1.0.0") };
    const struct fault_plan plan = { begin_beside_us, &others };
    mock_plan(w->mock, &plan);
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    mock_plan(w->mock, NULL);
    assert_int_equal(others.n, 4); /* the new version, then three times the old one */
    expect_running(w, "1.0.0");
}

/* The newer version is taken away, and then another installation is under way: what is no more
 * there must be brought back, and that is called so. */
static void a_rollback_that_was_refused_halfway_goes_back(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    package_of(w, "1.0.0")->install = INSTALL_IS_BUSY;
    expect(w, DO_ROLLBACK, "1.0.0", "UpgradeFailedRollbackSuccess-SwitchFailed");
    expect_running(w, "2.0.0");
}

/* What Windows Installer puts off while the new version goes, the old one that comes back by the
 * second try would lose at the machine's next start. */
static void a_restart_that_is_needed_is_not_forgotten_by_the_next_try(void **state)
{
    struct world *w = *state;
    expect(w, DO_INSTALL, "1.0.0", "Success");
    package_of(w, "3.0.0")->remove = INSTALL_NEEDS_RESTART;
    struct others others = { .package = package_of(w, "1.0.0") };
    const struct fault_plan plan = { begin_beside_us, &others };
    mock_plan(w->mock, &plan);
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackFailed-HealthCheckFailed");
    mock_plan(w->mock, NULL);
    assert_int_equal(others.n, 4);
    assert_non_null(strstr(w->said, "must be restarted"));
    expect(w, DO_BOOT, NULL, "");
    expect(w, DO_RECOVER, NULL, "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    expect_running(w, "1.0.0");
}

/* The old product may be on record, and half of its files be those of the new one. */
struct crashing {
    struct world *w;
    int status;
};

static struct fault crash_at_the_install(void *ctx, const struct fault_step *step)
{
    struct crashing *c = ctx;
    if (strcmp(step->what, "msi_install") == 0) {
        const pid_t pid = fork();
        if (pid == 0) {
            const struct deed_of recover = { .deed = DO_RECOVER };
            char result[RUN_RESULT_ROOM];
            mock_plan(c->w->mock, NULL);
            mock_kill_us(c->w->mock);
            world_do(c->w, &recover, result);
            _exit(strcmp(result, "UpgradeFailedRollbackFailed-Interrupted") == 0 ? 0 : 1);
        }
        assert_true(pid > 0 && waitpid(pid, &c->status, 0) == pid);
    }
    return (struct fault){ FAULT_NONE, E_OK };
}

static void after_a_crash_nobody_knows_what_came_back(void **state)
{
    struct world *w = *state;
    struct crashing c = { .w = w, .status = -1 };
    const struct fault_plan plan = { crash_at_the_install, &c };
    without_rollback(w);
    mock_plan(w->mock, &plan);
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    mock_plan(w->mock, NULL);
    assert_true(WIFEXITED(c.status));
    assert_int_equal(WEXITSTATUS(c.status), 0);
}

/* The third version, which is ill, taken away, and the first one in its place. */
#define ENDED_AND_BACK "3.0.0 0\n{5EF00700-0000-4000-8000-000000030000} 0\n1.0.0 0\n"

/* What failed is what somebody will want to read. */
static void the_log_has_what_failed_and_the_way_back(void **state)
{
    struct world *w = *state;
    package_of(w, "2.0.0")->install = INSTALL_FAILS;
    expect_log(w, NULL);
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect_log(w, "1.0.0 0\n");
    expect(w, DO_UPGRADE, "2.0.0", "UpgradeFailedRollbackSuccess-SwitchFailed");
    expect_log(w, "2.0.0 1603\n1.0.0 0\n");
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    expect_log(w, ENDED_AND_BACK);
}

/* One that is tried again and again must not fill the disk. */
static void a_way_back_does_not_add_to_a_log_that_grew_large(void **state)
{
    struct world *w = *state;
    const size_t size = 64u * 1024 * 1024 + 1;
    uint8_t *large = calloc(size, 1);
    assert_non_null(large);
    expect(w, DO_INSTALL, "1.0.0", "Success");
    package_of(w, "1.0.0")->install = INSTALL_LEAVES_NONE;
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackFailed-HealthCheckFailed");
    package_of(w, "1.0.0")->install = INSTALL_GOOD;
    mock_put_file(w->mock, LOG, span_of(large, size), 0644);
    free(large);
    expect(w, DO_RECOVER, NULL, "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    expect_running(w, "1.0.0");
    expect_log(w, ENDED_AND_BACK);
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

/* --- the product is Surefoot itself: the program that runs is one of its files */

#define PROGRAM "/opt/app/" OWN_PROGRAM_KEPT
#define KEPT "/var/lib/app/own/" OWN_PROGRAM_KEPT

static void program_of(const char *version, char to[64])
{
    (void)snprintf(to, 64, "the program of version %s", version);
}

/* Every version's package has the program, too. */
static void make_own(struct world *w)
{
    char bytes[64];
    for (size_t i = 0; i < w->mock->n_packages; i++) {
        program_of(w->mock->packages[i]->version, bytes);
        mock_add_package_file(w->mock->packages[i], PROGRAM, span_text(bytes));
    }
}

static bool holds_program(const struct world *w, const char *path, const char *version)
{
    char expected[64];
    struct buf bytes;
    struct err err;
    program_of(version, expected);
    if (platform_read_file(mock_platform(w->mock), path, 1000, &bytes, &err) != E_OK)
        return false;
    const bool holds = span_equal_text(buf_span(&bytes), expected);
    buf_fini(&bytes);
    return holds;
}

static bool is_program(const struct world *w, const char *path)
{
    return holds_program(w, path, "1.0.0") || holds_program(w, path, "2.0.0") ||
           holds_program(w, path, "3.0.0");
}

enum { CUT_WELL = 0, CUT_NO_PROGRAM, CUT_NOT_RECOVERED, CUT_WAS_GONE = 100 };

struct cutting {
    struct world *w;
    unsigned n, n_gone;
    const char *bad; /* the step before which the cut left what must not be */
    int code;
};

/* What the task for recovery finds after a cut, and what it makes of it. */
static int look_after_cut(struct world *w, const struct disk_loss *loss)
{
    const struct deed_of recover = { .deed = DO_RECOVER };
    char result[RUN_RESULT_ROOM];
    mock_plan(w->mock, NULL);
    mock_kill_us(w->mock);
    if (loss != NULL)
        mock_power_cut(w->mock, loss);
    const bool is_gone = !is_program(w, PROGRAM);
    if (is_gone && !is_program(w, KEPT))
        return CUT_NO_PROGRAM;
    if (is_gone || is_program(w, KEPT))
        mock_set_own_program(w->mock, KEPT); /* else the copy was not made yet */
    world_do(w, &recover, result);
    const char *version = mock_find_product(w->mock, UPGRADE_CODE);
    if (!holds_program(w, PROGRAM, version))
        return CUT_NOT_RECOVERED;
    return is_gone ? CUT_WAS_GONE : CUT_WELL;
}

static struct fault cut_here(void *ctx, const struct fault_step *step)
{
    static const struct disk_loss losses[] = { { LOSS_NONE, 0 }, { LOSS_ALL, 0 } };
    struct cutting *c = ctx;
    for (size_t i = 0; i <= ARRAY_LEN(losses) && c->bad == NULL; i++) {
        int status = 0;
        const pid_t pid = fork();
        if (pid == 0)
            _exit(look_after_cut(c->w, i < ARRAY_LEN(losses) ? &losses[i] : NULL));
        assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        c->n++;
        c->n_gone += WEXITSTATUS(status) == CUT_WAS_GONE;
        if (WEXITSTATUS(status) != CUT_WELL && WEXITSTATUS(status) != CUT_WAS_GONE) {
            c->code = WEXITSTATUS(status);
            c->bad = step->what;
        }
    }
    return (struct fault){ FAULT_NONE, E_OK };
}

static void cut_everywhere(struct world *w, enum deed deed, const char *to, const char *result)
{
    struct cutting c = { .w = w };
    const struct fault_plan plan = { cut_here, &c };
    mock_plan(w->mock, &plan);
    expect(w, deed, to, result);
    mock_plan(w->mock, NULL);
    if (c.bad != NULL)
        fail_msg("cut before %s (%u): %d", c.bad, c.n, c.code);
    assert_true(c.n_gone > 0); /* else nothing was looked at */
}

static void after_any_cut_there_is_a_program_that_recovers(void **state)
{
    struct world *w = *state;
    make_own(w);
    expect(w, DO_INSTALL, "1.0.0", "Success");
    mock_set_own_program(w->mock, PROGRAM);
    cut_everywhere(w, DO_UPGRADE, "2.0.0", "Success");
    assert_true(holds_program(w, KEPT, "2.0.0")); /* not the old one, which may have holes */
    cut_everywhere(w, DO_ROLLBACK, "1.0.0", "Success");
    assert_true(holds_program(w, KEPT, "1.0.0"));
    cut_everywhere(w, DO_UPGRADE, "3.0.0", "UpgradeFailedRollbackSuccess-HealthCheckFailed");
    assert_true(holds_program(w, KEPT, "1.0.0"));
}

static struct fault no_copy(void *ctx, const struct fault_step *step)
{
    UNUSED(ctx);
    return strstr(step->path, "/own/") != NULL ? (struct fault){ FAULT_FAILS, E_SPACE }
                                               : (struct fault){ FAULT_NONE, E_OK };
}

static void without_a_copy_nothing_is_stopped(void **state)
{
    const struct fault_plan plan = { no_copy, NULL };
    struct world *w = *state;
    char stopping[24];
    (void)snprintf(stopping, sizeof(stopping), "%d - - -\n", event_id(EVENT_STOPPING));
    make_own(w);
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect(w, DO_UPGRADE, "2.0.0", "Success");
    mock_set_own_program(w->mock, PROGRAM);
    assert_true(is_in_the_trace(w, stopping));
    buf_clear(&w->trace);
    mock_plan(w->mock, &plan);
    expect(w, DO_UPGRADE, "3.0.0", "UpgradeAbortedInsufficientDiskSpace");
    expect(w, DO_ROLLBACK, "1.0.0", "PreUpgradeFailure");
    mock_plan(w->mock, NULL);
    assert_false(is_in_the_trace(w, stopping));
    expect_running(w, "2.0.0");
}

/* --- what the doctor says of tasks */

static void load(struct world *w, struct setup *setup)
{
    struct err err;
    if (setup_load(mock_platform(w->mock), "/etc/app/app.xml", setup, &err) != E_OK)
        fail_msg("%s", err.text);
}

static void put_tasks(struct world *w, const char *runs, const char *recovers)
{
    struct platform *p = mock_platform(w->mock);
    struct setup setup;
    load(w, &setup);
    const struct schedule_ask ask = { .setup = &setup,
                                      .program = runs,
                                      .kept = recovers,
                                      .product = "app",
                                      .account = SCHEDULE_TASK_SYSTEM };
    for (int which = 0; which < SCHEDULE_TASKS; which++) {
        char name[SCHEDULE_NAME_ROOM];
        struct err err;
        struct buf xml;
        buf_init(&xml, 65536);
        if (schedule_task_write(&ask, (enum schedule_task)which, &xml, &err) != E_OK ||
            p->task->put(p->self, schedule_task_name(&setup, (enum schedule_task)which, name),
                         buf_span(&xml), &err) != E_OK)
            fail_msg("%s", err.text);
        buf_fini(&xml);
    }
    setup_fini(&setup);
}

/* The one row of tasks; NULL text: there is none. */
static void expect_row(struct world *w, enum doctor_word word, const char *text, const char *mend)
{
    struct doctor *d = calloc(1, sizeof(*d));
    struct setup setup;
    struct err err;
    size_t n = 0;
    assert_non_null(d);
    load(w, &setup);
    assert_int_equal(doctor_examine(&setup, d, &err), E_OK);
    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_row *row = &d->rows[i];
        if (strcmp(row->what, "task") != 0)
            continue;
        n++;
        if (text == NULL || row->word != word || strstr(row->text, text) == NULL ||
            strstr(row->mend, mend) == NULL)
            fail_msg("%d \"%s\" \"%s\"", (int)row->word, row->text, row->mend);
    }
    assert_int_equal(n, text != NULL);
    setup_fini(&setup);
    free(d);
}

static void the_doctor_sees_what_tasks_run(void **state)
{
    static const char bytes[] = "the program of version 1.0.0";
    struct world *w = *state;
    struct platform *p = mock_platform(w->mock);
    struct setup setup;
    char kept[SETUP_PATH_ROOM];
    struct err err;
    load(w, &setup);
    assert_int_equal(own_program_kept_path(&setup, kept, &err), E_OK);
    setup_fini(&setup);
    make_own(w);
    expect(w, DO_INSTALL, "1.0.0", "Success");
    expect_row(w, DOCTOR_NONE, NULL, NULL);
    mock_set_own_program(w->mock, PROGRAM);
    expect_row(w, DOCTOR_WARNING, "no task recovers Surefoot", "schedule install");
    put_tasks(w, PROGRAM, kept);
    expect_row(w, DOCTOR_FAULT, "there is no such program", "schedule install");
    mock_put_file(w->mock, KEPT, span_text(bytes), 0600);
    expect_row(w, DOCTOR_WELL, PROGRAM, "");
    mock_put_file(w->mock, KEPT, span_text("an older one"), 0600);
    expect_row(w, DOCTOR_WARNING, "of another version", "");
    mock_put_file(w->mock, KEPT, span_text(bytes), 0666);
    expect_row(w, DOCTOR_FAULT, "may be written by others", "alone to change");
    mock_put_file(w->mock, KEPT, span_text(bytes), 0600);
    put_tasks(w, PROGRAM, PROGRAM);
    expect_row(w, DOCTOR_FAULT, "does not name the copy", "schedule install");
    put_tasks(w, PROGRAM, kept);
    assert_int_equal(p->fs->remove(p->self, PROGRAM, &err), E_OK);
    expect_row(w, DOCTOR_FAULT, "\\Surefoot\\app: ", "schedule install");
    assert_int_equal(p->task->remove(p->self, "Surefoot\\app", &err), E_OK);
    expect_row(w, DOCTOR_NONE, NULL, NULL);
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
        ON_A_MACHINE(windows_installers_package_counts_only_if_it_is_that_one),
        ON_A_MACHINE(windows_installers_package_of_another_product_does_not_count),
        ON_A_MACHINE(windows_installers_package_of_another_version_does_not_count),
        ON_A_MACHINE(two_products_of_one_upgrade_code_are_left_alone),
        ON_A_MACHINE(there_is_no_way_back_where_none_was_wanted),
        ON_A_MACHINE(windows_installers_own_package_is_taken_where_ours_is_gone),
        ON_A_MACHINE(a_kept_package_that_was_changed_is_not_gone_back_to),
        ON_A_MACHINE(what_is_installed_already_is_taken_over),
        ON_A_MACHINE(who_has_a_file_open_for_which_a_restart_is_needed_is_said),
        ON_A_MACHINE(what_ended_well_and_left_nothing_is_installed_once_more),
        ON_A_MACHINE(what_ends_well_and_leaves_nothing_is_no_upgrade),
        ON_A_MACHINE(what_ends_well_and_changes_nothing_is_no_upgrade),
        ON_A_MACHINE(what_was_refused_before_it_began_needs_no_way_back),
        ON_A_MACHINE(a_first_installation_that_was_refused_leaves_nothing),
        ON_A_MACHINE(without_a_way_back_the_old_version_runs_on_where_nothing_began),
        ON_A_MACHINE(without_a_way_back_windows_installers_own_one_counts),
        ON_A_MACHINE(without_any_way_back_it_says_so),
        ON_A_MACHINE(a_way_back_that_was_refused_is_tried_again),
        ON_A_MACHINE(a_rollback_that_was_refused_halfway_goes_back),
        ON_A_MACHINE(a_restart_that_is_needed_is_not_forgotten_by_the_next_try),
        ON_A_MACHINE(after_a_crash_nobody_knows_what_came_back),
        ON_A_MACHINE(the_log_has_what_failed_and_the_way_back),
        ON_A_MACHINE(a_way_back_does_not_add_to_a_log_that_grew_large),
        ON_A_MACHINE(who_has_a_file_open_is_not_asked_where_nothing_waits),
        ON_A_MACHINE(what_somebody_else_installed_meanwhile_counts),
        ON_A_MACHINE(what_was_taken_away_is_missed),
        ON_A_MACHINE(after_any_cut_there_is_a_program_that_recovers),
        ON_A_MACHINE(without_a_copy_nothing_is_stopped),
        ON_A_MACHINE(the_doctor_sees_what_tasks_run),
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
