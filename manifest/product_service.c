#include "manifest/product_private.h"

#include <inttypes.h>
#include <string.h>

#define SERVICES_MAX 32
#define PROBES_MAX 32
#define DAY_S 86400

/* --- services */

static void begin_service(void *record)
{
    struct product_service *s = record;
    s->stop_timeout_s = 60;
    s->start_timeout_s = 120;
}

static enum errc check_service(void *record, struct err *err)
{
    const struct product_service *s = record;
    int n = (s->start.args.n > 0) + (s->stop.args.n > 0) + (s->status.args.n > 0);
    if (n != 0 && n != 3)
        return err_set(err, E_MALFORMED,
                       "has some of <start>, <stop> and <status>: write all three, or none for the "
                       "system's service manager");
    return E_OK;
}

static const struct schema_element start = COMMAND_ELEMENT("start", struct product_service, start);
static const struct schema_element stop = COMMAND_ELEMENT("stop", struct product_service, stop);
static const struct schema_element status =
    COMMAND_ELEMENT("status", struct product_service, status);

static const struct schema_value service_values[] = {
    SCHEMA_MUST("name", VALUE_ARGUMENT, struct product_service, name),
    SCHEMA_MAY("stop-timeout", VALUE_DURATION, struct product_service, stop_timeout_s, .min = 1,
               .max = DAY_S),
    SCHEMA_MAY("start-timeout", VALUE_DURATION, struct product_service, start_timeout_s, .min = 1,
               .max = DAY_S),
};
static const struct schema_element *const service_children[] = { &start, &stop, &status, NULL };
static const struct schema_element service = { .name = "service",
                                               SCHEMA_VALUES(service_values),
                                               .children = service_children,
                                               .min = 1,
                                               .max = SERVICES_MAX,
                                               .store = STORE_LIST,
                                               .at = offsetof(struct product_services, items),
                                               .record_size = sizeof(struct product_service),
                                               .begin = begin_service,
                                               .check = check_service };

static enum errc check_services(void *record, struct err *err)
{
    const struct product_services *services = record;
    for (size_t i = 0; i < services->items.n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(services->items.items[i].name, services->items.items[k].name) == 0)
                return err_set(err, E_MALFORMED, "has the service %.60s twice",
                               services->items.items[i].name);
    return E_OK;
}

static const struct schema_element *const services_children[] = { &service, NULL };
const struct schema_element product_services_element = { .name = "services",
                                                         .children = services_children,
                                                         .max = 1,
                                                         .store = STORE_FIELD,
                                                         .at = offsetof(struct product, services),
                                                         .check = check_services };

/* --- the product's own scheduler */

static void begin_scheduler(void *record)
{
    ((struct product_scheduler *)record)->is_there = true;
}

static enum errc check_scheduler(void *record, struct err *err)
{
    const struct product_scheduler *s = record;
    int n = (s->status.args.n > 0) + (s->suspend.args.n > 0) + (s->resume.args.n > 0);
    bool has_setting = s->on != NULL;
    if (has_setting && n > 0)
        return err_set(err, E_MALFORMED, "has commands and a <setting>: use one way");
    if (!has_setting && n != 3)
        return err_set(err, E_MALFORMED,
                       "needs <status>, <suspend> and <resume>, or a <setting> with \"on\" and "
                       "\"off\"");
    return E_OK;
}

static void begin_setting(void *record)
{
    product_setting_begin(&((struct product_scheduler *)record)->setting);
}

static enum errc check_setting(void *record, struct err *err)
{
    const struct product_scheduler *s = record;
    if (strcmp(s->on, s->off) == 0)
        return err_set(err, E_MALFORMED, "\"on\" and \"off\" are the same");
    return product_setting_check(&s->setting, err);
}

static const struct schema_element scheduler_status =
    COMMAND_ELEMENT("status", struct product_scheduler, status);
static const struct schema_element suspend =
    COMMAND_ELEMENT("suspend", struct product_scheduler, suspend);
static const struct schema_element resume =
    COMMAND_ELEMENT("resume", struct product_scheduler, resume);

