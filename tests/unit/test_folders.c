/* The configuration folder as `surefoot prepare` makes it, on a real file system. */

#include "machine_kit.h"

#include "installer/core/folders.h"

static struct platform machine;
static struct host_ops host;
static char config[300];
static size_t n_made, n_there;

static enum errc say_config(void *self, char *to, size_t room, struct err *err)
{
    UNUSED(self);
    UNUSED(err);
    (void)text_copy(to, room, config);
    return E_OK;
}

static enum errc note(void *ctx, const char *path, bool is_made, struct err *err)
{
    UNUSED(ctx);
    UNUSED(path);
    UNUSED(err);
    ++*(is_made ? &n_made : &n_there);
    return E_OK;
}

static enum errc prepare(void **state)
{
    machine = *platform_native();
    host = *machine.host;
    host.config_folder = say_config;
    machine.host = &host;
    (void)snprintf(config, sizeof(config), "%s/surefoot", (const char *)*state);
    n_made = n_there = 0;
    return folders_prepare(&machine, note, NULL, &why);
}

static void folders_are_made_once_for_all_to_read(void **state)
{
    static const char *const all[] = { "surefoot", "surefoot/products.d", "surefoot/anchors.d",
                                       "surefoot/keys" };
    IS(E_OK, prepare(state));
    assert_int_equal(n_made, ARRAY_LEN(all));
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_int_equal(info_of(all[i]).kind, FS_FOLDER);
        assert_int_equal(info_of(all[i]).mode & 07777, 0755);
    }
    assert_int_equal(rmdir("surefoot/keys"), 0);
    IS(E_OK, prepare(state));
    assert_int_equal(n_made, 1);
    assert_int_equal(n_there, ARRAY_LEN(all) - 1);
}

static void what_others_can_change_is_refused_and_named(void **state)
{
    make_folder("surefoot", 0755);
    make_folder("surefoot/products.d", 0777);
    IS(E_ACCESS, prepare(state));
    SAYS("surefoot/products.d: ");
    SAYS("only an administrator");
    assert_int_equal(n_there, 1);
    assert_int_equal(info_of("surefoot/anchors.d").kind, FS_ABSENT);
}

static void what_is_no_folder_is_said(void **state)
{
    make_file("surefoot", "a file", 0644);
    IS(E_EXISTS, prepare(state));
    SAYS("is no folder");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(folders_are_made_once_for_all_to_read),
        IN_FOLDER(what_others_can_change_is_refused_and_named),
        IN_FOLDER(what_is_no_folder_is_said),
    };
    return cmocka_run_group_tests_name("folders", tests, NULL, NULL);
}
