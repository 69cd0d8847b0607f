/* What an attempt leaves: the word and its reason, holds, what is installed and kept, the history.
 * The rules are those of PRODUCT.md section 5, as a table. */

#include "machine_kit.h"

#include "installer/core/settle.h"

static struct setup setup;
static struct memory memory;

static void open_memory(void **state)
{
    setup = (struct setup){ .platform = platform_native() };
    setup.product.name = "orchard";
    setup.product.policy.keep = 1;
    (void)snprintf(setup.state, sizeof(setup.state), "%s/state", (const char *)*state);
    (void)snprintf(setup.install, sizeof(setup.install), "%s/orchard", (const char *)*state);
    IS(E_OK, memory_open(&setup, true, &memory, &why));
}

static struct version version_of(const char *text)
{
    struct version v = { .text = "" };
    assert_int_equal(version_read(span_text(text), &v, NULL), E_OK);
    return v;
}

static void attempt(int command, const char *result, bool sets_hold)
{
    struct upgrade_outcome *o = calloc(1, sizeof(*o));
    struct settle_ask ask = {
        .memory = &memory, .command = command, .outcome = o, .started = 1, .sets_hold = sets_hold
    };
    assert_non_null(o);
    outcome_begin(o);
    o->from = version_of("1.0.0");
    o->to = version_of("2.0.0");
    outcome_end(o, result, "as the test says");
    IS(E_OK, settle_attempt(&ask, &why));
    free(o);
}

/* --- the word */

#define OLD "an old reason"

static const struct {
    enum state_word before;
    int command;
    const char *result;
    enum state_word after;
    const char *reason;
} words[] = {
    /* unattended: what does not get through suspends, with its result as the reason */
    { STATE_ENABLED, ATTEMPT_RUN, "UpgradeAbortedSyncExeInUse", STATE_SUSPENDED,
      "UpgradeAbortedSyncExeInUse" },
    { STATE_ENABLED, ATTEMPT_RUN, "UpgradeNotSupportedNonLocalDbInstall", STATE_SUSPENDED,
      "UpgradeNotSupportedNonLocalDbInstall" },
    { STATE_SUSPENDED, ATTEMPT_RUN, "UpgradeAbortedDownloadFailed", STATE_SUSPENDED,
      "UpgradeAbortedDownloadFailed" },
    /* by hand it does not */
    { STATE_ENABLED, ATTEMPT_UPGRADE, "UpgradeAbortedSyncExeInUse", STATE_ENABLED, OLD },
    { STATE_ENABLED, ATTEMPT_INSTALL, "UpgradeNotSupportedX", STATE_ENABLED, OLD },
    { STATE_SUSPENDED, ATTEMPT_UPGRADE, "UpgradeAbortedX", STATE_SUSPENDED, OLD },
    /* disabled is an administrator's word */
    { STATE_DISABLED, ATTEMPT_RUN, "UpgradeAbortedX", STATE_DISABLED, OLD },
    { STATE_DISABLED, ATTEMPT_UPGRADE, "Success", STATE_DISABLED, OLD },
    /* a success makes enabled, and takes the reason away */
    { STATE_SUSPENDED, ATTEMPT_RUN, "Success", STATE_ENABLED, "" },
    { STATE_SUSPENDED, ATTEMPT_UPGRADE, "Success", STATE_ENABLED, "" },
    { STATE_ENABLED, ATTEMPT_RUN, "Success", STATE_ENABLED, "" },
    /* a failed upgrade keeps the word and sets the reason */
    { STATE_ENABLED, ATTEMPT_RUN, "UpgradeFailedRollbackSuccess-HealthCheckFailed", STATE_ENABLED,
      "UpgradeFailedRollbackSuccess-HealthCheckFailed" },
    { STATE_SUSPENDED, ATTEMPT_UPGRADE, "UpgradeFailedRollbackSuccess", STATE_SUSPENDED,
      "UpgradeFailedRollbackSuccess" },
    { STATE_DISABLED, ATTEMPT_UPGRADE, "UpgradeFailedRollbackFailed-X", STATE_DISABLED,
      "UpgradeFailedRollbackFailed-X" },
    /* what did not get as far as judging says nothing of the machine */
    { STATE_ENABLED, ATTEMPT_RUN, "PreUpgradeFailure", STATE_ENABLED, OLD },
    { STATE_ENABLED, ATTEMPT_RUN, "PreUpgradeFailure-SignatureInvalid", STATE_ENABLED, OLD },
    { STATE_SUSPENDED, ATTEMPT_RUN, "PreUpgradeFailure", STATE_SUSPENDED, OLD },
};

