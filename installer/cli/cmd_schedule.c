/* schedule install|remove|show: where the machine has a Task Scheduler, by its tasks
 * (schedule_tasks.c); elsewhere units are written where systemd looks for an administrator's, and
 * systemctl is asked to take them up. */

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "installer/cli/json_parts.h"
#include "installer/cli/product_cmd.h"
#include "installer/cli/schedule_cmd.h"
#include "installer/core/decide.h"
#include "installer/core/memory.h"
#include "installer/core/place.h"
#include "installer/core/schedule.h"
#include "manifest/value.h"
#include "platform/base/text.h"

void schedule_say(const struct schedule *s, const char *fmt, ...)
{
    va_list args;
    if (s->c->as_json)
        return;
    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
}

/* --- what to write, and where */

static enum errc own_minute(const struct setup *setup, unsigned *out, struct err *err)
{
    struct memory memory;
    char machine[MEMORY_MACHINE_ROOM];
    struct version none = { .text = "0" };
    enum errc rc = memory_open(setup, false, &memory, err);
    if (rc == E_OK)
        rc = memory_machine(&memory, machine, err);
    if (rc == E_OK)
        *out = (unsigned)decide_share(machine, setup->product.name, &none, "minute", 60);
    return rc;
}

static enum errc unit_folder(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    char config[SETUP_PATH_ROOM];
    if (s->c->setup.is_elevated) {
        text_copy(s->folder, sizeof(s->folder), "/etc/systemd/system");
        return E_OK;
    }
    /* An ordinary user's units are beside our own configuration: ~/.config/systemd/user. */
    enum errc rc = p->host->usual_folder(p->self, HOST_CONFIG, config, sizeof(config), err);
    if (rc == E_OK)
        setup_parent(config, s->folder);
    if (rc == E_OK)
        rc = setup_join(s->folder, "systemd/user", config, err);
    if (rc == E_OK)
        text_copy(s->folder, sizeof(s->folder), config);
    return rc;
}

static enum errc prepare(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    const struct setup *setup = &s->c->setup;
    const bool is_name = value_check_name(span_text(s->c->word), err) == E_OK &&
                         strchr(s->c->word, '/') == NULL && strstr(s->c->word, ".xml") == NULL;
    text_copy(s->product, sizeof(s->product), is_name ? s->c->word : setup->path);
    setup_parent(setup->install, s->home);
    s->ask = (struct schedule_ask){
        .setup = setup, .program = s->program, .product = s->product, .store_home = s->home
    };
    enum errc rc = p->proc->own_program(p->self, s->program, sizeof(s->program), err);
    if (rc == E_OK)
        place_name_by_pointer(p, s->program);
    if (rc == E_OK)
        rc = own_minute(setup, &s->ask.minute, err);
    if (rc == E_OK)
        rc = schedule_tasks_prepare(s, err);
    return rc == E_OK && !s->by_tasks ? unit_folder(s, err) : rc;
}

static enum errc unit_path(const struct schedule *s, enum schedule_part part,
                           char to[SETUP_PATH_ROOM], struct err *err)
{
    char name[SCHEDULE_NAME_ROOM];
    return setup_join(s->folder, schedule_unit_name(&s->c->setup, part, name), to, err);
}

/* --- systemctl, where it is */

static bool ask_systemctl(const struct schedule *s, const char *const *words)
{
    static const char *const places[] = { "/usr/bin/systemctl", "/bin/systemctl" };
    struct platform *p = s->c->cli->platform;
    const char *argv[12];
    struct proc_result result;
    struct err ignored;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        enum fs_kind kind = FS_ABSENT;
        size_t n = 0;
        if (p->fs->kind(p->self, places[i], &kind, &ignored) != E_OK || kind != FS_FILE)
            continue;
        argv[n++] = places[i];
        if (!s->c->setup.is_elevated)
            argv[n++] = "--user";
        for (; *words != NULL && n < ARRAY_LEN(argv) - 1; words++)
            argv[n++] = *words;
        argv[n] = NULL;
        struct proc_command command = { .argv = argv, .timeout_ms = 60000, .grace_ms = 1000 };
        if (p->proc->run(p->self, &command, &result, &ignored) != E_OK)
            return false;
        buf_fini(&result.output);
        return result.end == PROC_EXITED && result.code == 0;
    }
    return false;
}

/* --- the three verbs */

