#include "installer/cli/exit_code.h"

#include <string.h>

#include "installer/core/upgrade.h"

static enum exit_code code_of_result(const struct upgrade_outcome *o, bool tells_newer)
{
    switch (outcome_class(o)) {
    case RESULT_CLASS_SUCCESS: return EXIT_DONE;
    case RESULT_CLASS_ABORTED: return EXIT_ABORTED;
    case RESULT_CLASS_NOT_SUPPORTED: return EXIT_NOT_SUPPORTED;
    case RESULT_CLASS_ROLLED_BACK: return EXIT_ROLLED_BACK;
    case RESULT_CLASS_ROLLBACK_FAILED: return EXIT_ROLLBACK_FAILED;
    case RESULT_CLASS_PRE_FAILURE:
        return strchr(o->result, '-') != NULL ? EXIT_REFUSED : EXIT_FAILED;
    case RESULT_CLASS_NONE: break;
    }
    if (o->needs_restart)
        return EXIT_RESTART_NEEDED;
    if (o->decision == DECISION_NOT_OFFERED || o->decision == DECISION_DOWNGRADE)
        return EXIT_FAILED;
    return tells_newer && o->newer_available ? EXIT_NEWER_AVAILABLE : EXIT_DONE;
}

enum exit_code exit_code_of(const struct upgrade_outcome *o, bool recovers, bool tells_newer)
{
    const enum exit_code code = code_of_result(o, tells_newer);
    const bool is_undone = code == EXIT_ABORTED &&
                           strcmp(o->result, result_name(RESULT_ALREADY_RUNNING)) != 0 &&
                           !o->is_stuck;
    const bool is_fine = code == EXIT_ROLLED_BACK || code == EXIT_FAILED || is_undone;
    return recovers && is_fine ? EXIT_DONE : code;
}
