/* What the checks of databases, settings, mutexes and groups say: the result that the product file
 * gives them, or that nothing could be found out. The database is one that answers as the test
 * says. */

#include "machine_kit.h"
#include "registry_kit.h"

#include "installer/core/preflight_private.h"

/* --- a database of the test's own */

struct told {
    enum errc open, kind, size, right; /* what each ends with */
    enum db_kind kind_is;
    uint64_t size_is;
    bool has;
    const char *connection; /* that was asked for */
    int n_open, n_asked;
};
static struct told told;

static enum errc end_with(enum errc code, struct err *err)
{
    return code == E_OK ? E_OK : err_set(err, code, "the database says so");
}

static enum errc open_told(void *self, const char *connection, int64_t timeout_ms, struct db **out,
                           struct err *err)
{
    static char line[256];
    UNUSED(self);
    assert_true(timeout_ms > 0);
    told.connection = text_copy(line, sizeof(line), connection);
    if (told.open == E_OK) {
        *out = (struct db *)&told;
        told.n_open++;
    }
    return end_with(told.open, err);
}

static void close_told(void *self, struct db *db)
{
    UNUSED(self);
    told.n_open -= db != NULL;
}

static enum errc kind_told(void *self, struct db *db, enum db_kind *out, struct err *err)
{
    UNUSED(self);
    UNUSED(db);
    told.n_asked++;
    *out = told.kind_is;
    return end_with(told.kind, err);
}

static enum errc size_told(void *self, struct db *db, uint64_t *out, struct err *err)
{
    UNUSED(self);
    UNUSED(db);
    told.n_asked++;
    *out = told.size_is;
    return end_with(told.size, err);
}

static enum errc right_told(void *self, struct db *db, const char *right, const char *account,
                            bool *out, struct err *err)
{
    UNUSED(self);
    UNUSED(db);
    UNUSED(right);
    UNUSED(account);
    told.n_asked++;
    *out = told.has;
    return end_with(told.right, err);
}

static const struct db_ops told_ops = { open_told, close_told, kind_told, size_told, right_told };

/* --- asking */

static struct check_right rights[] = { { "CREATE", "orchard", "UpgradeAbortedRight" } };

static struct product_check database_check(void)
{
    struct product_check check = { .kind = CHECK_DATABASE, .result = "UpgradeAbortedReach" };
    struct check_database *db = &check.of.database;
    db->connection = "Driver=x";
    db->kinds = 1U << DATABASE_POSTGRESQL | 1U << DATABASE_LOCALDB;
    db->kind_result = "UpgradeNotSupportedKind";
    db->below_bytes = 100;
    db->size_result = "UpgradeNotSupportedSize";
    db->rights.items = rights;
    db->rights.n = 1;
    return check;
}

static struct preflight *ask_on(const struct platform *on, void **state,
                                const struct product_check *check, preflight_row_fn fn,
                                enum errc expected)
{
    static struct preflight out;
    struct platform machine = *on;
    struct setup setup = { .platform = &machine };
    struct preflight_ask all = { .setup = &setup, .phases = PREFLIGHT_ALL };
    struct preflight_row_ask row = { .ask = &all, .check = check, .out = &out };
    (void)snprintf(setup.base, sizeof(setup.base), "%s/", (const char *)*state);
    machine.db = &told_ops;
    out = (struct preflight){ .n = 0 };
    IS(expected, fn(&row, &why));
    assert_int_equal(told.n_open, 0);
    return &out;
}

static struct preflight *ask(void **state, const struct product_check *check, preflight_row_fn fn,
                             enum errc expected)
{
    return ask_on(platform_native(), state, check, fn, expected);
}

