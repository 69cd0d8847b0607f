/* The product file: what is read from good ones, what holds where nothing is said, and each rule
 * that refuses one, with its words and line. */

#include "manifest/product.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/base/buf.h"

#define KEY "RWQbNg/cw+0qI3aI4h+CJhPKo30RriPEwRLrEhAB9XcMZ0j9ErBjRur3"
#define HEX64 "5c1a0b7d2e4f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9"
#define MINISIGN "<minisign><key>" KEY "</key></minisign>"
#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

/* The least that a product file can say. */
#define INSTALL "<install kind=\"archive\" folder=\"/opt/orchard\"/>"
#define FEED "<feed url=\"https://updates.example.org/feed.xml\"/>"
#define FEED_TRUST "<feed>" MINISIGN "</feed>"
#define PAYLOAD_TRUST "<payload>" MINISIGN "</payload>"
#define SERVICE "<service name=\"orchard.service\"/>"
#define LEAST                                                                                      \
    "<product xmlns=\"urn:surefoot:product:1\" name=\"orchard\">\n" INSTALL "\n"                   \
    "<fetch>" FEED "</fetch>\n"                                                                    \
    "<trust>" FEED_TRUST "\n" PAYLOAD_TRUST "</trust>\n"                                           \
    "<services>" SERVICE "</services>\n"                                                           \
    "</product>\n"
#define MSI "<install kind=\"msi\" upgrade-code=\"{01234567-89AB-CDEF-0123-456789ABCDEF}\"/>"

/* edited is LEAST with the first `from` replaced; caller frees with buf_fini. */
static struct buf edited(const char *from, const char *to)
{
    struct buf b;
    struct err err;
    const char *at = strstr(LEAST, from);
    assert_non_null(at);
    buf_init(&b, PRODUCT_BYTES_MAX * 2);
    assert_int_equal(buf_add(&b, span_of(LEAST, (size_t)(at - LEAST)), &err), E_OK);
    assert_int_equal(buf_add_text(&b, to, &err), E_OK);
    assert_int_equal(buf_add_text(&b, at + strlen(from), &err), E_OK);
    return b;
}

static enum errc read_edited(const char *from, const char *to, struct product *p, struct err *err)
{
    struct buf b = edited(from, to);
    enum errc rc = product_read(buf_span(&b), p, err);
    buf_fini(&b);
    return rc;
}

/* with reads LEAST with more elements at its end; caller ends it with product_fini. */
static struct product with(const char *more)
{
    struct product p;
    struct err err;
    struct buf b;
    buf_init(&b, 64 * 1024);
    assert_int_equal(buf_printf(&b, &err, "%s</product>", more), E_OK);
    assert_int_equal(buf_add_byte(&b, '\0', &err), E_OK);
    if (read_edited("</product>", (const char *)b.ptr, &p, &err) != E_OK)
        fail_msg("%s", err.text);
    buf_fini(&b);
    return p;
}

/* replaced is the same where something of LEAST gives way. */
static struct product replaced(const char *from, const char *to)
{
    struct product p;
    struct err err;
    if (read_edited(from, to, &p, &err) != E_OK)
        fail_msg("%s", err.text);
    return p;
}

/* --- good ones */

static void the_least_file_has_the_defaults(void **state)
{
    UNUSED(state);
    struct product p = with("");
    assert_string_equal(p.name, "orchard");
    assert_string_equal(p.title, "orchard");
    assert_string_equal(p.channel, "stable");
    assert_string_equal(p.event_source, "orchard Upgrade");
    assert_int_equal(p.install.kind, PAYLOAD_ARCHIVE);
    assert_int_equal(p.install.os, PRODUCT_OS_HOST);
    assert_int_equal(p.install.arch, PRODUCT_OS_HOST);
    assert_string_equal(p.install.folder, "/opt/orchard");
    assert_null(p.install.upgrade_code);
    assert_int_equal(p.install.switch_mode, SWITCH_AUTO);
    assert_int_equal(p.fetch.feeds.n, 1);
    assert_false(p.fetch.feeds.items[0].allows_http);
    assert_int_equal(p.fetch.proxy.use, PROXY_SYSTEM);
    assert_null(p.fetch.ca);
    assert_int_equal(p.fetch.rate_limit_bytes, 0);
    assert_int_equal(p.fetch.stall_s, 60);
    assert_int_equal(p.fetch.deadline_s, 6 * HOUR);
    assert_null(p.state_folder);
    assert_null(p.cache_folder);
    assert_null(p.marker.registry);
    assert_int_equal(p.services.items.n, 1);
    assert_int_equal(p.services.items.items[0].stop_timeout_s, 60);
    assert_int_equal(p.services.items.items[0].start_timeout_s, 120);
    assert_int_equal(p.services.items.items[0].start.args.n, 0);
    assert_false(p.scheduler.is_there);
    assert_int_equal(p.checks.checks.n, 0);
    assert_int_equal(p.health.within_s, 120);
    assert_int_equal(p.health.interval_s, 1);
    assert_int_equal(p.health.stays_up_s, 10);
    assert_int_equal(p.health.failures, 0);
    assert_int_equal(p.files.unlisted, UNLISTED_STOP);
    assert_true(p.policy.default_state.is_enabled);
    assert_int_equal(p.policy.default_state.conditions.checks.n, 0);
    assert_int_equal(p.policy.interval_s, HOUR);
    assert_int_equal(p.policy.jitter_s, DAY);
    assert_int_equal(p.policy.retry_aborted_s, HOUR);
    assert_int_equal(p.policy.retry_not_supported_s, 7 * DAY);
    assert_int_equal(p.policy.keep, 1);
    assert_int_equal(p.policy.after_deadline, DEADLINE_WAIT);
    assert_null(p.policy.metrics_file);
    assert_int_equal(p.policy.windows.n, 0);
    product_fini(&p);
    product_fini(&p);
}

static void the_event_source_follows_the_title(void **state)
{
    UNUSED(state);
    struct product p = replaced("name=\"orchard\"", "name=\"o\" title=\"The Orchard\"");
    assert_string_equal(p.title, "The Orchard");
    assert_string_equal(p.event_source, "The Orchard Upgrade");
    product_fini(&p);
    p = replaced("name=\"orchard\"", "name=\"o\" channel=\"beta\" event-source=\"Ours\"");
    assert_string_equal(p.channel, "beta");
    assert_string_equal(p.event_source, "Ours");
    product_fini(&p);
}

static void an_archive_and_an_msi_are_installed_differently(void **state)
{
    UNUSED(state);
    struct product p = replaced(INSTALL, MSI);
    assert_int_equal(p.install.kind, PAYLOAD_MSI);
    assert_string_equal(p.install.upgrade_code, "{01234567-89AB-CDEF-0123-456789ABCDEF}");
    assert_null(p.install.folder);
    product_fini(&p);
    p = replaced("folder=\"/opt/orchard\"",
                 "folder=\"tree\" switch=\"pointer\" os=\"macos\" arch=\"aarch64\"");
    assert_int_equal(p.install.switch_mode, SWITCH_POINTER);
    assert_int_equal(p.install.os, OS_MACOS);
    assert_int_equal(p.install.arch, ARCH_AARCH64);
    assert_string_equal(p.install.folder, "tree");
    product_fini(&p);
    p = replaced("folder=\"/opt/orchard\"", "folder=\"/opt/orchard\" switch=\"exchange\"");
    assert_int_equal(p.install.switch_mode, SWITCH_EXCHANGE);
    product_fini(&p);
}