static const struct schema_value setting_values[] = {
    SETTING_VALUES(struct product_scheduler, setting),
    SCHEMA_MUST("on", VALUE_ARGUMENT, struct product_scheduler, on),
    SCHEMA_MUST("off", VALUE_ARGUMENT, struct product_scheduler, off),
};
static const struct schema_element setting = { .name = "setting",
                                               SCHEMA_VALUES(setting_values),
                                               .max = 1,
                                               .begin = begin_setting,
                                               .check = check_setting };

static const struct schema_element *const scheduler_children[] = { &scheduler_status, &suspend,
                                                                   &resume, &setting, NULL };
const struct schema_element product_scheduler_element = { .name = "scheduler",
                                                          .children = scheduler_children,
                                                          .max = 1,
                                                          .store = STORE_FIELD,
                                                          .at = offsetof(struct product, scheduler),
                                                          .begin = begin_scheduler,
                                                          .check = check_scheduler };

/* --- health */

void product_health_defaults(struct product_health *health)
{
    health->within_s = 120;
    health->interval_s = 1;
    health->stays_up_s = 10;
    health->failures = 0;
}

static enum errc check_health(void *record, struct err *err)
{
    const struct product_health *health = record;
    if (health->interval_s > health->within_s)
        return err_set(err, E_MALFORMED,
                       "asks every %" PRId64 " s and gives up within %" PRId64
                       " s: it would never ask twice",
                       health->interval_s, health->within_s);
    return E_OK;
}

static void begin_http(void *record)
{
    struct health_http *http = record;
    http->status = 200;
    http->timeout_s = 5;
}

static enum errc check_http(void *record, struct err *err)
{
    const struct health_http *http = record;
    struct span url = span_text(http->url);
    bool is_https = span_starts_with(url, span_text("https:"));
    if (!is_https && !span_starts_with(url, span_text("http:")))
        return err_set(err, E_MALFORMED, "the URL is neither http nor https");
    if (http->ca != NULL && !is_https)
        return err_set(err, E_MALFORMED, "\"ca\" is for https, and the URL is http");
    return E_OK;
}

static const struct schema_value http_values[] = {
    SCHEMA_MUST("url", VALUE_URL, struct health_http, url),
    SCHEMA_MAY("status", VALUE_NUMBER, struct health_http, status, .min = 100, .max = 599),
    SCHEMA_MAY("contains", VALUE_ARGUMENT, struct health_http, contains),
    SCHEMA_MAY("ca", VALUE_ARGUMENT, struct health_http, ca),
    SCHEMA_MAY("timeout", VALUE_DURATION, struct health_http, timeout_s, .min = 1, .max = 3600),
};
static const struct schema_element http = { .name = "http",
                                            SCHEMA_VALUES(http_values),
                                            .max = PROBES_MAX,
                                            .store = STORE_LIST,
                                            .at = offsetof(struct product_health, http),
                                            .record_size = sizeof(struct health_http),
                                            .begin = begin_http,
                                            .check = check_http };

static const struct schema_element command = { .name = "command",
                                               SCHEMA_VALUES(product_command_values),
                                               .children = product_command_children,
                                               .max = PROBES_MAX,
                                               .store = STORE_LIST,
                                               .at = offsetof(struct product_health, commands),
                                               .record_size = sizeof(struct product_command),
                                               .begin = product_command_begin,
                                               .check = product_command_check };

static const struct schema_value health_values[] = {
    SCHEMA_MAY("within", VALUE_DURATION, struct product_health, within_s, .min = 1, .max = DAY_S),
    SCHEMA_MAY("interval", VALUE_DURATION, struct product_health, interval_s, .min = 1,
               .max = 3600),
    SCHEMA_MAY("failures", VALUE_NUMBER, struct product_health, failures, .max = 100),
    SCHEMA_MAY("stays-up", VALUE_DURATION, struct product_health, stays_up_s, .max = DAY_S),
};
static const struct schema_element *const health_children[] = { &http, &command, NULL };
const struct schema_element product_health_element = {
    .name = "health",
    SCHEMA_VALUES(health_values),
    .children = health_children,
    .max = 1,
    .store = STORE_FIELD,
    .at = offsetof(struct product, health),
    .check = check_health,
};