static void each_result_leaves_its_word(void **state)
{
    open_memory(state);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        bool changed;
        memory_set_word(&memory, words[i].before, OLD, 1, &changed);
        attempt(words[i].command, words[i].result, false);
        if (memory.state.word != (int)words[i].after ||
            strcmp(memory.state.reason, words[i].reason) != 0)
            fail_msg("case %zu, %s: %s, \"%s\"", i, words[i].result, state_words[memory.state.word],
                     memory.state.reason);
        assert_string_equal(memory.state.last_result, words[i].result);
        assert_string_equal(memory.state.last_version.text, "2.0.0");
    }
    memory_close(&memory);
}

static void every_attempt_is_in_the_history_and_the_state_reads_back(void **state)
{
    struct history history;
    open_memory(state);
    attempt(ATTEMPT_RUN, "UpgradeAbortedX", false);
    attempt(ATTEMPT_UPGRADE, "Success", false);
    memory_close(&memory);
    open_memory(state);
    IS(E_OK, memory_read_history(&memory, &history, &why));
    assert_int_equal(history.attempts.n, 2);
    assert_string_equal(history.attempts.items[0].result, "UpgradeAbortedX");
    assert_string_equal(history.attempts.items[1].result, "Success");
    assert_int_equal(history.attempts.items[1].command, ATTEMPT_UPGRADE);
    assert_string_equal(history.attempts.items[0].reasons.items[0].text, "as the test says");
    history_fini(&history);
    assert_string_equal(memory.state.last_result, "Success");
    assert_int_equal(memory.state.word, STATE_ENABLED);
    memory_close(&memory);
}

static void what_went_back_is_on_hold(void **state)
{
    struct version bad = version_of("2.0.0");
    open_memory(state);
    attempt(ATTEMPT_RUN, "UpgradeFailedRollbackSuccess", false);
    assert_false(state_is_on_hold(&memory.state, &bad));
    attempt(ATTEMPT_RUN, "UpgradeFailedRollbackSuccess", true);
    assert_true(state_is_on_hold(&memory.state, &bad));
    memory_close(&memory);
}

/* --- what is installed */

static struct run run_to(const char *from, const char *to, const char *old_name,
                         const char *new_name, int command)
{
    static struct place place = { .mode = STATE_SWITCH_EXCHANGE };
    struct run run = { .setup = &setup, .memory = &memory, .place = &place };
    run.attempt.command = command;
    run.attempt.from = version_of(from);
    run.attempt.to = version_of(to);
    text_copy(run.old_name, sizeof(run.old_name), old_name);
    text_copy(run.new_name, sizeof(run.new_name), new_name);
    return run;
}

