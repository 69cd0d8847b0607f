/* The marker of an upgrade: what is set, what is left alone, and what a crash leaves. */

#include "machine_kit.h"
#include "registry_kit.h"

#include "installer/core/marker.h"
#include "installer/core/preflight_private.h"
#include "installer/core/recover.h"

#define KEY "HKLM\\SOFTWARE\\Orchard"
#define NAME "UpgradeInProgress"
#define TEXT "upgrade to 2.0.0 since 2026-01-02T03:04:05Z"
#define THEN INT64_C(1767323045)

static struct setup setup;
static struct memory memory;
static struct version to;

static void open_memory(void **state, bool is_named)
{
    setup = (struct setup){ .platform = told_begin() };
    setup.product.name = "orchard";
    if (is_named)
        setup.product.marker = (struct product_marker){ KEY, NAME };
    (void)snprintf(setup.state, sizeof(setup.state), "%s/state", (const char *)*state);
    (void)snprintf(setup.install, sizeof(setup.install), "%s/orchard", (const char *)*state);
    IS(E_OK, memory_open(&setup, true, &memory, &why));
    IS(E_OK, version_read(span_text("2.0.0"), &to, &why));
}

static bool file_is_there(void)
{
    return info_of("state/marker").kind != FS_ABSENT;
}

static void assert_value(const char *text)
{
    const struct told_value *v = told_find(KEY, NAME);
    if (text == NULL)
        assert_null(v);
    else if (v == NULL)
        fail_msg("the value is not there");
    else
        assert_string_equal(v->text, text);
}

static void without_a_value_it_is_a_file(void **state)
{
    open_memory(state, false);
    told_machine.is_read_only = true;
    IS(E_OK, marker_check(&setup, &why));
    IS(E_OK, marker_set(&memory, &to, THEN, &why));
    assert_holds("state/marker", TEXT "\n");
    IS(E_OK, marker_clear(&memory, &why));
    assert_false(file_is_there());
    IS(E_OK, marker_clear(&memory, &why));
    assert_int_equal(told_machine.n_written, 0);
    memory_close(&memory);
}

static void a_value_that_is_named_is_set_and_cleared(void **state)
{
    open_memory(state, true);
    IS(E_OK, marker_check(&setup, &why));
    assert_int_equal(told_machine.n_written, 0);
    IS(E_OK, marker_set(&memory, &to, THEN, &why));
    assert_value(TEXT);
    assert_holds("state/marker", TEXT "\n" KEY "\n" NAME "\n");
    IS(E_OK, marker_clear(&memory, &why));
    assert_value(NULL);
    assert_false(file_is_there());
    memory_close(&memory);
}

static void where_it_may_not_be_written_nothing_is_set(void **state)
{
    open_memory(state, true);
    told_machine.is_read_only = true;
    IS(E_ACCESS, marker_check(&setup, &why));
    SAYS(KEY ": " NAME ": the marker of an upgrade may not be written there");
    IS(E_ACCESS, marker_set(&memory, &to, THEN, &why));
    assert_value(NULL);
    assert_false(file_is_there());
    memory_close(&memory);
}

/* Rights that go between the question and the deed; and a deed that was done and said to have
 * failed. */
static void a_write_that_fails_leaves_nothing(void **state)
{
    for (int is_done = 0; is_done < 2; is_done++) {
        open_memory(state, true);
        told_machine.set = E_IO;
        told_machine.set_is_done = is_done != 0;
        IS(E_IO, marker_set(&memory, &to, THEN, &why));
        SAYS(KEY ": " NAME ": the test says so");
        assert_value(NULL);
        assert_false(file_is_there());
        memory_close(&memory);
    }
}

static void what_cannot_be_taken_back_is_left_to_recover(void **state)
{
    open_memory(state, true);
    told_machine.set = E_IO;
    told_machine.set_is_done = true;
    told_machine.remove = E_ACCESS;
    IS(E_IO, marker_set(&memory, &to, THEN, &why));
    SAYS("surefoot recover clears it");
    assert_value(TEXT);
    assert_true(file_is_there());
    told_machine.remove = E_OK;
    IS(E_OK, marker_clear(&memory, &why));
    assert_value(NULL);
    assert_false(file_is_there());
    memory_close(&memory);
}

