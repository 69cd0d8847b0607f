#ifndef SUREFOOT_CORE_PREFLIGHT_PRIVATE_H
#define SUREFOOT_CORE_PREFLIGHT_PRIVATE_H

/* preflight_private.h: one check asks its part of the machine and adds what does not hold. Where a
 * check can't find out, that is a finding with an empty result; only E_NOMEM and what else is our
 * own is an error. */

#include "installer/core/preflight.h"

struct preflight_row_ask {
    const struct preflight_ask *ask;
    const struct product_check *check;
    struct preflight *out;
};
typedef enum errc (*preflight_row_fn)(const struct preflight_row_ask *row, struct err *err);

MUST_USE enum errc preflight_process(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_service(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_database(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_group(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_disk(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_lock(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_schedule(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_setting(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_os(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_command(const struct preflight_row_ask *row, struct err *err);

/* What is asked of every upgrade, whatever the product file says; row->check is NULL. */
MUST_USE enum errc preflight_own_services(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_room(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_tree(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_access(const struct preflight_row_ask *row, struct err *err);
/* Of an MSI alone: what Windows Installer must be good for, and whether it is free to begin. */
MUST_USE enum errc preflight_msi(const struct preflight_row_ask *row, struct err *err);
MUST_USE enum errc preflight_msi_idle(const struct preflight_row_ask *row, struct err *err);

/* preflight_add adds a finding; its place in the order is product_checks_phase's. A result that is
 * "" says that nothing could be found out. E_LIMIT where the table is full. */
MUST_USE enum errc preflight_add(struct preflight *out, enum check_kind kind, const char *result,
                                 const char *fmt, ...) PRINTF_FORMAT(4, 5);

/* preflight_unknown adds that a check could not find out, unless the error is our own. */
MUST_USE enum errc preflight_unknown(const struct preflight_row_ask *row, enum check_kind kind,
                                     enum errc rc, struct err *err);

#endif