static void feeds_keep_their_order_and_fetch_its_limits(void **state)
{
    UNUSED(state);
    struct product p =
        replaced("<fetch>" FEED,
                 "<fetch ca=\"ca.pem\" rate-limit=\"1MiB\" stall=\"PT5S\" deadline=\"P1D\">" FEED
                 "<proxy url=\"http://proxy.example.org:3128\" login-file=\"login\"/>"
                 "<feed url=\"file:///media/feed.xml\"/>"
                 "<feed url=\"http://mirror.example.org/feed.xml\" allow-http=\"true\"/>");
    assert_int_equal(p.fetch.feeds.n, 3);
    assert_string_equal(p.fetch.feeds.items[0].url, "https://updates.example.org/feed.xml");
    assert_string_equal(p.fetch.feeds.items[1].url, "file:///media/feed.xml");
    assert_true(p.fetch.feeds.items[2].allows_http);
    assert_int_equal(p.fetch.proxy.use, PROXY_URL);
    assert_string_equal(p.fetch.proxy.url, "http://proxy.example.org:3128");
    assert_string_equal(p.fetch.proxy.login_file, "login");
    assert_string_equal(p.fetch.ca, "ca.pem");
    assert_int_equal(p.fetch.rate_limit_bytes, 1 << 20);
    assert_int_equal(p.fetch.stall_s, 5);
    assert_int_equal(p.fetch.deadline_s, DAY);
    product_fini(&p);
    p = replaced(FEED, FEED "<proxy use=\"none\"/>");
    assert_int_equal(p.fetch.proxy.use, PROXY_NONE);
    product_fini(&p);
}

static void http_needs_no_leave_on_this_machine_alone(void **state)
{
    static const struct {
        const char *host;
        bool is_here;
    } rows[] = {
        { "localhost", true },
        { "localhost:8080", true },
        { "127.0.0.1", true },
        { "127.0.0.1:80", true },
        { "127.255.3.44", true },
        { "[::1]", true },
        { "[::1]:8080", true },
        { "localhost.example.org", false },
        { "127.0.0.1.example.org", false },
        { "127.0.0", false },
        { "127.1", false },
        { "127.0.0.1.1", false },
        { "127.0.0.", false },
        { "127..0.1", false },
        { "127.0.0.0001", false },
        { "1127.0.0.1", false },
        { "128.0.0.1", false },
        { "[::2]", false },
        { "[::1", false },
        { "[::1]x", false },
        { "localhost:x", false },
        { "localhost:", false },
        { "localhost:123456", false },
        { "LOCALHOST", false },
        { "localhostx", false },
        { "0x7f.0.0.1", false },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char feed[128];
        struct product p;
        struct err err;
        (void)snprintf(feed, sizeof(feed), "<feed url=\"http://%s/feed.xml\"/>", rows[i].host);
        enum errc rc = read_edited(FEED, feed, &p, &err);
        if ((rc == E_OK) != rows[i].is_here)
            fail_msg("%s: %s", rows[i].host, rc == E_OK ? "read" : err.text);
        if (rc == E_OK)
            product_fini(&p);
        else
            assert_non_null(strstr(err.text, "http to another machine"));
    }
}

static void trust_is_read_word_by_word(void **state)
{
    UNUSED(state);
    struct product p = replaced(
        FEED_TRUST "\n" PAYLOAD_TRUST,
        "<feed><minisign><key>\n " KEY "\n</key><key file=\"next.pub\"/></minisign>"
        "<cms><publisher>A</publisher></cms><cms><pin>sha256:" HEX64 "</pin></cms></feed>"
        "<payload>" MINISIGN "<cms><profile>windows</profile><anchors>a.pem</anchors>"
        "<anchors>b.pem</anchors><timestamp-anchors>t.pem</timestamp-anchors>"
        "<publisher>Orchard Works</publisher><pin>spki-sha256:" HEX64 "</pin>"
        "<crl>x.crl</crl><require-timestamp/><allow>sha1</allow><allow>UncoveredData</allow>"
        "<eku>1.3.6.1.4.1.99.1</eku></cms></payload>");
    const struct product_trust *t = &p.trust;
    assert_int_equal(t->feed_minisign.keys.n, 2);
    assert_string_equal(t->feed_minisign.keys.items[0].text, KEY);
    assert_null(t->feed_minisign.keys.items[0].file);
    assert_string_equal(t->feed_minisign.keys.items[1].file, "next.pub");
    assert_int_equal(t->feed_cms.n, 2);
    assert_string_equal(t->feed_cms.items[0].publishers.items[0].text, "A");
    assert_int_equal(t->feed_cms.items[0].revocation, TRUST_REVOCATION_OFF);
    assert_int_equal(t->feed_cms.items[1].pins.n, 1);
    assert_int_equal(t->minisign.keys.n, 1);
    assert_true(t->has_cms);
    assert_false(t->has_authenticode);
    assert_int_equal(t->cms.profile, TRUST_WINDOWS);
    assert_int_equal(t->cms.anchors.n, 2);
    assert_string_equal(t->cms.anchors.items[1].text, "b.pem");
    assert_string_equal(t->cms.timestamp_anchors.items[0].text, "t.pem");
    assert_string_equal(t->cms.publishers.items[0].text, "Orchard Works");
    assert_string_equal(t->cms.pins.items[0].text, "spki-sha256:" HEX64);
    assert_int_equal(t->cms.revocation, TRUST_REVOCATION_CRL);
    assert_string_equal(t->cms.crls.items[0].text, "x.crl");
    assert_true(t->cms.needs_timestamp);
    assert_int_equal(t->cms.allowed, 1 << TRUST_ALLOW_SHA1 | 1 << TRUST_ALLOW_UNCOVERED_DATA);
    assert_string_equal(t->cms.eku, "1.3.6.1.4.1.99.1");
    product_fini(&p);
}

static void each_demand_stands_alone(void **state)
{
    UNUSED(state);
    struct product p = replaced(PAYLOAD_TRUST, "<payload><cms><publisher>A</publisher>"
                                               "<revocation>online</revocation></cms></payload>");
    assert_true(p.trust.has_cms);
    assert_int_equal(p.trust.minisign.keys.n, 0);
    assert_int_equal(p.trust.cms.revocation, TRUST_REVOCATION_ONLINE);
    assert_null(p.trust.cms.eku);
    assert_false(p.trust.cms.needs_timestamp);
    product_fini(&p);
    struct err err;
    struct buf b;
    buf_init(&b, 64 * 1024);
    assert_int_equal(
        buf_add_text(&b,
                     "<product xmlns=\"urn:surefoot:product:1\" name=\"o\">" MSI "<fetch>" FEED
                     "</fetch><trust><feed><cms><publisher>A</publisher></cms>"
                     "</feed><payload><authenticode><publisher>B</publisher></authenticode>"
                     "</payload></trust><services>" SERVICE "</services></product>",
                     &err),
        E_OK);
    assert_int_equal(product_read(buf_span(&b), &p, &err), E_OK);
    buf_fini(&b);
    assert_true(p.trust.has_authenticode);
    assert_string_equal(p.trust.authenticode.publishers.items[0].text, "B");
    assert_int_equal(p.trust.feed_minisign.keys.n, 0);
    product_fini(&p);
}

#define COMMANDS(a, b, c)                                                                          \
    "<" a "><arg>/bin/x</arg><arg>" a "</arg></" a "><" b " user=\"u\" timeout=\"PT5S\">"          \
    "<arg>/bin/x</arg></" b "><" c "><arg>C:\\x.exe</arg></" c ">"