static const struct {
    const char *text;
    bool is_number, is_binary;
    enum errc expected;
} others[] = {
    { "1", true, false, E_EXISTS },
    { "0", true, false, E_EXISTS },
    { "another installer", false, false, E_EXISTS },
    { "", false, false, E_EXISTS },
    { "upgrade", false, false, E_EXISTS },
    { "a text so long that it does not fit where ours is read: "
      "0123456789012345678901234567890123456"
      "78901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
      "9012345678901234567890",
      false, false, E_EXISTS },
    { "", false, true, E_MALFORMED },
};

static void what_somebody_else_put_there_stays(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        open_memory(state, true);
        struct told_value *v = told_put(KEY, NAME, others[i].text);
        v->is_number = others[i].is_number;
        v->is_binary = others[i].is_binary;
        IS(others[i].expected, marker_check(&setup, &why));
        IS(others[i].expected, marker_set(&memory, &to, THEN, &why));
        SAYS(KEY ": " NAME ": ");
        assert_value(others[i].text);
        assert_false(file_is_there());
        /* Also where our file says that it was about to be set. */
        make_file("state/marker", TEXT "\n" KEY "\n" NAME "\n", 0600);
        IS(E_OK, marker_clear(&memory, &why));
        assert_value(others[i].text);
        assert_false(file_is_there());
        assert_int_equal(told_machine.n_written, 0);
        memory_close(&memory);
    }
}

static void an_old_one_of_ours_is_replaced(void **state)
{
    open_memory(state, true);
    (void)told_put(KEY, NAME, "upgrade to 1.9.0 since 2025-01-02T03:04:05Z");
    IS(E_OK, marker_set(&memory, &to, THEN, &why));
    assert_value(TEXT);
    memory_close(&memory);
}

static void a_machine_without_a_registry_cannot_set_it(void **state)
{
    open_memory(state, true);
    setup.platform = platform_native();
    IS(E_UNSUPPORTED, marker_check(&setup, &why));
    IS(E_UNSUPPORTED, marker_set(&memory, &to, THEN, &why));
    assert_false(file_is_there());
    memory_close(&memory);
}

/* --- after a crash */

static void leave_marker(void **state)
{
    open_memory(state, true);
    IS(E_OK, marker_set(&memory, &to, THEN, &why));
    /* Since then the administrator has named another value, or none. */
    setup.product.marker = (struct product_marker){ NULL, NULL };
}

static void recover_clears_what_a_crash_left(void **state)
{
    struct upgrade_outcome *out = calloc(1, sizeof(*out));
    assert_non_null(out);
    leave_marker(state);
    IS(E_OK, recover_pending(&memory, "orchard", NULL, out, &why));
    assert_string_equal(out->result, "");
    assert_value(NULL);
    assert_false(file_is_there());
    memory_close(&memory);
    free(out);
}

static void whoever_comes_next_clears_it_too(void **state)
{
    struct upgrade_outcome *out = calloc(1, sizeof(*out));
    assert_non_null(out);
    leave_marker(state);
    IS(E_OK, recover_first_of_all(&memory, "orchard", NULL, out, &why));
    assert_value(NULL);
    assert_false(file_is_there());
    memory_close(&memory);
    free(out);
}

static void what_cannot_be_cleared_is_tried_again(void **state)
{
    struct upgrade_outcome *out = calloc(1, sizeof(*out));
    assert_non_null(out);
    leave_marker(state);
    told_machine.remove = E_ACCESS;
    IS(E_ACCESS, marker_clear(&memory, &why));
    SAYS(KEY ": " NAME ": the test says so");
    IS(E_ACCESS, recover_pending(&memory, "orchard", NULL, out, &why));
    IS(E_OK, recover_first_of_all(&memory, "orchard", NULL, out, &why));
    assert_value(TEXT);
    assert_true(file_is_there());
    told_machine.remove = E_OK;
    IS(E_OK, recover_pending(&memory, "orchard", NULL, out, &why));
    assert_value(NULL);
    assert_false(file_is_there());
    memory_close(&memory);
    free(out);
}

