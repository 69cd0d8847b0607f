#include "installer/core/preflight_private.h"
#include "installer/core/setting.h"
enum errc setting_get(const struct setup *s, const struct product_setting *x, char out[SETTING_VALUE_MAX + 1], bool *f, struct err *err)
{ (void)s; (void)x; (void)out; (void)f; return err_set(err, E_UNSUPPORTED, "stub"); }
enum errc setting_set(const struct setup *s, const struct product_setting *x, const char *v, struct err *err)
{ (void)s; (void)x; (void)v; return err_set(err, E_UNSUPPORTED, "stub"); }
enum errc preflight_database(const struct preflight_row_ask *row, struct err *err)
{ (void)row; return err_set(err, E_UNSUPPORTED, "stub"); }
enum errc preflight_setting(const struct preflight_row_ask *row, struct err *err)
{ (void)row; return err_set(err, E_UNSUPPORTED, "stub"); }