static const struct {
    struct told told;
    const char *results; /* "-" for an empty one, a space between */
} databases[] = {
    { { .kind_is = DB_POSTGRESQL, .size_is = 99, .has = true }, "" },
    { { .kind_is = DB_LOCALDB, .size_is = 0, .has = true }, "" },
    { { .kind_is = DB_SQLITE, .size_is = 99, .has = true }, "UpgradeNotSupportedKind" },
    { { .kind_is = DB_OTHER, .size_is = 99, .has = true }, "UpgradeNotSupportedKind" },
    { { .kind_is = DB_POSTGRESQL, .size_is = 100, .has = true }, "UpgradeNotSupportedSize" },
    { { .kind_is = DB_POSTGRESQL, .size_is = 99, .has = false }, "UpgradeAbortedRight" },
    { { .kind_is = DB_MYSQL, .size_is = UINT64_MAX, .has = false },
      "UpgradeNotSupportedKind UpgradeNotSupportedSize UpgradeAbortedRight" },
    { { .open = E_ACCESS }, "UpgradeAbortedReach" },
    { { .open = E_ABSENT }, "UpgradeAbortedReach" },
    { { .open = E_IO }, "UpgradeAbortedReach" },
    { { .open = E_TIMEOUT }, "UpgradeAbortedReach" },
    { { .open = E_UNSUPPORTED }, "-" },
    { { .open = E_ARGUMENT }, "-" },
    { { .kind_is = DB_POSTGRESQL,
        .kind = E_UNSUPPORTED,
        .size = E_UNSUPPORTED,
        .right = E_UNSUPPORTED },
      "- - -" },
    { { .kind_is = DB_POSTGRESQL, .kind = E_IO }, "UpgradeAbortedReach" },
    { { .kind_is = DB_POSTGRESQL, .size = E_TIMEOUT }, "UpgradeAbortedReach" },
    { { .kind_is = DB_POSTGRESQL, .size_is = 99, .right = E_ACCESS }, "-" },
};

static void assert_results(const struct preflight *out, const char *expected)
{
    char all[512] = "";
    size_t n_unknown = 0;
    for (size_t i = 0; i < out->n; i++) {
        const char *result = out->items[i].result[0] == '\0' ? "-" : out->items[i].result;
        n_unknown += out->items[i].result[0] == '\0';
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i == 0 ? "" : " ",
                       result);
        assert_true(out->items[i].text[0] != '\0');
    }
    assert_string_equal(all, expected);
    assert_int_equal(out->n_unknown, n_unknown);
}

static void each_answer_has_its_result(void **state)
{
    const struct product_check check = database_check();
    for (size_t i = 0; i < ARRAY_LEN(databases); i++) {
        told = databases[i].told;
        assert_results(ask(state, &check, preflight_database, E_OK), databases[i].results);
    }
}

static void what_is_not_demanded_is_not_asked(void **state)
{
    struct product_check check = database_check();
    check.of.database.kinds = 0;
    check.of.database.below_bytes = 0;
    check.of.database.rights.n = 0;
    told = (struct told){ .kind_is = DB_OTHER };
    assert_results(ask(state, &check, preflight_database, E_OK), "");
    assert_int_equal(told.n_asked, 0);
}

static void memory_is_an_error_and_no_finding(void **state)
{
    const struct product_check check = database_check();
    told = (struct told){ .open = E_NOMEM };
    assert_int_equal(ask(state, &check, preflight_database, E_NOMEM)->n, 0);
    told = (struct told){ .right = E_NOMEM, .kind_is = DB_POSTGRESQL };
    assert_int_equal(ask(state, &check, preflight_database, E_NOMEM)->n, 0);
}

static void a_connection_comes_by_a_file_of_one_line(void **state)
{
    struct product_check check = database_check();
    check.of.database.connection = NULL;
    check.of.database.connection_file = "orchard.dsn";
    told = (struct told){ .kind_is = DB_POSTGRESQL, .has = true };
    assert_results(ask(state, &check, preflight_database, E_OK), "-");
    make_file("orchard.dsn", "Driver=x;PWD=hidden\r\n", 0600);
    assert_results(ask(state, &check, preflight_database, E_OK), "");
    assert_string_equal(told.connection, "Driver=x;PWD=hidden");
    static const char *const wrong[] = { "", "\n", "a\nPWD=hidden\n" };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        make_file("orchard.dsn", wrong[i], 0600);
        const struct preflight *out = ask(state, &check, preflight_database, E_OK);
        assert_results(out, "-");
        assert_null(strstr(out->items[0].text, "hidden"));
    }
}

/* --- settings */

static struct check_text primary[] = { { "primary" }, { "only" } };

