#include "manifest/product.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_command(const struct product_command *c)
{
    must(c->args.n <= COMMAND_ARGS_MAX && c->timeout_s >= 1 && c->timeout_s <= 86400);
    must(strpbrk(c->args.items[0].text, "/\\") != NULL);
    for (size_t i = 0; i < c->args.n; i++)
        must(c->args.items[i].text[0] != '\0');
}

/* All of them, or none. */
static void check_commands(const struct product_command *const *commands, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        must((commands[i]->args.n > 0) == (commands[0]->args.n > 0));
        if (commands[i]->args.n > 0)
            check_command(commands[i]);
    }
}

static void check_setting(const struct product_setting *s)
{
    must((s->file != NULL) != (s->registry != NULL));
    must((s->file != NULL) == (s->key != NULL && s->format >= SETTING_INI));
    must((s->registry != NULL) == (s->value != NULL));
}

static void check_signer(const struct trust_signer *s)
{
    must(s->publishers.n + s->pins.n > 0);
    must((s->revocation != TRUST_REVOCATION_CRL) || s->crls.n > 0);
    must((s->revocation != TRUST_REVOCATION_OFF) || s->crls.n == 0);
    must(s->allowed >> (TRUST_ALLOW_CHECKSUM_MISMATCH + 1) == 0);
}

static void check_trust(const struct product *p)
{
    const struct product_trust *t = &p->trust;
    must(t->feed_minisign.keys.n + t->feed_cms.n > 0);
    must(t->minisign.keys.n > 0 || t->has_cms || t->has_authenticode);
    must(p->install.kind == PAYLOAD_MSI || !t->has_authenticode);
    for (size_t i = 0; i < t->feed_cms.n; i++)
        check_signer(&t->feed_cms.items[i]);
    if (t->has_cms)
        check_signer(&t->cms);
    if (t->has_authenticode)
        check_signer(&t->authenticode);
}

static void check_of_kind(const struct product *p, const struct product_check *c)
{
    switch ((enum check_kind)c->kind) {
    case CHECK_PROCESS:
        must((c->of.process.name != NULL) != (c->of.process.path != NULL));
        must((c->of.process.action == PROCESS_TERMINATE) == (c->of.process.terminate_after_s > 0));
        break;
    case CHECK_DATABASE:
        must((c->of.database.connection != NULL) != (c->of.database.connection_file != NULL));
        must(result_check_named(c->of.database.kind_result, NULL) == E_OK);
        must(result_check_named(c->of.database.size_result, NULL) == E_OK);
        break;
    case CHECK_GROUP: must((c->of.group.name != NULL) != (c->of.group.sid != NULL)); break;
    case CHECK_LOCK: must((c->of.lock.file != NULL) != (c->of.lock.mutex != NULL)); break;
    case CHECK_SCHEDULE: must(p->scheduler.is_there); break;
    case CHECK_SETTING: check_setting(&c->of.setting.place); break;
    case CHECK_OS: must(c->of.os.is.n > 0); break;
    case CHECK_COMMAND: check_command(&c->of.command.command); break;
    case CHECK_SERVICE: must(c->of.service.name != NULL); break;
    case CHECK_DISK: break;
    }
}

static void check_checks(const struct product *p, const struct check_list *list)
{
    for (size_t i = 0; i < list->checks.n; i++) {
        const struct product_check *c = &list->checks.items[i];
        must(result_check_named(c->result, NULL) == E_OK);
        must(product_checks_phase((enum check_kind)c->kind, c->result) != RESULT_PHASE_NONE);
        check_of_kind(p, c);
    }
}

static void check_running(const struct product *p)
{
    must(p->services.items.n + p->health.http.n + p->health.commands.n > 0);
    for (size_t i = 0; i < p->services.items.n; i++) {
        const struct product_service *s = &p->services.items.items[i];
        check_commands((const struct product_command *[]){ &s->start, &s->stop, &s->status }, 3);
    }
    const struct product_scheduler *s = &p->scheduler;
    check_commands((const struct product_command *[]){ &s->status, &s->suspend, &s->resume }, 3);
    if (s->is_there && s->status.args.n == 0)
        check_setting(&s->setting);
    for (size_t i = 0; i < p->health.commands.n; i++)
        check_command(&p->health.commands.items[i]);
}

static void check_files(const struct product *p)
{
    for (size_t i = 0; i < p->files.data.n; i++) {
        const struct files_data *d = &p->files.data.items[i];
        must((d->path != NULL) != (d->folder != NULL));
        must((d->protect == DATA_COMMAND) == (d->backup.args.n > 0));
        check_commands((const struct product_command *[]){ &d->backup, &d->restore }, 2);
    }
}

static void check_policy(const struct product_policy *p)
{
    must(p->keep >= 1 && p->interval_s >= 60 && p->retry_aborted_s >= 60);
    must(p->default_state.is_enabled || p->default_state.conditions.checks.n == 0);
    for (size_t i = 0; i < p->windows.n; i++) {
        const struct policy_window *w = &p->windows.items[i];
        must(w->days != 0 && w->days < 1U << (SUNDAY + 1) && w->from_min != w->to_min);
        must(w->from_min >= 0 && w->from_min < 1440 && w->to_min >= 0 && w->to_min <= 1440);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct product p;
    struct result r;
    struct err err;
    if (result_read(span_of(data, size), &r, &err) == E_OK)
        must(r.base.len + r.detail.len + (r.detail.len > 0) == size);
    if (product_read(span_of(data, size), &p, &err) != E_OK)
        return 0;
    must(p.name != NULL && p.title != NULL && p.event_source != NULL && p.fetch.feeds.n > 0);
    must((p.install.kind == PAYLOAD_MSI) == (p.install.upgrade_code != NULL));
    check_trust(&p);
    check_running(&p);
    check_checks(&p, &p.checks);
    check_checks(&p, &p.policy.default_state.conditions);
    check_files(&p);
    check_policy(&p.policy);
    product_fini(&p);
    return 0;
}