static enum errc write_units(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    enum errc rc = setup_make_folders(p, s->folder, false, err);
    for (int part = 0; part < SCHEDULE_PARTS && rc == E_OK; part++) {
        char path[SETUP_PATH_ROOM];
        struct buf text;
        buf_init(&text, SCHEDULE_TEXT_MAX);
        rc = unit_path(s, (enum schedule_part)part, path, err);
        if (rc == E_OK)
            rc = schedule_write(&s->ask, (enum schedule_part)part, &text, err);
        if (rc == E_OK && platform_write_file(p, path, buf_span(&text), 0, err) != E_OK)
            rc = err_prefix(err, "%.160s: ", path);
        if (rc == E_OK && p->fs->set_mode(p->self, path, 0644, err) != E_OK)
            rc = err_prefix(err, "%.160s: ", path);
        if (rc == E_OK && !s->c->quiet)
            schedule_say(s, "  wrote %s\n", path);
        buf_fini(&text);
    }
    return rc;
}

static enum errc install(struct schedule *s, struct err *err)
{
    char timer[SCHEDULE_NAME_ROOM], recover[SCHEDULE_NAME_ROOM];
    const char *const reload[] = { "daemon-reload", NULL };
    const char *const enable[] = { "enable",
                                   schedule_unit_name(&s->c->setup, SCHEDULE_RECOVER, recover),
                                   schedule_unit_name(&s->c->setup, SCHEDULE_TIMER, timer), NULL };
    const char *const start[] = { "start", timer, NULL };
    enum errc rc = write_units(s, err);
    if (rc != E_OK)
        return rc;
    const bool is_enabled = ask_systemctl(s, enable);
    s->was_asked = true;
    s->is_taken_up = is_enabled && ask_systemctl(s, reload) && ask_systemctl(s, start);
    const char *name = s->c->setup.product.name;
    if (s->is_taken_up)
        schedule_say(s, "%s: looked after from now on (%s)\n", name, timer);
    else if (is_enabled)
        schedule_say(s,
                     "%s: looked after from the next start of systemd on; it does not answer now\n",
                     name);
    else
        schedule_say(s,
                     "%s: the units are written; systemd is not here to take them up. When it is:\n"
                     "  systemctl daemon-reload\n  systemctl enable --now %s\n  systemctl enable "
                     "%s\nor use the lines for cron that `surefoot schedule show` prints.\n",
                     name, timer, recover);
    return E_OK;
}

static enum errc remove_units(struct schedule *s, struct err *err)
{
    struct platform *p = s->c->cli->platform;
    char timer[SCHEDULE_NAME_ROOM], recover[SCHEDULE_NAME_ROOM];
    const char *const disable[] = { "disable", "--now",
                                    schedule_unit_name(&s->c->setup, SCHEDULE_TIMER, timer),
                                    schedule_unit_name(&s->c->setup, SCHEDULE_RECOVER, recover),
                                    NULL };
    const char *const reload[] = { "daemon-reload", NULL };
    size_t n = 0;
    (void)ask_systemctl(s, disable);
    for (int part = 0; part < SCHEDULE_PARTS; part++) {
        char path[SETUP_PATH_ROOM];
        enum errc rc = unit_path(s, (enum schedule_part)part, path, err);
        if (rc == E_OK)
            rc = p->fs->remove(p->self, path, err);
        if (rc != E_OK && rc != E_ABSENT)
            return err_prefix(err, "%.160s: ", path);
        n += rc == E_OK;
    }
    (void)ask_systemctl(s, reload);
    schedule_say(s, "%s: %s\n", s->c->setup.product.name,
                 n > 0 ? "looked after no more" : "nothing was scheduled");
    return E_OK;
}

/* --- reports */

/* A line is a unit, or at the end of what is shown the table for cron. */
enum errc schedule_add_line(const struct schedule *s, const char *kind, const char *path,
                            bool is_installed, const struct buf *text, struct buf *page,
                            struct err *err)
{
    json_t *words = text == NULL ? json_null() : json_stringn((const char *)text->ptr, text->len);
    json_t *taken = !s->was_asked || path == NULL ? json_null() : json_boolean(s->is_taken_up);
    return json_add_line(json_pack("{s:s, s:s, s:s, s:s?, s:o, s:o, s:o}", "schema",
                                   "surefoot.schedule/1", "product", s->c->setup.product.name,
                                   "kind", kind, "path", path, "installed",
                                   path == NULL ? json_null() : json_boolean(is_installed),
                                   "taken_up", taken, "text", words),
                         page, err);
}

static enum errc add_unit_line(const struct schedule *s, enum schedule_part part, bool with_text,
                               struct buf *page, struct err *err)
{
    static const char *const kinds[SCHEDULE_PARTS] = {
        [SCHEDULE_SERVICE] = "service", [SCHEDULE_TIMER] = "timer", [SCHEDULE_RECOVER] = "recover"
    };
    struct platform *p = s->c->cli->platform;
    char path[SETUP_PATH_ROOM];
    enum fs_kind kind = FS_ABSENT;
    struct buf text;
    buf_init(&text, SCHEDULE_TEXT_MAX);
    enum errc rc = unit_path(s, part, path, err);
    if (rc == E_OK)
        rc = p->fs->kind(p->self, path, &kind, err);
    if (rc == E_OK)
        rc = schedule_write(&s->ask, part, &text, err);
    if (rc == E_OK)
        rc = schedule_add_line(s, kinds[part], path, kind != FS_ABSENT, with_text ? &text : NULL,
                               page, err);
    buf_fini(&text);
    return rc;
}