static const struct {
    const char *file; /* NULL: none */
    bool is_present, is_absent;
    size_t n_equals, n_unequal;
    const char *results;
} settings[] = {
    { "[s]\nrole=primary\n", false, false, 2, 0, "" },
    { "[s]\nrole=only\n", false, false, 2, 0, "" },
    { "[s]\nrole=only\n", false, false, 1, 0, "UpgradeNotSupportedRole" },
    { "[s]\nrole=Primary\n", false, false, 2, 0, "UpgradeNotSupportedRole" },
    { "[s]\nx=1\n", false, false, 2, 0, "UpgradeNotSupportedRole" },
    { NULL, false, false, 2, 0, "UpgradeNotSupportedRole" },
    { "[s]\nrole=primary\n", false, false, 0, 2, "UpgradeNotSupportedRole" },
    { "[s]\nrole=other\n", false, false, 0, 2, "" },
    { NULL, false, false, 0, 2, "" },
    { "[s]\nrole=\n", true, false, 0, 0, "" },
    { "[s]\nx=1\n", true, false, 0, 0, "UpgradeNotSupportedRole" },
    { "[s]\nx=1\n", false, true, 0, 0, "" },
    { NULL, false, true, 0, 0, "" },
    { "[s]\nrole=\n", false, true, 0, 0, "UpgradeNotSupportedRole" },
    { "[s]\nrole=a\nrole=b\n", false, true, 0, 0, "-" },
    { "[s]\nrole=a ; b\n", true, false, 0, 0, "-" },
};

static void settings_are_held_against_what_is_asked(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        struct product_check check = { .kind = CHECK_SETTING, .result = "UpgradeNotSupportedRole" };
        struct check_setting *s = &check.of.setting;
        s->place =
            (struct product_setting){ .file = "p.ini", .format = SETTING_INI, .key = "s/role" };
        s->is_present = settings[i].is_present;
        s->is_absent = settings[i].is_absent;
        s->equals.items = s->unequal.items = primary;
        s->equals.n = settings[i].n_equals;
        s->unequal.n = settings[i].n_unequal;
        (void)unlink("p.ini");
        if (settings[i].file != NULL)
            make_file("p.ini", settings[i].file, 0644);
        assert_results(ask(state, &check, preflight_setting, E_OK), settings[i].results);
    }
}

static void a_setting_of_the_registry_is_not_known_here(void **state)
{
    struct product_check check = { .kind = CHECK_SETTING, .result = "UpgradeNotSupportedRole" };
    check.of.setting.place =
        (struct product_setting){ .format = -1, .registry = "HKLM\\x", .value = "y" };
    check.of.setting.is_absent = true;
    assert_results(ask(state, &check, preflight_setting, E_OK), "-");
}

static const struct {
    const char *there; /* NULL: no value */
    bool is_binary;
    enum errc get;
    bool is_present, is_absent;
    size_t n_equals, n_unequal;
    const char *results;
} of_registry[] = {
    { "primary", false, E_OK, false, false, 2, 0, "" },
    { "only", false, E_OK, false, false, 1, 0, "UpgradeNotSupportedRole" },
    { NULL, false, E_OK, false, false, 2, 0, "UpgradeNotSupportedRole" },
    { NULL, false, E_OK, false, false, 0, 2, "" },
    { "primary", false, E_OK, false, false, 0, 2, "UpgradeNotSupportedRole" },
    { "", false, E_OK, true, false, 0, 0, "" },
    { NULL, false, E_OK, true, false, 0, 0, "UpgradeNotSupportedRole" },
    { NULL, false, E_OK, false, true, 0, 0, "" },
    { "0", false, E_OK, false, true, 0, 0, "UpgradeNotSupportedRole" },
    { "x", true, E_OK, false, true, 0, 0, "-" },
    { "x", true, E_OK, true, false, 0, 0, "-" },
    { NULL, false, E_ACCESS, false, true, 0, 0, "-" },
    { NULL, false, E_UNSUPPORTED, false, true, 0, 0, "-" },
};

