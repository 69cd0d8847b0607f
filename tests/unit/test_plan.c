/* The steps of an upgrade, in their order. */

#include "installer/core/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct product_service services[] = { { .name = "first" }, { .name = "second" } };
static struct files_data data[] = { { .path = "data", .protect = DATA_SNAPSHOT },
                                    { .folder = "/srv/x", .protect = DATA_SNAPSHOT },
                                    { .path = "logs", .protect = DATA_NONE } };

static const struct {
    bool has_old, has_stage, scheduler_is_on;
    const char *steps; /* word and number, a space between */
} plans[] = {
    /* services stop in the other order than they start; data is kept after the stop, before all */
    { true, true, false,
      "stop1 stop0 protect0 protect1 refresh0 move0 move2 switch0 start0 start1 health0" },
    { true, true, true,
      "scheduler0 stop1 stop0 protect0 protect1 refresh0 move0 move2 switch0 start0 start1 "
      "health0" },
    { true, false, false, /* back to a kept tree: nothing was staged */
      "stop1 stop0 protect0 protect1 move0 move2 switch0 start0 start1 health0" },
    { false, true, false, "switch0 start0 start1 health0" }, /* the first of all */
};

static struct product orchard(void)
{
    struct product p = { .name = "orchard" };
    p.services.items.items = services;
    p.services.items.n = ARRAY_LEN(services);
    p.files.data.items = data;
    p.files.data.n = ARRAY_LEN(data);
    return p;
}

static void steps_come_in_their_order(void **state)
{
    struct product p = orchard();
    static struct plan plan;
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
        struct plan_ask ask = { .product = &p,
                                .has_old = plans[i].has_old,
                                .has_stage = plans[i].has_stage,
                                .scheduler_is_on = plans[i].scheduler_is_on };
        struct buf line;
        buf_init(&line, 1000);
        plan_make(&ask, &plan);
        for (size_t k = 0; k < plan.n; k++)
            assert_int_equal(buf_printf(&line, NULL, "%s%s%u", k == 0 ? "" : " ",
                                        plan_step_word(plan.steps[k].kind), plan.steps[k].i),
                             E_OK);
        if (!span_equal_text(buf_span(&line), plans[i].steps))
            fail_msg("plan %zu: %.*s", i, (int)line.len, (const char *)line.ptr);
        buf_fini(&line);
    }
}

/* The largest product file that there can be has room. */
static void no_step_is_left_out(void **state)
{
    static struct plan plan;
    static struct files_data many[500];
    static struct product_service all[64];
    struct product p = orchard();
    struct plan_ask ask = {
        .product = &p, .has_old = true, .has_stage = true, .scheduler_is_on = true
    };
    UNUSED(state);
    for (size_t k = 0; k < ARRAY_LEN(many); k++)
        many[k] = (struct files_data){ .path = "x", .protect = DATA_SNAPSHOT };
    p.files.data.items = many;
    p.files.data.n = ARRAY_LEN(many);
    p.services.items.items = all;
    p.services.items.n = ARRAY_LEN(all);
    plan_make(&ask, &plan);
    assert_int_equal(plan.n, 4 + 2 * ARRAY_LEN(many) + 2 * ARRAY_LEN(all));
}

static void words_are_read_back(void **state)
{
    enum step_kind kind;
    UNUSED(state);
    for (int i = 0; i < STEP_KINDS; i++) {
        assert_true(plan_step_kind(plan_step_word((enum step_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    assert_false(plan_step_kind("stop ", &kind));
    assert_false(plan_step_kind("", &kind));
    assert_false(plan_step_kind("committed", &kind));
}

static void every_step_has_a_sentence(void **state)
{
    struct product p = orchard();
    UNUSED(state);
    for (int i = 0; i < STEP_KINDS; i++) {
        struct plan_step step = { .kind = (enum step_kind)i, .i = 0 };
        struct buf line;
        buf_init(&line, 1000);
        assert_int_equal(plan_describe(&p, &step, &line, NULL), E_OK);
        assert_true(line.len > 5);
        buf_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_in_their_order),
        cmocka_unit_test(no_step_is_left_out),
        cmocka_unit_test(words_are_read_back),
        cmocka_unit_test(every_step_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