static void a_damaged_file_names_nothing(void **state)
{
    static const char *const damaged[] = { "", TEXT, TEXT "\n" KEY "\n", TEXT "\n" KEY "\n" NAME,
                                           TEXT "\n" KEY "\n" NAME "\nmore\n" };
    open_memory(state, true);
    (void)told_put(KEY, NAME, TEXT);
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        make_file("state/marker", damaged[i], 0600);
        IS(E_MALFORMED, marker_clear(&memory, &why));
        SAYS("marker in the state folder is damaged");
        assert_true(file_is_there());
    }
    assert_value(TEXT);
    memory_close(&memory);
}

/* --- what preflight says of it */

static const struct {
    bool is_read_only;
    const char *there;
    enum errc get, can_write;
    bool is_ready;
} preflights[] = {
    { false, NULL, E_OK, E_OK, true },
    { false, TEXT, E_OK, E_OK, true },
    { true, NULL, E_OK, E_OK, false },
    { false, "1", E_OK, E_OK, false },
    { false, NULL, E_ACCESS, E_OK, false },
    { false, NULL, E_OK, E_IO, false },
    { false, NULL, E_UNSUPPORTED, E_UNSUPPORTED, false },
};

static void preflight_says_so_beforehand(void **state)
{
    static struct preflight out;
    for (size_t i = 0; i < ARRAY_LEN(preflights); i++) {
        open_memory(state, true);
        struct preflight_ask all = { .setup = &setup, .phases = PREFLIGHT_ALL };
        struct preflight_row_ask row = { .ask = &all, .out = &out };
        out = (struct preflight){ .n = 0 };
        told_machine.is_read_only = preflights[i].is_read_only;
        told_machine.get = preflights[i].get;
        told_machine.can_write = preflights[i].can_write;
        if (preflights[i].there != NULL)
            (void)told_put(KEY, NAME, preflights[i].there);
        IS(E_OK, preflight_access(&row, &why));
        assert_int_equal(out.n, preflights[i].is_ready ? 0 : 1);
        if (!preflights[i].is_ready) {
            assert_string_equal(out.items[0].result, "UpgradeAbortedCouldNotSetUpgradeMarker");
            assert_int_equal(out.items[0].phase, RESULT_PHASE_MARKER);
            assert_non_null(strstr(out.items[0].text, KEY ": " NAME ": "));
        }
        assert_int_equal(told_machine.n_written, 0);
        assert_false(file_is_there());
        memory_close(&memory);
    }
}

static void memory_that_is_out_is_no_finding(void **state)
{
    static struct preflight out;
    open_memory(state, true);
    struct preflight_ask all = { .setup = &setup, .phases = PREFLIGHT_ALL };
    struct preflight_row_ask row = { .ask = &all, .out = &out };
    told_machine.get = E_NOMEM;
    IS(E_NOMEM, preflight_access(&row, &why));
    assert_int_equal(out.n, 0);
    memory_close(&memory);
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(without_a_value_it_is_a_file),
        MACHINE(a_value_that_is_named_is_set_and_cleared),
        MACHINE(where_it_may_not_be_written_nothing_is_set),
        MACHINE(a_write_that_fails_leaves_nothing),
        MACHINE(what_cannot_be_taken_back_is_left_to_recover),
        MACHINE(what_somebody_else_put_there_stays),
        MACHINE(an_old_one_of_ours_is_replaced),
        MACHINE(a_machine_without_a_registry_cannot_set_it),
        MACHINE(recover_clears_what_a_crash_left),
        MACHINE(whoever_comes_next_clears_it_too),
        MACHINE(what_cannot_be_cleared_is_tried_again),
        MACHINE(a_damaged_file_names_nothing),
        MACHINE(preflight_says_so_beforehand),
        MACHINE(memory_that_is_out_is_no_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
