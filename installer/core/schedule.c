#include "installer/core/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *schedule_unit_name(const struct setup *setup, enum schedule_part part,
                               char to[SCHEDULE_NAME_ROOM])
{
    static const char *const ends[SCHEDULE_PARTS] = {
        [SCHEDULE_SERVICE] = ".service",
        [SCHEDULE_TIMER] = ".timer",
        [SCHEDULE_RECOVER] = "-recover.service",
    };
    (void)snprintf(to, SCHEDULE_NAME_ROOM, "surefoot-%s%s", setup->product.name, ends[part]);
    return to;
}

/* --- words of a unit */

static enum errc check_word(const char *word, struct err *err)
{
    for (const char *c = word; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return err_set(err, E_ARGUMENT, "a path with a control character can't be in a unit");
    return E_OK;
}

/* systemd.service(5), "Command lines": quoted, with % and $ doubled. */
static enum errc add_word(struct buf *out, const char *word, bool is_command, struct err *err)
{
    enum errc rc = check_word(word, err);
    if (rc == E_OK)
        rc = buf_add_byte(out, '"', err);
    for (const char *c = word; *c != '\0' && rc == E_OK; c++) {
        if (*c == '"' || *c == '\\')
            rc = buf_add_byte(out, '\\', err);
        else if (*c == '%' || (*c == '$' && is_command))
            rc = buf_add_byte(out, (uint8_t)*c, err);
        if (rc == E_OK)
            rc = buf_add_byte(out, (uint8_t)*c, err);
    }
    return rc == E_OK ? buf_add_byte(out, '"', err) : rc;
}

static enum errc add_command(const struct schedule_ask *ask, const char *verb, struct buf *out,
                             struct err *err)
{
    enum errc rc = buf_add_text(out, "ExecStart=", err);
    if (rc == E_OK)
        rc = add_word(out, ask->program, true, err);
    if (rc == E_OK)
        rc = buf_printf(out, err, " %s ", verb);
    if (rc == E_OK)
        rc = add_word(out, ask->product, true, err);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

/* --- how far a unit can be confined */

static bool is_run_by_commands(const struct product *p)
{
    for (size_t i = 0; i < p->services.items.n; i++)
        if (p->services.items.items[i].start.args.n > 0)
            return true;
    return false;
}

static enum errc add_writable(const char *path, struct buf *out, struct err *err)
{
    enum errc rc = buf_add_text(out, "ReadWritePaths=-", err);
    if (rc == E_OK)
        rc = add_word(out, path, false, err);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

/* The folder that holds it, since a snapshot lies beside the data. */
static enum errc add_data(const struct setup *setup, const struct files_data *d, struct buf *out,
                          struct err *err)
{
    char path[SETUP_PATH_ROOM];
    if (d->folder == NULL || d->protect != DATA_SNAPSHOT)
        return E_OK;
    enum errc rc = setup_resolve(setup, d->folder, path, err);
    if (rc == E_OK)
        os_path_cut_name(path);
    return rc == E_OK ? add_writable(path, out, err) : rc;
}

static enum errc add_confinement(const struct schedule_ask *ask, struct buf *out, struct err *err)
{
    const struct product *p = &ask->setup->product;
    if (is_run_by_commands(p))
        return buf_add_text(out,
                            "# The product's own commands start its services, which live on after "
                            "this unit:\n# they are neither confined nor ended with it.\n"
                            "KillMode=process\n",
                            err);
    enum errc rc = buf_add_text(out,
                                "NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=read-only\n"
                                "ProtectKernelTunables=yes\nProtectKernelModules=yes\n"
                                "ProtectControlGroups=yes\nProtectClock=yes\n"
                                "RestrictSUIDSGID=yes\nRestrictRealtime=yes\n"
                                "LockPersonality=yes\nSystemCallArchitectures=native\n"
                                "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\n",
                                err);
    if (rc == E_OK)
        rc = add_writable(ask->store_home, out, err);
    if (rc == E_OK)
        rc = add_writable(ask->setup->state, out, err);
    if (rc == E_OK)
        rc = add_writable(ask->setup->cache, out, err);
    for (size_t k = 0; k < p->files.data.n && rc == E_OK; k++)
        rc = add_data(ask->setup, &p->files.data.items[k], out, err);
    return rc;
}

/* --- the units */

static enum errc write_service(const struct schedule_ask *ask, struct buf *out, struct err *err)
{
    char recover[SCHEDULE_NAME_ROOM];
    enum errc rc = buf_printf(
        out, err,
        "# Written by surefoot schedule; see surefoot(1).\n[Unit]\n"
        "Description=Unattended upgrade of %s\nDocumentation=man:surefoot(1)\n"
        "Wants=network-online.target\nAfter=network-online.target\nOnFailure=%s\n\n"
        "[Service]\nType=oneshot\nTimeoutStartSec=infinity\nUMask=0077\n",
        ask->setup->product.title, schedule_unit_name(ask->setup, SCHEDULE_RECOVER, recover));
    if (rc == E_OK)
        rc = add_command(ask, "run", out, err);
    return rc == E_OK ? add_confinement(ask, out, err) : rc;
}

static enum errc write_timer(const struct schedule_ask *ask, struct buf *out, struct err *err)
{
    const int64_t every_s = ask->setup->product.policy.interval_s;
    return buf_printf(out, err,
                      "# Written by surefoot schedule; see surefoot(1).\n[Unit]\n"
                      "Description=When %s is looked after\nDocumentation=man:surefoot(1)\n\n"
                      "[Timer]\nOnActiveSec=%" PRId64 "s\nOnBootSec=%" PRId64 "s\n"
                      "OnUnitActiveSec=%" PRId64 "s\nRandomizedDelaySec=%" PRId64 "s\n\n"
                      "[Install]\nWantedBy=timers.target\n",
                      ask->setup->product.title, every_s / 20 + 1, every_s / 12 + 60, every_s,
                      every_s / 10);
}

static enum errc add_before(const struct product *p, struct buf *out, struct err *err)
{
    enum errc rc = E_OK;
    for (size_t i = 0; i < p->services.items.n && rc == E_OK; i++) {
        const struct product_service *s = &p->services.items.items[i];
        if (s->start.args.n > 0 || strpbrk(s->name, " \t\n\"\\%") != NULL)
            continue;
        const bool has_suffix = strchr(s->name, '.') != NULL;
        rc = buf_printf(out, err, "Before=%s%s\n", s->name, has_suffix ? "" : ".service");
    }
    return rc;
}

static enum errc write_recover(const struct schedule_ask *ask, struct buf *out, struct err *err)
{
    enum errc rc = buf_printf(out, err,
                              "# Written by surefoot schedule; see surefoot(1).\n[Unit]\n"
                              "Description=Finish or undo an interrupted upgrade of %s\n"
                              "Documentation=man:surefoot(1)\nAfter=local-fs.target\n",
                              ask->setup->product.title);
    if (rc == E_OK)
        rc = add_before(&ask->setup->product, out, err);
    if (rc == E_OK)
        rc = buf_add_text(out, "\n[Service]\nType=oneshot\nTimeoutStartSec=infinity\nUMask=0077\n",
                          err);
    if (rc == E_OK)
        rc = add_command(ask, "recover", out, err);
    if (rc == E_OK)
        rc = add_confinement(ask, out, err);
    return rc == E_OK ? buf_add_text(out, "\n[Install]\nWantedBy=multi-user.target\n", err) : rc;
}

enum errc schedule_write(const struct schedule_ask *ask, enum schedule_part part, struct buf *out,
                         struct err *err)
{
    switch (part) {
    case SCHEDULE_SERVICE: return write_service(ask, out, err);
    case SCHEDULE_TIMER: return write_timer(ask, out, err);
    case SCHEDULE_RECOVER: return write_recover(ask, out, err);
    case SCHEDULE_PARTS: break;
    }
    return err_set(err, E_INTERNAL, "no such unit");
}

/* --- cron */

/* A shell reads the line: single quotes, and cron's own % behind a backslash. */
static enum errc add_shell_word(struct buf *out, const char *word, struct err *err)
{
    enum errc rc = check_word(word, err);
    if (rc == E_OK)
        rc = buf_add_byte(out, '\'', err);
    for (const char *c = word; *c != '\0' && rc == E_OK; c++) {
        if (*c == '\'')
            rc = buf_add_text(out, "'\\'", err);
        else if (*c == '%')
            rc = buf_add_byte(out, '\\', err);
        if (rc == E_OK)
            rc = buf_add_byte(out, (uint8_t)*c, err);
    }
    return rc == E_OK ? buf_add_byte(out, '\'', err) : rc;
}

static enum errc add_cron_line(const struct schedule_ask *ask, const char *when, const char *verb,
                               struct buf *out, struct err *err)
{
    enum errc rc = buf_printf(out, err, "%s ", when);
    if (rc == E_OK)
        rc = add_shell_word(out, ask->program, err);
    if (rc == E_OK)
        rc = buf_printf(out, err, " %s --quiet ", verb);
    if (rc == E_OK)
        rc = add_shell_word(out, ask->product, err);
    return rc == E_OK ? buf_add_byte(out, '\n', err) : rc;
}

enum errc schedule_write_cron(const struct schedule_ask *ask, struct buf *out, struct err *err)
{
    const int64_t hours = ask->setup->product.policy.interval_s / 3600;
    char when[40];
    if (hours >= 2 && hours < 24)
        (void)snprintf(when, sizeof(when), "%u */%d * * *", ask->minute % 60, (int)hours);
    else if (hours >= 24)
        (void)snprintf(when, sizeof(when), "%u 3 * * *", ask->minute % 60);
    else
        (void)snprintf(when, sizeof(when), "%u * * * *", ask->minute % 60);
    enum errc rc = add_cron_line(ask, when, "run", out, err);
    return rc == E_OK ? add_cron_line(ask, "@reboot", "recover", out, err) : rc;
}