static void services_run_by_name_or_by_commands(void **state)
{
    UNUSED(state);
    struct product p = replaced(
        SERVICE, "<service name=\"a.service\" stop-timeout=\"PT1S\" start-timeout=\"PT2S\"/>"
                 "<service name=\"b\">" COMMANDS("start", "stop", "status") "</service>");
    const struct product_service *a = &p.services.items.items[0], *b = a + 1;
    assert_int_equal(p.services.items.n, 2);
    assert_string_equal(a->name, "a.service");
    assert_int_equal(a->stop_timeout_s, 1);
    assert_int_equal(a->start_timeout_s, 2);
    assert_int_equal(b->start.args.n, 2);
    assert_string_equal(b->start.args.items[1].text, "start");
    assert_int_equal(b->start.timeout_s, 60);
    assert_null(b->start.user);
    assert_string_equal(b->stop.user, "u");
    assert_int_equal(b->stop.timeout_s, 5);
    assert_string_equal(b->status.args.items[0].text, "C:\\x.exe");
    product_fini(&p);
}

static void the_scheduler_is_asked_by_commands_or_a_setting(void **state)
{
    UNUSED(state);
    struct product p = with("<scheduler>" COMMANDS("status", "suspend", "resume") "</scheduler>");
    assert_true(p.scheduler.is_there);
    assert_int_equal(p.scheduler.status.args.n, 2);
    assert_string_equal(p.scheduler.suspend.user, "u");
    assert_int_equal(p.scheduler.resume.args.n, 1);
    assert_null(p.scheduler.on);
    product_fini(&p);
    p = with("<scheduler><setting registry=\"HKLM\\Orchard\" value=\"On\" on=\"1\" off=\"0\"/>"
             "</scheduler>");
    assert_true(p.scheduler.is_there);
    assert_string_equal(p.scheduler.setting.registry, "HKLM\\Orchard");
    assert_string_equal(p.scheduler.setting.value, "On");
    assert_string_equal(p.scheduler.on, "1");
    assert_string_equal(p.scheduler.off, "0");
    assert_int_equal(p.scheduler.setting.format, -1);
    product_fini(&p);
}

static void health_is_probed_by_http_and_commands(void **state)
{
    UNUSED(state);
    struct product p =
        with("<health within=\"PT3M\" interval=\"PT2S\" failures=\"4\" stays-up=\"PT0S\">"
             "<http url=\"http://127.0.0.1/\"/><command timeout=\"PT9S\"><arg>bin/t</arg></command>"
             "<http url=\"https://o.example/\" status=\"204\" contains=\"ripe\" ca=\"ca.pem\" "
             "timeout=\"PT7S\"/></health>");
    assert_int_equal(p.health.within_s, 180);
    assert_int_equal(p.health.interval_s, 2);
    assert_int_equal(p.health.failures, 4);
    assert_int_equal(p.health.stays_up_s, 0);
    assert_int_equal(p.health.http.n, 2);
    assert_int_equal(p.health.http.items[0].status, 200);
    assert_int_equal(p.health.http.items[0].timeout_s, 5);
    assert_null(p.health.http.items[0].contains);
    assert_int_equal(p.health.http.items[1].status, 204);
    assert_string_equal(p.health.http.items[1].contains, "ripe");
    assert_string_equal(p.health.http.items[1].ca, "ca.pem");
    assert_int_equal(p.health.http.items[1].timeout_s, 7);
    assert_int_equal(p.health.commands.n, 1);
    assert_int_equal(p.health.commands.items[0].timeout_s, 9);
    product_fini(&p);
    p = replaced("<services>" SERVICE "</services>",
                 "<health><command><arg>/bin/t</arg></command></health>");
    assert_int_equal(p.services.items.n, 0);
    assert_int_equal(p.health.within_s, 120);
    product_fini(&p);
}

static void each_check_has_the_result_of_its_kind(void **state)
{
    static const struct {
        const char *xml;
        enum check_kind kind;
        const char *result;
        enum result_phase phase;
    } rows[] = {
        { "<process name=\"x\"/>", CHECK_PROCESS, "UpgradeAbortedSyncExeInUse",
          RESULT_PHASE_ACTIVITY },
        { "<service name=\"x\"/>", CHECK_SERVICE, "UpgradeAbortedServiceIsNotRunning",
          RESULT_PHASE_SERVICE },
        { "<database connection=\"x\"/>", CHECK_DATABASE,
          "UpgradeAbortedInsufficientDatabasePermissions", RESULT_PHASE_ENVIRONMENT },
        { "<group name=\"x\"/>", CHECK_GROUP, "UpgradeAbortedSecurityGroupsNotPresent",
          RESULT_PHASE_ENVIRONMENT },
        { "<disk headroom=\"1\"/>", CHECK_DISK, "UpgradeAbortedInsufficientDiskSpace",
          RESULT_PHASE_DISK },
        { "<lock file=\"x\"/>", CHECK_LOCK, "UpgradeAbortedSyncOrConfigurationInProgress",
          RESULT_PHASE_ACTIVITY },
        { "<schedule/>", CHECK_SCHEDULE, "UpgradeAbortedSyncCycleDisabled", RESULT_PHASE_ACTIVITY },
        { "<setting file=\"x\" format=\"ini\" key=\"k\" result=\"UpgradeNotSupportedX\"><present/>"
          "</setting>",
          CHECK_SETTING, "UpgradeNotSupportedX", RESULT_PHASE_CONFIGURATION },
        { "<os result=\"UpgradeNotSupportedX\"><is name=\"linux\"/></os>", CHECK_OS,
          "UpgradeNotSupportedX", RESULT_PHASE_CONFIGURATION },
        { "<command result=\"UpgradeAbortedX\"><arg>/x</arg></command>", CHECK_COMMAND,
          "UpgradeAbortedX", RESULT_PHASE_ENVIRONMENT },
        { "<command result=\"UpgradeAbortedSyncOrConfigurationInProgress-Import\"><arg>/x</arg>"
          "</command>",
          CHECK_COMMAND, "UpgradeAbortedSyncOrConfigurationInProgress-Import",
          RESULT_PHASE_ACTIVITY },
        { "<process name=\"x\" result=\"UpgradeAbortedAdSyncExeInUse\"/>", CHECK_PROCESS,
          "UpgradeAbortedAdSyncExeInUse", RESULT_PHASE_ACTIVITY },
        { "<process name=\"x\" result=\"UpgradeAbortedDownloadFailed\"/>", CHECK_PROCESS,
          "UpgradeAbortedDownloadFailed", RESULT_PHASE_ACTIVITY },
        { "<group name=\"x\" result=\"UpgradeNotSupportedNonMsolAccount\"/>", CHECK_GROUP,
          "UpgradeNotSupportedNonMsolAccount", RESULT_PHASE_CONFIGURATION },
    };
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char more[512];
        (void)snprintf(more, sizeof(more),
                       "<scheduler><setting file=\"x\" format=\"ini\" key=\"k\" on=\"1\" "
                       "off=\"0\"/></scheduler><checks>%s</checks>",
                       rows[i].xml);
        struct product p = with(more);
        assert_int_equal(p.checks.checks.n, 1);
        assert_int_equal(p.checks.checks.items[0].kind, rows[i].kind);
        assert_string_equal(p.checks.checks.items[0].result, rows[i].result);
        assert_int_equal(product_checks_phase(rows[i].kind, rows[i].result), rows[i].phase);
        product_fini(&p);
    }
}