static enum errc report_units(const struct schedule *s, bool is_shown, struct err *err)
{
    struct buf page, cron;
    buf_init(&page, 8 * SCHEDULE_TEXT_MAX);
    buf_init(&cron, SCHEDULE_TEXT_MAX);
    enum errc rc = E_OK;
    for (int part = 0; part < SCHEDULE_PARTS && rc == E_OK; part++)
        rc = add_unit_line(s, (enum schedule_part)part, is_shown, &page, err);
    if (rc == E_OK && is_shown)
        rc = schedule_write_cron(&s->ask, &cron, err);
    if (rc == E_OK && is_shown)
        rc = schedule_add_line(s, "cron", NULL, false, &cron, &page, err);
    if (rc == E_OK)
        rc = cli_write(&page, err);
    buf_fini(&cron);
    buf_fini(&page);
    return rc;
}

static enum errc show(struct schedule *s, struct err *err)
{
    if (s->c->as_json)
        return E_OK;
    struct platform *p = s->c->cli->platform;
    struct buf page;
    buf_init(&page, 4 * SCHEDULE_TEXT_MAX);
    enum errc rc = E_OK;
    for (int part = 0; part < SCHEDULE_PARTS && rc == E_OK; part++) {
        char path[SETUP_PATH_ROOM];
        enum fs_kind kind = FS_ABSENT;
        rc = unit_path(s, (enum schedule_part)part, path, err);
        if (rc == E_OK)
            rc = p->fs->kind(p->self, path, &kind, err);
        if (rc == E_OK)
            rc = buf_printf(&page, err, "# %s%s\n", path,
                            kind == FS_ABSENT ? " (not installed)" : "");
        if (rc == E_OK)
            rc = schedule_write(&s->ask, (enum schedule_part)part, &page, err);
        if (rc == E_OK)
            rc = buf_add_byte(&page, '\n', err);
    }
    if (rc == E_OK)
        rc = buf_add_text(&page, "# without systemd, for crontab -e\n", err);
    if (rc == E_OK)
        rc = schedule_write_cron(&s->ask, &page, err);
    if (rc == E_OK)
        rc = cli_write(&page, err);
    buf_fini(&page);
    return rc;
}

enum exit_code cmd_schedule(struct cli *cli, int argc, char **argv)
{
    static const struct product_cmd_help help = {
        "schedule install|remove|show PRODUCT",
        "Writes the systemd timer that calls `surefoot run`, and a unit that recovers at boot\n"
        "before the product's services and after an abnormal end; takes them away; or shows them,\n"
        "with lines for cron. On Windows: tasks of the Task Scheduler, \\Surefoot\\PRODUCT and\n"
        "\\Surefoot\\PRODUCT recover.\n",
        0
    };
    static const struct {
        const char *word;
        enum errc (*go)(struct schedule *s, struct err *err);
    } units[] = { { "install", install }, { "remove", remove_units }, { "show", show } },
      tasks[] = { { "install", schedule_tasks_install },
                  { "remove", schedule_tasks_remove },
                  { "show", schedule_tasks_show } };
    struct product_cmd c;
    struct err err = { .code = E_OK };
    enum exit_code code;
    size_t verb = ARRAY_LEN(units);
    for (size_t i = 0; i < ARRAY_LEN(units) && argc > 0; i++)
        if (strcmp(argv[0], units[i].word) == 0)
            verb = i;
    const bool has_verb = verb < ARRAY_LEN(units);
    if (!has_verb && !(argc > 0 && argv[0][0] == '-')) {
        (void)err_set(&err, E_ARGUMENT, "say install, remove or show, and the PRODUCT");
        return cli_fail(cli, &err);
    }
    if (!product_cmd_open(&c, cli, &help, argc - has_verb, argv + has_verb, &code))
        return code;
    struct schedule s = { .c = &c };
    enum errc rc = has_verb ? prepare(&s, &err)
                            : err_set(&err, E_ARGUMENT, "say install, remove or show first");
    if (rc == E_OK)
        rc = (s.by_tasks ? tasks : units)[verb].go(&s, &err);
    if (rc == E_OK && c.as_json)
        rc = (s.by_tasks ? schedule_tasks_report
                         : report_units)(&s, strcmp(units[verb].word, "show") == 0, &err);
    code = rc == E_OK ? EXIT_DONE : cli_fail(cli, &err);
    product_cmd_close(&c);
    return code;
}
