#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/text.h"
#include "platform/win32/host_parts.h"
#include "platform/win32/w32.h"

typedef LONG(WINAPI *version_fn)(RTL_OSVERSIONINFOW *out);
typedef BOOL(WINAPI *machine_fn)(HANDLE process, USHORT *out_process, USHORT *out_native);

static const struct {
    USHORT machine;
    const char *word;
} archs[] = {
    { IMAGE_FILE_MACHINE_AMD64, "x86_64" },
    { IMAGE_FILE_MACHINE_ARM64, "aarch64" },
    { IMAGE_FILE_MACHINE_I386, "x86" },
    { IMAGE_FILE_MACHINE_ARMNT, "armv7" },
};

/* The kernel's, also where it runs our program by emulation. */
static const char *arch_of_kernel(void)
{
    USHORT process = 0, native = 0;
    const machine_fn ask = (machine_fn)w32_function(L"kernel32.dll", "IsWow64Process2");
    if (ask != NULL && ask(GetCurrentProcess(), &process, &native))
        for (size_t i = 0; i < ARRAY_LEN(archs); i++)
            if (archs[i].machine == native)
                return archs[i].word;
    return "";
}

/* The number of the month's update, which is not in the version. */
static DWORD update_number(void)
{
    DWORD number = 0, len = sizeof(number);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", L"UBR",
                     RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY, NULL, &number,
                     &len) != ERROR_SUCCESS)
        return 0;
    return number;
}

/* GetVersionEx tells programs an older version than there is; this is the kernel's own word. */
enum errc host_os(void *self, struct host_os *out, struct err *err)
{
    RTL_OSVERSIONINFOW v = { .dwOSVersionInfoSize = sizeof(v) };
    struct host_os os = { .os = "windows", .id = "windows" };
    const version_fn ask = (version_fn)w32_function(L"ntdll.dll", "RtlGetVersion");
    UNUSED(self);
    if (ask == NULL || ask(&v) != 0)
        return err_set(err, E_IO, "Windows does not say its version");
    (void)text_copy(os.arch, sizeof(os.arch), arch_of_kernel());
    if (os.arch[0] == '\0')
        return err_set(err, E_UNSUPPORTED, "a processor of a kind that we don't know");
    (void)snprintf(os.version, sizeof(os.version), "%lu.%lu.%lu", (unsigned long)v.dwMajorVersion,
                   (unsigned long)v.dwMinorVersion, (unsigned long)v.dwBuildNumber);
    (void)snprintf(os.kernel, sizeof(os.kernel), "%s.%lu", os.version,
                   (unsigned long)update_number());
    *out = os;
    return E_OK;
}

enum errc host_name(void *self, char *to, size_t room, struct err *err)
{
    wchar_t wide[256];
    char *text = NULL;
    DWORD len = (DWORD)ARRAY_LEN(wide);
    UNUSED(self);
    if (!GetComputerNameExW(ComputerNamePhysicalDnsHostname, wide, &len))
        return w32_err_set(err, GetLastError(), "the system does not say its name");
    enum errc rc = w32_utf8(wide, &text, err);
    if (rc == E_OK)
        (void)text_printable(span_text(text), to, room);
    free(text);
    return rc;
}

/* "12345678-9abc-def0-1234-56789abcdef0", made when Windows was set up. */
enum errc host_machine_id(void *self, uint8_t to[HOST_MACHINE_ID_LEN], struct err *err)
{
    wchar_t wide[64] = L"";
    char digits[2 * HOST_MACHINE_ID_LEN + 2];
    uint8_t id[HOST_MACHINE_ID_LEN];
    DWORD len = sizeof(wide);
    size_t n = 0;
    UNUSED(self);
    const LSTATUS os =
        RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Cryptography", L"MachineGuid",
                     RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, wide, &len);
    if (os != ERROR_SUCCESS && os != ERROR_MORE_DATA)
        return w32_err_set(err, (DWORD)os, "the machine's id (MachineGuid) is not told");
    for (const wchar_t *c = wide; *c != L'\0' && n < sizeof(digits); c++)
        if (*c != L'-')
            digits[n++] = *c < 0x7F ? (char)*c : '?';
    if (os != ERROR_SUCCESS || !text_from_hex(span_of(digits, n), id, sizeof(id)) ||
        span_is_filled(span_of(id, sizeof(id)), 0))
        return err_set(err, E_ABSENT, "MachineGuid holds no id");
    memcpy(to, id, sizeof(id));
    return E_OK;
}

/* --- starts of the machine
 *
 * A volatile key is kept in memory alone, and so is gone after the next start of the machine
 * (RegCreateKeyEx, REG_OPTION_VOLATILE). When the first of us made it tells the starts apart. For
 * who may not write below HKLM it is kept with the user, whose keys are also gone when they log
 * off: no two starts are taken for one. Where Windows "starts fast" its kernel and this key outlive
 * the machine's being off. */

#define BOOT_KEY L"SOFTWARE\\Surefoot\\Boot"

static LSTATUS open_key(HKEY root, bool may_make, HKEY *out)
{
    LSTATUS os = RegOpenKeyExW(root, BOOT_KEY, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, out);
    if (os != ERROR_FILE_NOT_FOUND || !may_make)
        return os;
    HKEY parent = NULL;
    os = RegCreateKeyExW(root, L"SOFTWARE\\Surefoot", 0, NULL, 0,
                         KEY_CREATE_SUB_KEY | KEY_WOW64_64KEY, NULL, &parent, NULL);
    if (os != ERROR_SUCCESS)
        return os;
    os = RegCreateKeyExW(parent, L"Boot", 0, NULL, REG_OPTION_VOLATILE,
                         KEY_QUERY_VALUE | KEY_WOW64_64KEY, NULL, out, NULL);
    (void)RegCloseKey(parent);
    return os;
}

enum errc host_boot_id(void *self, char to[HOST_BOOT_ID_ROOM], struct err *err)
{
    FILETIME made = { 0, 0 };
    HKEY key = NULL;
    UNUSED(self);
    LSTATUS os = open_key(HKEY_LOCAL_MACHINE, true, &key);
    if (os == ERROR_ACCESS_DENIED)
        os = open_key(HKEY_CURRENT_USER, true, &key);
    if (os != ERROR_SUCCESS)
        return w32_err_set(err, (DWORD)os, "starts of the machine cannot be told apart");
    os = RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &made);
    (void)RegCloseKey(key);
    if (os != ERROR_SUCCESS)
        return w32_err_set(err, (DWORD)os, "starts of the machine cannot be told apart");
    if (made.dwHighDateTime == 0)
        return err_set(err, E_UNSUPPORTED, "the registry does not say when a key was made");
    (void)snprintf(to, HOST_BOOT_ID_ROOM, "%08lx%08lx", (unsigned long)made.dwHighDateTime,
                   (unsigned long)made.dwLowDateTime);
    return E_OK;
}