static void checks_keep_their_order_and_say_what_they_ask(void **state)
{
    UNUSED(state);
    struct product p = with(
        "<checks><process path=\"/x/y\" action=\"terminate\" terminate-after=\"PT4H\"/>"
        "<service name=\"s\" state=\"stopped\" result=\"UpgradeAbortedBusy\"/>"
        "<database connection-file=\"dsn\" result=\"UpgradeAbortedNoDatabase\">"
        "<right name=\"CREATE\" account=\"a\"/><kind is=\"localdb sqlite\"/>"
        "<right name=\"DROP\" result=\"UpgradeAbortedNoDrop\"/><size below=\"8GiB\"/></database>"
        "<group sid=\"S-1-5-32-544\"/><disk headroom=\"5GiB\" folder=\"/var\"/>"
        "<lock mutex=\"Global\\O\"/>"
        "<setting registry=\"HKU\\X\" value=\"V\" result=\"UpgradeNotSupportedY\">"
        "<not-equals>a</not-equals><not-equals>b</not-equals></setting>"
        "<setting file=\"x\" format=\"xml\" key=\"a/@b\" result=\"UpgradeNotSupportedZ\"><absent/>"
        "</setting>"
        "<setting file=\"x\" format=\"json\" key=\"a\" result=\"UpgradeNotSupportedZ\">"
        "<equals>1</equals></setting>"
        "<os result=\"UpgradeNotSupportedOld\"><is name=\"debian\" minimum=\"12\"/>"
        "<is name=\"windows\" minimum=\"10.0.17763\"/></os>"
        "<command user=\"u\" result=\"UpgradeAbortedQ\"><arg>/x</arg><arg>y</arg>"
        "<exit code=\"3\" result=\"UpgradeAbortedR\"/><exit code=\"4\" result=\"Success\"/>"
        "</command></checks>");
    const struct product_check *c = p.checks.checks.items;
    assert_int_equal(p.checks.checks.n, 11);
    assert_string_equal(c[0].of.process.path, "/x/y");
    assert_int_equal(c[0].of.process.action, PROCESS_TERMINATE);
    assert_int_equal(c[0].of.process.terminate_after_s, 4 * HOUR);
    assert_int_equal(c[1].of.service.state, SERVICE_STOPPED);
    assert_string_equal(c[2].of.database.connection_file, "dsn");
    assert_int_equal(c[2].of.database.kinds, 1 << DATABASE_LOCALDB | 1 << DATABASE_SQLITE);
    assert_string_equal(c[2].of.database.kind_result, "UpgradeNotSupportedNonLocalDbInstall");
    assert_true(c[2].of.database.below_bytes == UINT64_C(8) << 30);
    assert_string_equal(c[2].of.database.size_result, "UpgradeNotSupportedLocalDbSizeExceeded");
    assert_int_equal(c[2].of.database.rights.n, 2);
    assert_string_equal(c[2].of.database.rights.items[0].account, "a");
    assert_string_equal(c[2].of.database.rights.items[0].result,
                        "UpgradeAbortedInsufficientDatabasePermissions");
    assert_null(c[2].of.database.rights.items[1].account);
    assert_string_equal(c[2].of.database.rights.items[1].result, "UpgradeAbortedNoDrop");
    assert_string_equal(c[3].of.group.sid, "S-1-5-32-544");
    assert_true(c[4].of.disk.headroom_bytes == UINT64_C(5) << 30);
    assert_string_equal(c[4].of.disk.folder, "/var");
    assert_string_equal(c[5].of.lock.mutex, "Global\\O");
    assert_int_equal(c[6].of.setting.unequal.n, 2);
    assert_string_equal(c[6].of.setting.place.registry, "HKU\\X");
    assert_true(c[7].of.setting.is_absent);
    assert_int_equal(c[7].of.setting.place.format, SETTING_XML);
    assert_string_equal(c[7].of.setting.place.key, "a/@b");
    assert_string_equal(c[8].of.setting.equals.items[0].text, "1");
    assert_int_equal(c[9].of.os.is.n, 2);
    assert_string_equal(c[9].of.os.is.items[1].minimum.text, "10.0.17763");
    assert_int_equal(c[10].of.command.command.args.n, 2);
    assert_string_equal(c[10].of.command.command.user, "u");
    assert_int_equal(c[10].of.command.command.timeout_s, 60);
    assert_int_equal(c[10].of.command.exits.n, 2);
    assert_int_equal(c[10].of.command.exits.items[1].code, 4);
    assert_true(product_checks_have(&p.checks, CHECK_LOCK));
    assert_false(product_checks_have(&p.checks, CHECK_SCHEDULE));
    product_fini(&p);
}

static void files_and_data_say_what_becomes_of_them(void **state)
{
    UNUSED(state);
    struct product p =
        with("<files unlisted=\"carry\"><configuration path=\"conf/a\" action=\"merge\"/>"
             "<configuration path=\"conf/b\" action=\"keep\"/>"
             "<data path=\"data\" protect=\"snapshot\"/>"
             "<data folder=\"/var/o\" protect=\"command\"><backup><arg>/b</arg></backup>"
             "<restore timeout=\"PT1H\"><arg>/r</arg></restore></data>"
             "<data folder=\"/opt/orchard-data\" protect=\"none\"/>"
             "<unlisted path=\"plugins\" action=\"leave-behind\"/>"
             "<unlisted path=\"plugins/cache\" action=\"stop\"/></files>");
    assert_int_equal(p.files.unlisted, UNLISTED_CARRY);
    assert_int_equal(p.files.configuration.n, 2);
    assert_string_equal(p.files.configuration.items[0].path, "conf/a");
    assert_int_equal(p.files.configuration.items[0].action, CONFIGURATION_MERGE);
    assert_int_equal(p.files.configuration.items[1].action, CONFIGURATION_KEEP);
    assert_int_equal(p.files.data.n, 3);
    assert_string_equal(p.files.data.items[0].path, "data");
    assert_int_equal(p.files.data.items[0].protect, DATA_SNAPSHOT);
    assert_string_equal(p.files.data.items[1].folder, "/var/o");
    assert_string_equal(p.files.data.items[1].backup.args.items[0].text, "/b");
    assert_int_equal(p.files.data.items[1].restore.timeout_s, HOUR);
    assert_int_equal(p.files.data.items[2].protect, DATA_NONE);
    assert_int_equal(p.files.exceptions.n, 2);
    assert_int_equal(p.files.exceptions.items[0].action, UNLISTED_LEAVE_BEHIND);
    product_fini(&p);
}

static void policy_says_when(void **state)
{
    UNUSED(state);
    struct product p =
        with("<policy interval=\"PT10M\" jitter=\"PT0S\" keep=\"3\" after-deadline=\"now\" "
             "metrics-file=\"m.prom\"><default-state is=\"enabled\">"
             "<group name=\"g\" result=\"UpgradeNotSupportedMultiForestSetup\"/></default-state>"
             "<window days=\"sat sun\" from=\"22:30\" to=\"04:00\"/>"
             "<window from=\"00:00\" to=\"24:00\" zone=\"utc\"/>"
             "<retry aborted=\"PT5M\" not-supported=\"P30D\"/></policy>");
    assert_int_equal(p.policy.interval_s, 600);
    assert_int_equal(p.policy.jitter_s, 0);
    assert_int_equal(p.policy.keep, 3);
    assert_int_equal(p.policy.after_deadline, DEADLINE_NOW);
    assert_string_equal(p.policy.metrics_file, "m.prom");
    assert_true(p.policy.default_state.is_enabled);
    assert_int_equal(p.policy.default_state.conditions.checks.n, 1);
    assert_int_equal(p.policy.default_state.conditions.checks.items[0].kind, CHECK_GROUP);
    assert_int_equal(p.checks.checks.n, 0);
    assert_int_equal(p.policy.windows.n, 2);
    assert_int_equal(p.policy.windows.items[0].days, 1 << SATURDAY | 1 << SUNDAY);
    assert_int_equal(p.policy.windows.items[0].from_min, 22 * 60 + 30);
    assert_int_equal(p.policy.windows.items[0].to_min, 240);
    assert_int_equal(p.policy.windows.items[0].zone, ZONE_LOCAL);
    assert_int_equal(p.policy.windows.items[1].days, 0x7F);
    assert_int_equal(p.policy.windows.items[1].to_min, 1440);
    assert_int_equal(p.policy.windows.items[1].zone, ZONE_UTC);
    assert_int_equal(p.policy.retry_aborted_s, 300);
    assert_int_equal(p.policy.retry_not_supported_s, 30 * DAY);
    product_fini(&p);
    p = with("<policy><default-state is=\"disabled\"/><retry/></policy>");
    assert_false(p.policy.default_state.is_enabled);
    assert_int_equal(p.policy.retry_aborted_s, HOUR);
    product_fini(&p);
    p = with("<policy><default-state is=\"enabled\"/></policy>");
    assert_true(p.policy.default_state.is_enabled);
    product_fini(&p);
    p = with("<policy keep=\"2\"/>");
    assert_true(p.policy.default_state.is_enabled);
    assert_int_equal(p.policy.default_state.conditions.checks.n, 0);
    product_fini(&p);
}