static void a_setting_of_the_registry_is_held_against_what_is_asked(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(of_registry); i++) {
        struct product_check check = { .kind = CHECK_SETTING, .result = "UpgradeNotSupportedRole" };
        struct check_setting *s = &check.of.setting;
        struct platform *machine = told_begin();
        s->place = (struct product_setting){ .format = -1, .registry = "HKLM\\x", .value = "role" };
        s->is_present = of_registry[i].is_present;
        s->is_absent = of_registry[i].is_absent;
        s->equals.items = s->unequal.items = primary;
        s->equals.n = of_registry[i].n_equals;
        s->unequal.n = of_registry[i].n_unequal;
        told_machine.get = of_registry[i].get;
        if (of_registry[i].there != NULL)
            told_put("HKLM\\x", "role", of_registry[i].there)->is_binary = of_registry[i].is_binary;
        const struct preflight *out = ask_on(machine, state, &check, preflight_setting, E_OK);
        assert_results(out, of_registry[i].results);
        if (out->n > 0) { /* it names the place, and not what is there */
            assert_non_null(strstr(out->items[0].text, "HKLM\\x"));
            assert_non_null(strstr(out->items[0].text, "role"));
            assert_null(strstr(out->items[0].text, "primary"));
        }
        assert_int_equal(told_machine.n_written, 0);
    }
}

/* --- mutexes and groups by SID */

static const struct {
    bool is_so;
    enum errc asked;
    const char *lock, *group;
} answers[] = {
    { true, E_OK, "UpgradeAbortedBusy", "" },
    { false, E_OK, "", "UpgradeAbortedGroup" },
    { false, E_ACCESS, "-", "-" },
    { true, E_UNSUPPORTED, "-", "-" },
    { true, E_ARGUMENT, "-", "-" },
};

static void mutexes_and_identifiers_are_asked(void **state)
{
    struct product_check lock = { .kind = CHECK_LOCK, .result = "UpgradeAbortedBusy" };
    struct product_check group = { .kind = CHECK_GROUP, .result = "UpgradeAbortedGroup" };
    lock.of.lock.mutex = "Global\\Orchard";
    group.of.group.sid = "S-1-5-32-544";
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct platform *machine = told_begin();
        told_machine.is_held = told_machine.exists = answers[i].is_so;
        told_machine.asked = answers[i].asked;
        const struct preflight *out = ask_on(machine, state, &lock, preflight_lock, E_OK);
        assert_results(out, answers[i].lock);
        assert_string_equal(told_machine.mutex, "Global\\Orchard");
        if (answers[i].is_so && answers[i].asked == E_OK)
            assert_string_equal(out->items[0].text, "Global\\Orchard is held: work is in progress");
        out = ask_on(machine, state, &group, preflight_group, E_OK);
        assert_results(out, answers[i].group);
        assert_string_equal(told_machine.sid, "S-1-5-32-544");
        if (!answers[i].is_so && answers[i].asked == E_OK)
            assert_string_equal(out->items[0].text, "group S-1-5-32-544 can't be found");
    }
    struct platform *machine = told_begin();
    told_machine.asked = E_NOMEM;
    assert_int_equal(ask_on(machine, state, &lock, preflight_lock, E_NOMEM)->n, 0);
    assert_int_equal(ask_on(machine, state, &group, preflight_group, E_NOMEM)->n, 0);
}

static void what_this_machine_has_not_is_not_known(void **state)
{
    struct product_check lock = { .kind = CHECK_LOCK, .result = "UpgradeAbortedBusy" };
    struct product_check group = { .kind = CHECK_GROUP, .result = "UpgradeAbortedGroup" };
    lock.of.lock.mutex = "Global\\Orchard";
    group.of.group.sid = "S-1-5-32-544";
    assert_results(ask(state, &lock, preflight_lock, E_OK), "-");
    assert_results(ask(state, &group, preflight_group, E_OK), "-");
}

#define MACHINE(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MACHINE(each_answer_has_its_result),
        MACHINE(what_is_not_demanded_is_not_asked),
        MACHINE(memory_is_an_error_and_no_finding),
        MACHINE(a_connection_comes_by_a_file_of_one_line),
        MACHINE(settings_are_held_against_what_is_asked),
        MACHINE(a_setting_of_the_registry_is_not_known_here),
        MACHINE(a_setting_of_the_registry_is_held_against_what_is_asked),
        MACHINE(mutexes_and_identifiers_are_asked),
        MACHINE(what_this_machine_has_not_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