static void assert_kept(const char *const *names, size_t n)
{
    assert_int_equal(memory.state.n_kept, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(memory.state.kept[i].tree, names[i]);
}

static void a_commit_is_taken_over_once(void **state)
{
    static const char *const old[] = { "1.0.0-aa" }, *const back[] = { "2.0.0-bb" };
    struct version two = version_of("2.0.0");
    open_memory(state);
    memory.state.has_installed = true;
    memory.state.installed = version_of("1.0.0");
    text_copy(memory.state.tree, sizeof(memory.state.tree), "1.0.0-aa");
    struct run there = run_to("1.0.0", "2.0.0", "1.0.0-aa", "2.0.0-bb", ATTEMPT_UPGRADE);
    state_set_hold(&memory.state, &two, 1);
    for (int times = 0; times < 3; times++) { /* a crash in between repeats it */
        IS(E_OK, settle_commit(&there, &why));
        assert_string_equal(memory.state.tree, "2.0.0-bb");
        assert_string_equal(memory.state.installed.text, "2.0.0");
        assert_kept(old, 1);
        assert_false(state_is_on_hold(&memory.state, &two));
    }
    struct run returns = run_to("2.0.0", "1.0.0", "2.0.0-bb", "1.0.0-aa", ATTEMPT_ROLLBACK);
    for (int times = 0; times < 3; times++) {
        IS(E_OK, settle_commit(&returns, &why));
        assert_string_equal(memory.state.tree, "1.0.0-aa");
        assert_kept(back, 1);
        assert_true(state_is_on_hold(&memory.state, &two));
    }
    memory_close(&memory);
}

/* Whatever stops it in the middle, a version that is known is there. */
static void old_versions_are_forgotten_before_they_are_taken_away(void **state)
{
    static const char *const last[] = { "2.0.0-bb" };
    struct place place;
    char tree[SETUP_PATH_ROOM];
    open_memory(state);
    memory.state.has_installed = true;
    memory.state.installed = version_of("3.0.0");
    text_copy(memory.state.tree, sizeof(memory.state.tree), "3.0.0-cc");
    memory.state.switch_mode = STATE_SWITCH_EXCHANGE;
    make_folder("orchard", 0755);
    IS(E_OK, place_open(&setup, &memory.state, &place, &why));
    IS(E_OK, place_make_store(&place, &why));
    static const char *const names[] = { "1.0.0-aa", "2.0.0-bb" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct version v = version_of(i == 0 ? "1.0.0" : "2.0.0");
        IS(E_OK, state_keep(&memory.state, &v, names[i], (int64_t)i, &why));
        IS(E_OK, place_put_away(&place, names[i], tree, &why));
        IS(E_OK, setup_make_folders(platform_native(), tree, true, &why));
    }
    settle_collect(&setup, &memory, &place, NULL);
    assert_kept(last, 1);
    IS(E_OK, place_put_away(&place, names[0], tree, &why));
    assert_int_equal(info_of(tree).kind, FS_ABSENT);
    IS(E_OK, place_put_away(&place, names[1], tree, &why));
    assert_int_equal(info_of(tree).kind, FS_FOLDER);
    memory_close(&memory);
}

/* In the store of either mode, and among the versions of a pointer: trees that nobody knows go, and
 * nothing else. */
static void what_nobody_knows_is_swept_away(void **state)
{
    static const char *const names[] = { "1.0.0-0123456789ab", "2.0.0-0123456789ac",
                                         "3.0.0-0123456789ad", "4.0.0-0123456789ae", "notes" };
    static const bool stays[] = { true, true, true, false, true }; /* installed, kept, current */
    struct place place;
    struct version v = version_of("2.0.0");
    char path[SETUP_PATH_ROOM];
    open_memory(state);
    memory.state.has_installed = true;
    memory.state.installed = version_of("1.0.0");
    memory.state.switch_mode = STATE_SWITCH_POINTER;
    text_copy(memory.state.tree, sizeof(memory.state.tree), names[0]);
    IS(E_OK, state_keep(&memory.state, &v, names[1], 1, &why));
    IS(E_OK, place_open(&setup, &memory.state, &place, &why));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        IS(E_OK, place_put_away(&place, names[i], path, &why));
        IS(E_OK, setup_make_folders(platform_native(), path, false, &why));
    }
    assert_int_equal(symlink("versions/3.0.0-0123456789ad", "orchard/current"), 0);
    IS(E_OK, place_make_store(&place, &why));
    IS(E_OK, place_run(&place, names[3], path, &why));
    make_folder(path, 0700);
    settle_sweep(&memory, &place, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        IS(E_OK, place_put_away(&place, names[i], path, &why));
        assert_int_equal(info_of(path).kind, stays[i] ? FS_FOLDER : FS_ABSENT);
    }
    assert_int_equal(info_of(place.store).kind, FS_ABSENT);
    memory_close(&memory);
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(each_result_leaves_its_word),
        MACHINE(every_attempt_is_in_the_history_and_the_state_reads_back),
        MACHINE(what_went_back_is_on_hold),
        MACHINE(a_commit_is_taken_over_once),
        MACHINE(old_versions_are_forgotten_before_they_are_taken_away),
        MACHINE(what_nobody_knows_is_swept_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