static void folders_and_marker_are_read(void **state)
{
    UNUSED(state);
    struct product p = with("<folders state=\"s\" cache=\"/opt/orchards\"/>"
                            "<marker registry=\"HKLM\\O\" value=\"Upgrading\"/>");
    assert_string_equal(p.state_folder, "s");
    assert_string_equal(p.cache_folder, "/opt/orchards");
    assert_string_equal(p.marker.registry, "HKLM\\O");
    assert_string_equal(p.marker.value, "Upgrading");
    product_fini(&p);
}

/* --- refused ones: what gives way to what, and the words that say why */

#define ADD(more) "</product>", more "</product>"
#define CHECK(check) ADD("<checks>" check "</checks>")
#define SIGNER(inside) PAYLOAD_TRUST, "<payload><cms>" inside "</cms></payload>"
#define A_PUBLISHER "<publisher>A</publisher>"
#define NOTHING "a product file that demands nothing is broken"

static const struct refusal {
    const char *from, *to, *words;
} refusals[] = {
    /* identity */
    { " name=\"orchard\"", "", "line 1: <product> lacks its attribute \"name\"" },
    { "\"orchard\"", "\"The Orchard\"", "<product name>: " },
    { "name=\"orchard\"", "name=\"o\" title=\"a\\b\"", "has a backslash in it" },
    { "name=\"orchard\"", "name=\"o\" event-source=\"a\\b\"", "has a backslash in it" },
    { "name=\"orchard\"", "name=\"o\" titel=\"x\"", "has no attribute \"titel\"" },

    /* install */
    { INSTALL, "", "line 1: <product> lacks <install>" },
    { INSTALL, "<install folder=\"/opt\"/>", "lacks its attribute \"kind\"" },
    { INSTALL, "<install kind=\"archive\"/>", "line 2: <install>: an archive goes into a folder" },
    { INSTALL, "<install kind=\"archive\" folder=\"\"/>", "is empty" },
    { "kind=\"archive\"", "kind=\"rpm\"", "\"rpm\" is none of: archive msi" },
    { "kind=\"archive\"", "kind=\"msi\"", "an MSI is found by its upgrade code" },
    { INSTALL,
      "<install kind=\"archive\" folder=\"/o\" "
      "upgrade-code=\"{01234567-89AB-CDEF-0123-456789ABCDEF}\"/>",
      "\"upgrade-code\" is of an MSI" },
    { INSTALL,
      "<install kind=\"msi\" switch=\"auto\" "
      "upgrade-code=\"{01234567-89AB-CDEF-0123-456789ABCDEF}\"/>",
      "\"switch\" is of archives" },
    { INSTALL,
      "<install kind=\"msi\" os=\"linux\" "
      "upgrade-code=\"{01234567-89AB-CDEF-0123-456789ABCDEF}\"/>",
      "an MSI is for windows" },
    { INSTALL, INSTALL INSTALL, "<product> has a second <install>" },

    /* fetch */
    { "<fetch>" FEED "</fetch>", "", "lacks <fetch>" },
    { FEED, "", "line 3: <fetch> lacks <feed>" },
    { FEED, "<feed url=\"ftp://example.org/feed.xml\"/>", "is not a URL" },
    { FEED, "<feed url=\"https://u:p@example.org/feed.xml\"/>", "is not a URL" },
    { FEED, "<feed url=\"http://example.org/feed.xml\"/>",
      "line 3: <feed>: http to another machine: use https, or say allow-http=\"true\"" },
    { FEED, "<feed url=\"http://example.org/feed.xml\" allow-http=\"false\"/>",
      "http to another machine" },
    { FEED, "<feed url=\"https://example.org/feed.xml\" allow-http=\"true\"/>",
      "allows http, and the URL is not http" },
    { FEED, "<feed url=\"file:///feed.xml\" allow-http=\"true\"/>",
      "allows http, and the URL is not http" },
    { FEED, FEED "<proxy/>", "says neither \"use\" nor \"url\"" },
    { FEED, FEED "<proxy use=\"none\" url=\"http://p.example:1\"/>", "says both" },
    { FEED, FEED "<proxy use=\"system\" login-file=\"x\"/>", "has a login and no \"url\"" },
    { FEED, FEED "<proxy url=\"file:///x\"/>", "the URL of a proxy is http or https" },
    { FEED, FEED "<proxy use=\"none\"/><proxy use=\"none\"/>", "has a second <proxy>" },
    { "<fetch>", "<fetch rate-limit=\"10\">", "is 10, the least is 1024" },
    { "<fetch>", "<fetch stall=\"PT0S\">", "is 0, the least is 1" },

    /* folders and marker */
    { ADD("<folders state=\"/opt/orchard/state\"/>"),
      "the state folder /opt/orchard/state is inside the install folder" },
    { ADD("<folders cache=\"/opt/orchard\"/>"), "the cache folder /opt/orchard is inside" },
    { ADD("<marker registry=\"HKCU\\X\" value=\"V\"/>"), "does not begin with HKLM" },
    { ADD("<marker registry=\"HKLM\\X\"/>"), "lacks its attribute \"value\"" },

    /* trust */
    { "<trust>" FEED_TRUST "\n" PAYLOAD_TRUST "</trust>", "", "lacks <trust>" },
    { PAYLOAD_TRUST, "", "line 4: <trust>: " NOTHING },
    { PAYLOAD_TRUST, "<payload/>", "line 5: <payload>: " NOTHING },
    { FEED_TRUST, "", "line 4: <trust> lacks <feed>" },
    { FEED_TRUST, "<feed/>", "line 4: <feed>: names nobody who signs the feed" },
    { MINISIGN, "<minisign/>", "<minisign> lacks <key>" },
    { "<key>" KEY, "<key>", "is empty: write the key's line, or name its file" },
    { "<key>", "<key file=\"x\">", "is written here and in a file" },
    { "<key>RW", "<key>RX", "is no minisign public key" },
    { "<key>RWQ", "<key>RWU", "is no minisign public key" },
    { KEY, KEY "A", "is no minisign public key" },
    { KEY, "untrusted comment: x", "is no minisign public key" },
    { "ErBjRur3", "ErBjRu==", "is no minisign public key" },
    { PAYLOAD_TRUST, "<payload>" MINISIGN MINISIGN "</payload>", "has a second <minisign>" },
    { PAYLOAD_TRUST, "<payload><authenticode>" A_PUBLISHER "</authenticode></payload>",
      "no archive can carry an <authenticode> signature" },
    { FEED_TRUST, "<feed><authenticode>" A_PUBLISHER "</authenticode></feed>",
      "<authenticode> is not known inside <feed>" },
    { SIGNER(""), "line 5: <cms>: names neither <publisher> nor <pin>" },
    { SIGNER("<anchors>a.pem</anchors>"), "names neither <publisher> nor <pin>" },
    { SIGNER(A_PUBLISHER "<anchors/>"), "<anchors>: is empty" },
    { SIGNER(A_PUBLISHER "<profile>lax</profile>"), "\"lax\" is none of: strict windows" },
    { SIGNER(A_PUBLISHER "<profile>strict</profile><profile>strict</profile>"),
      "has a second <profile>" },
    { SIGNER("<pin>" HEX64 "</pin>"), "<pin>: is neither sha256:HEX nor spki-sha256:HEX" },
    { SIGNER("<pin>sha256:" HEX64 "0</pin>"), "is neither sha256:HEX nor" },
    { SIGNER("<pin>sha256:</pin>"), "is neither sha256:HEX nor" },
    { SIGNER("<pin>md5:" HEX64 "</pin>"), "is neither sha256:HEX nor" },
    { SIGNER(A_PUBLISHER "<eku>everything</eku>"), "<eku>: is no purpose" },
    { SIGNER(A_PUBLISHER "<eku>1</eku>"), "is no purpose" },
    { SIGNER(A_PUBLISHER "<eku>1.2.</eku>"), "is no purpose" },
    { SIGNER(A_PUBLISHER "<eku>1..2</eku>"), "is no purpose" },
    { SIGNER(A_PUBLISHER "<allow>everything</allow>"), "\"everything\" is none of: sha1" },
    { SIGNER(A_PUBLISHER "<require-timestamp>no</require-timestamp>"), "holds no text" },
    { SIGNER(A_PUBLISHER "<revocation>crl</revocation>"),
      "demands revocation lists and names none" },
    { SIGNER(A_PUBLISHER "<revocation>off</revocation><crl>x</crl>"),
      "names a <crl>, and <revocation> is off" },
    { PAYLOAD_TRUST,
      "<payload>" MINISIGN "<authenticode>" A_PUBLISHER "<eku>any</eku></authenticode></payload>",
      "<eku> is not known inside <authenticode>" },

    /* services */
    { "<services>" SERVICE "</services>", "", "nothing tells whether a new version is healthy" },
    { "<services>" SERVICE "</services>", "<health/>",
      "nothing tells whether a new version is healthy" },
    { SERVICE, "", "line 6: <services> lacks <service>" },
    { SERVICE, SERVICE "<service name=\"b\"/>" SERVICE, "has the service orchard.service twice" },
    { SERVICE, "<service name=\"b\"><start><arg>/x</arg></start></service>",
      "has some of <start>, <stop> and <status>" },
    { SERVICE,
      "<service name=\"b\"><start><arg>/x</arg></start><stop><arg>/x</arg></stop></service>",
      "write all three" },
    { SERVICE, "<service name=\"b\"><start/></service>", "<start> lacks <arg>" },
    { SERVICE, "<service name=\"b\"><start><arg>systemctl</arg></start></service>",
      "<start>: the program \"systemctl\" has no path" },
    { SERVICE, "<service name=\"b\"><start><arg/></start></service>", "<arg>: is empty" },
    { SERVICE, "<service name=\"b\"><start shell=\"sh\"><arg>/x</arg></start></service>",
      "has no attribute \"shell\"" },
    { SERVICE, "<service name=\"b\"><start timeout=\"PT0S\"><arg>/x</arg></start></service>",
      "the least is 1" },
    { SERVICE, "<service name=\"b\"><start timeout=\"P2D\"><arg>/x</arg></start></service>",
      "the most is 86400" },
    { SERVICE, "<service name=\"b\" stop-timeout=\"30\"/>", "is not a duration" },

    /* scheduler */
    { ADD("<scheduler/>"), "needs <status>, <suspend> and <resume>, or a <setting>" },
    { ADD("<scheduler><status><arg>/x</arg></status></scheduler>"), "needs <status>, <suspend>" },
    { ADD("<scheduler>" COMMANDS("status", "suspend",
                                 "resume") "<setting file=\"x\" format=\"ini\" key=\"k\" on=\"1\" "
                                           "off=\"0\"/></scheduler>"),
      "has commands and a <setting>" },
    { ADD("<scheduler><setting file=\"x\" format=\"ini\" key=\"k\" on=\"1\"/></scheduler>"),
      "lacks its attribute \"off\"" },
    { ADD("<scheduler><setting file=\"x\" format=\"ini\" key=\"k\" on=\"1\" off=\"1\"/>"
          "</scheduler>"),
      "\"on\" and \"off\" are the same" },
    { CHECK("<schedule/>"), "asks the product's own <scheduler>, and there is none" },
    { ADD("<policy><default-state is=\"enabled\"><schedule/></default-state></policy>"),
      "asks the product's own <scheduler>, and there is none" },

    /* health */
    { ADD("<health interval=\"PT1M\" within=\"PT5S\"/>"),
      "asks every 60 s and gives up within 5 s" },
    { ADD("<health failures=\"101\"/>"), "the most is 100" },
    { ADD("<health><http url=\"file:///x\"/></health>"), "neither http nor https" },
    { ADD("<health><http url=\"http://x.example/\" ca=\"x\"/></health>"), "\"ca\" is for https" },
    { ADD("<health><http url=\"https://x.example/\" status=\"99\"/></health>"),
      "the least is 100" },
    { ADD("<health><http url=\"https://x.example/\" status=\"600\"/></health>"),
      "the most is 599" },
    { ADD("<health><http url=\"https://x.example/\" insecure=\"true\"/></health>"),
      "has no attribute \"insecure\"" },
    { ADD("<health><command><arg>true</arg></command></health>"), "has no path" },

    /* checks */
    { CHECK("<process/>"), "<process>: says neither \"name\" nor \"path\"" },
    { CHECK("<process name=\"a\" path=\"/a\"/>"), "says both \"name\" and \"path\"" },
    { CHECK("<process name=\"/bin/a\"/>"), "\"name\" has a folder in it" },
    { CHECK("<process name=\"a\" action=\"terminate\"/>"),
      "is to be terminated, and \"terminate-after\" does not say" },
    { CHECK("<process name=\"a\" terminate-after=\"PT1H\"/>"),
      "has \"terminate-after\" and is only waited for" },
    { CHECK("<process name=\"a\" action=\"terminate\" terminate-after=\"PT0S\"/>"),
      "the least is 1" },
    { CHECK("<process name=\"a\" action=\"kill\"/>"), "\"kill\" is none of: wait terminate" },
    { CHECK("<process name=\"a\" result=\"Success\"/>"),
      "<process>: \"Success\" is no result that a check can have" },
    { CHECK("<process name=\"a\" result=\"UpgradeFailedRollbackSuccess\"/>"),
      "is no result that a check can have" },
    { CHECK("<process name=\"a\" result=\"UpgradeAborted\"/>"),
      "is no result that a check can have" },
    { CHECK("<process name=\"a\" result=\"\"/>"), "is empty" },
    { CHECK("<service/>"), "lacks its attribute \"name\"" },
    { CHECK("<service name=\"a\" state=\"on\"/>"), "\"on\" is none of: running stopped" },
    { CHECK("<service name=\"a\" result=\"Aborted\"/>"), "is no result" },
    { CHECK("<database/>"), "says neither \"connection\" nor \"connection-file\"" },
    { CHECK("<database connection=\"a\" connection-file=\"b\"/>"), "says both \"connection\"" },
    { CHECK("<database connection=\"a\"><kind is=\"oracle\"/></database>"), "\"oracle\" is none" },
    { CHECK("<database connection=\"a\"><kind is=\"sqlite sqlite\"/></database>"),
      "has \"sqlite\" twice" },
    { CHECK("<database connection=\"a\"><kind is=\"\"/></database>"), "is none of: localdb" },
    { CHECK("<database connection=\"a\"><kind is=\"sqlite\" result=\"x\"/></database>"),
      "<kind>: \"x\" is no result" },
    { CHECK("<database connection=\"a\"><size below=\"0\"/></database>"), "the least is 1" },
    { CHECK("<database connection=\"a\"><size below=\"8GB\"/></database>"), "is not a size" },
    { CHECK("<database connection=\"a\"><size below=\"1\" result=\"x\"/></database>"),
      "<size>: \"x\" is no result" },
    { CHECK("<database connection=\"a\"><right name=\"x\" result=\"x\"/></database>"),
      "<right>: \"x\" is no result" },
    { CHECK("<database connection=\"a\" result=\"x\"/>"), "<database>: \"x\" is no result" },
    { CHECK("<group/>"), "says neither \"name\" nor \"sid\"" },
    { CHECK("<group name=\"a\" sid=\"S-1-1-0\"/>"), "says both \"name\" and \"sid\"" },
    { CHECK("<group sid=\"S-1-5\"/>"), "\"sid\" is no identifier" },
    { CHECK("<group sid=\"S-1-5-\"/>"), "\"sid\" is no identifier" },
    { CHECK("<group sid=\"S-2-5-32\"/>"), "\"sid\" is no identifier" },
    { CHECK("<disk/>"), "lacks its attribute \"headroom\"" },
    { CHECK("<lock/>"), "says neither \"file\" nor \"mutex\"" },
    { CHECK("<lock file=\"a\" mutex=\"b\"/>"), "says both \"file\" and \"mutex\"" },
    { CHECK("<setting file=\"a\" format=\"ini\" key=\"k\"><present/></setting>"),
      "lacks its attribute \"result\"" },
    { CHECK("<setting result=\"UpgradeAbortedX\"><present/></setting>"),
      "is nowhere: say \"file\" or \"registry\"" },
    { CHECK("<setting file=\"a\" key=\"k\" result=\"UpgradeAbortedX\"><present/></setting>"),
      "the file has no format" },
    { CHECK("<setting file=\"a\" format=\"ini\" result=\"UpgradeAbortedX\"><present/></setting>"),
      "the file has no key" },
    { CHECK("<setting file=\"a\" format=\"ini\" key=\"k\" value=\"v\" "
            "result=\"UpgradeAbortedX\"><present/></setting>"),
      "\"value\" is of the registry" },
    { CHECK("<setting registry=\"HKLM\\A\" result=\"UpgradeAbortedX\"><present/></setting>"),
      "the registry key has no value" },
    { CHECK("<setting registry=\"HKEY\\A\" value=\"v\" result=\"UpgradeAbortedX\"><present/>"
            "</setting>"),
      "does not begin with HKLM" },
    { CHECK("<setting registry=\"HKLM\\A\" value=\"v\" key=\"k\" result=\"UpgradeAbortedX\">"
            "<present/></setting>"),
      "\"format\" and \"key\" are of files" },
    { CHECK("<setting registry=\"HKLM\\A\" value=\"v\" file=\"f\" result=\"UpgradeAbortedX\">"
            "<present/></setting>"),
      "is in a file and in the registry" },
    { CHECK("<setting file=\"a\" format=\"ini\" key=\"k\" result=\"UpgradeAbortedX\"/>"),
      "says nothing of the setting" },
    { CHECK("<setting file=\"a\" format=\"ini\" key=\"k\" result=\"UpgradeAbortedX\"><present/>"
            "<equals>1</equals></setting>"),
      "mixes <equals>, <not-equals>" },
    { CHECK("<setting file=\"a\" format=\"ini\" key=\"k\" result=\"UpgradeAbortedX\">"
            "<not-equals>2</not-equals><equals>1</equals></setting>"),
      "mixes <equals>, <not-equals>" },
    { CHECK("<os result=\"UpgradeAbortedX\"/>"), "<os> lacks <is>" },
    { CHECK("<os><is name=\"linux\"/></os>"), "lacks its attribute \"result\"" },
    { CHECK("<os result=\"UpgradeAbortedX\"><is name=\"linux\" minimum=\"x\"/></os>"),
      "<is minimum>: " },
    { CHECK("<command><arg>/x</arg></command>"), "lacks its attribute \"result\"" },
    { CHECK("<command result=\"UpgradeAbortedX\"/>"), "<command> lacks <arg>" },
    { CHECK("<command result=\"UpgradeAbortedX\"><arg>x</arg></command>"), "has no path" },
    { CHECK("<command result=\"UpgradeAbortedX\"><arg>/x</arg><exit code=\"0\" "
            "result=\"UpgradeAbortedX\"/></command>"),
      "the least is 1" },
    { CHECK("<command result=\"UpgradeAbortedX\"><arg>/x</arg><exit code=\"1\" "
            "result=\"UpgradeAbortedX\"/><exit code=\"1\" result=\"Success\"/></command>"),
      "says twice what exit code 1 means" },
    { CHECK("<command result=\"UpgradeAbortedX\"><arg>/x</arg><exit code=\"1\" result=\"ok\"/>"
            "</command>"),
      "<exit>: \"ok\" is no result" },
    { CHECK("<command result=\"Success\"><arg>/x</arg></command>"), "is no result" },
    { CHECK("<ping host=\"a\"/>"), "<ping> is not known inside <checks>" },

    /* files */
    { ADD("<files unlisted=\"delete\"/>"), "\"delete\" is none of: stop carry leave-behind" },
    { ADD("<files><configuration path=\"a\"/></files>"), "lacks its attribute \"action\"" },
    { ADD("<files><configuration path=\"../a\" action=\"keep\"/></files>"),
      "<configuration path>: " },
    { ADD("<files><configuration path=\"/a\" action=\"keep\"/></files>"),
      "<configuration path>: " },
    { ADD("<files><data path=\"d/../..\" protect=\"none\"/></files>"), "<data path>: " },
    { ADD("<files><unlisted path=\"con\" action=\"stop\"/></files>"), "<unlisted path>: " },
    { ADD("<files><data protect=\"none\"/></files>"), "says neither \"path\"" },
    { ADD("<files><data path=\"a\" folder=\"/a\" protect=\"none\"/></files>"),
      "says both \"path\" and \"folder\"" },
    { ADD("<files><data path=\"a\"/></files>"), "lacks its attribute \"protect\"" },
    { ADD("<files><data path=\"a\" protect=\"command\"/></files>"),
      "is protected by commands, and needs both <backup> and <restore>" },
    { ADD("<files><data path=\"a\" protect=\"command\"><backup><arg>/x</arg></backup></data>"
          "</files>"),
      "needs both <backup> and <restore>" },
    { ADD("<files><data path=\"a\" protect=\"none\"><backup><arg>/x</arg></backup></data>"
          "</files>"),
      "has commands that nobody would run" },
    { ADD("<files><configuration path=\"a\" action=\"keep\"/>"
          "<configuration path=\"a\" action=\"replace\"/></files>"),
      "a is named twice, as <configuration> and as <configuration>" },
    { ADD("<files><configuration path=\"a\" action=\"keep\"/><data path=\"a\" protect=\"none\"/>"
          "</files>"),
      "a is named twice, as <configuration> and as <data>" },
    { ADD("<files><configuration path=\"a/b\" action=\"keep\"/><data path=\"a\" protect=\"none\"/>"
          "</files>"),
      "<configuration> a/b is inside the <data> a" },
    { ADD("<files><data path=\"a\" protect=\"none\"/><data path=\"a/b\" "
          "protect=\"none\"/></files>"),
      "<data> a/b is inside the <data> a" },
    { ADD("<files><data path=\"a\" protect=\"none\"/><unlisted path=\"a/b\" action=\"stop\"/>"
          "</files>"),
      "<unlisted> a/b is inside the <data> a" },
    { ADD("<files><configuration path=\"a\" action=\"keep\"/>"
          "<configuration path=\"a/b\" action=\"keep\"/></files>"),
      "paths \"a\" and \"a/b\" cannot both be" },
    { ADD("<files><configuration path=\"a\" action=\"keep\"/>"
          "<configuration path=\"A\" action=\"keep\"/></files>"),
      "paths \"A\" and \"a\" are one" },
    { ADD("<files><data folder=\"/opt/orchard/data\" protect=\"none\"/></files>"),
      "the data folder /opt/orchard/data is inside the install folder: say it as \"path\"" },
    { ADD("<files><data folder=\"/opt\" protect=\"none\"/></files>"),
      "the data folder /opt has the install folder in it" },

    /* policy */
    { ADD("<policy keep=\"0\"/>"), "the least is 1" },
    { ADD("<policy keep=\"100\"/>"), "the most is 99" },
    { ADD("<policy interval=\"PT1S\"/>"), "the least is 60" },
    { ADD("<policy jitter=\"P1M\"/>"), "is not a duration" },
    { ADD("<policy after-deadline=\"never\"/>"), "\"never\" is none of: wait now" },
    { ADD("<policy><default-state/></policy>"), "lacks its attribute \"is\"" },
    { ADD("<policy><default-state is=\"suspended\"/></policy>"), "\"suspended\" is none of" },
    { ADD("<policy><default-state is=\"disabled\"><group name=\"a\"/></default-state></policy>"),
      "is disabled, and its conditions would mean nothing" },
    { ADD("<policy><window from=\"24:00\" to=\"01:00\"/></policy>"), "\"from\" is no time" },
    { ADD("<policy><window from=\"9:00\" to=\"10:00\"/></policy>"), "\"from\" is no time" },
    { ADD("<policy><window from=\"09:60\" to=\"10:00\"/></policy>"), "\"from\" is no time" },
    { ADD("<policy><window from=\"09:00\" to=\"24:01\"/></policy>"), "\"to\" is no time" },
    { ADD("<policy><window from=\"09:00\" to=\"0x:00\"/></policy>"), "\"to\" is no time" },
    { ADD("<policy><window from=\"09:00\" to=\"09:00\"/></policy>"),
      "\"from\" and \"to\" are the same" },
    { ADD("<policy><window days=\"son\" from=\"09:00\" to=\"10:00\"/></policy>"),
      "\"son\" is none of: mon" },
    { ADD("<policy><window days=\"mon  tue\" from=\"09:00\" to=\"10:00\"/></policy>"),
      "is none of: mon" },
    { ADD("<policy><window days=\"mon mon\" from=\"09:00\" to=\"10:00\"/></policy>"),
      "has \"mon\" twice" },
    { ADD("<policy><window from=\"09:00\" to=\"10:00\" zone=\"CET\"/></policy>"),
      "\"CET\" is none of: local utc" },
    { ADD("<policy><retry aborted=\"PT1S\"/></policy>"), "the least is 60" },
    { ADD("<policy><retry/><retry/></policy>"), "has a second <retry>" },

    /* the document */
    { "urn:surefoot:product:1", "urn:surefoot:product:2", "is not in the namespace" },
    { "<product ", "<!DOCTYPE product><product ", "DOCTYPE" },
    { ADD("<script/>"), "<script> is not known inside <product>" },
};

static void each_rule_refuses_with_its_words(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct product p = { .name = NULL };
        struct err err;
        enum errc rc = read_edited(refusals[i].from, refusals[i].to, &p, &err);
        if (rc == E_OK)
            fail_msg("was read: %s", refusals[i].to);
        if (rc != E_MALFORMED || strstr(err.text, refusals[i].words) == NULL)
            fail_msg("%s\n  for: %s\n  not: %s", err.text, refusals[i].to, refusals[i].words);
        assert_int_equal(strncmp(err.text, "line ", 5), 0);
        assert_null(p.name);
    }
}

static void no_sentence_is_cut_off(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct product p;
        struct err err;
        assert_int_not_equal(read_edited(refusals[i].from, refusals[i].to, &p, &err), E_OK);
        if (strlen(err.text) >= sizeof(err.text) - 1)
            fail_msg("too long: %s", err.text);
    }
}

/* repeated is `text` so many times; caller frees with buf_fini. */
static struct buf repeated(const char *before, const char *text, size_t n, const char *after)
{
    struct buf b;
    struct err err;
    buf_init(&b, PRODUCT_BYTES_MAX * 2);
    assert_int_equal(buf_add_text(&b, before, &err), E_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_add_text(&b, text, &err), E_OK);
    assert_int_equal(buf_add_text(&b, after, &err), E_OK);
    assert_int_equal(buf_add_byte(&b, '\0', &err), E_OK);
    return b;
}

static void too_much_is_refused(void **state)
{
    UNUSED(state);
    struct product p;
    struct err err;
    struct buf b = repeated("<checks>", "<disk headroom=\"1\"/>", 201, "</checks></product>");
    assert_int_equal(read_edited("</product>", (const char *)b.ptr, &p, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "<checks> has more than 200 <disk>"));
    buf_fini(&b);
    b = repeated("", FEED, 17, "");
    assert_int_equal(read_edited(FEED, (const char *)b.ptr, &p, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "<fetch> has more than 16 <feed>"));
    buf_fini(&b);
    b = repeated("", " ", PRODUCT_BYTES_MAX, "</product>");
    assert_int_equal(read_edited("</product>", (const char *)b.ptr, &p, &err), E_LIMIT);
    buf_fini(&b);
    b = repeated("title=\"", "a", 125, "\" name=");
    assert_int_equal(read_edited("name=", (const char *)b.ptr, &p, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "too long to make an event source of"));
    buf_fini(&b);
    b = repeated("event-source=\"", "a", 129, "\" name=");
    assert_int_equal(read_edited("name=", (const char *)b.ptr, &p, &err), E_MALFORMED);
    assert_non_null(strstr(err.text, "\"event-source\" is longer than 128 bytes"));
    buf_fini(&b);
}

static void what_is_no_document_is_refused(void **state)
{
    UNUSED(state);
    struct product p;
    struct err err;
    assert_int_not_equal(product_read(span_text(""), &p, &err), E_OK);
    assert_int_not_equal(product_read(span_text("<product"), &p, &err), E_OK);
    assert_int_equal(product_read(span_text("<feed xmlns=\"urn:surefoot:product:1\"/>"), &p, &err),
                     E_MALFORMED);
    assert_non_null(strstr(err.text, "a <feed> where a <product> was expected"));
    struct product zeroed = { .name = NULL };
    product_fini(&zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_file_has_the_defaults),
        cmocka_unit_test(the_event_source_follows_the_title),
        cmocka_unit_test(an_archive_and_an_msi_are_installed_differently),
        cmocka_unit_test(feeds_keep_their_order_and_fetch_its_limits),
        cmocka_unit_test(http_needs_no_leave_on_this_machine_alone),
        cmocka_unit_test(trust_is_read_word_by_word),
        cmocka_unit_test(each_demand_stands_alone),
        cmocka_unit_test(services_run_by_name_or_by_commands),
        cmocka_unit_test(the_scheduler_is_asked_by_commands_or_a_setting),
        cmocka_unit_test(health_is_probed_by_http_and_commands),
        cmocka_unit_test(each_check_has_the_result_of_its_kind),
        cmocka_unit_test(checks_keep_their_order_and_say_what_they_ask),
        cmocka_unit_test(files_and_data_say_what_becomes_of_them),
        cmocka_unit_test(policy_says_when),
        cmocka_unit_test(folders_and_marker_are_read),
        cmocka_unit_test(each_rule_refuses_with_its_words),
        cmocka_unit_test(no_sentence_is_cut_off),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(what_is_no_document_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
