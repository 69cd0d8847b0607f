/* The Task Scheduler by ITaskService. Not yet seen on Microsoft's own Windows: wine registers,
 * replaces, finds and removes tasks, but keeps neither their triggers, accounts and programs nor
 * access lists. */

#define COBJMACROS
/* initguid.h makes the GUIDs that taskschd.h only declares. */
#include <initguid.h>

#include <windows.h>

#include <oleauto.h>
#include <sddl.h>
#include <taskschd.h>

#include <stdlib.h>
#include <string.h>

#include "platform/native.h"
#include "platform/win32/w32.h"

/* Of what an administrator makes: changed by administrators and the system alone, read by all. The
 * folder hands it down. */
#define TASK_RIGHTS L"D:P(A;;FA;;;BA)(A;;FA;;;SY)(A;;FR;;;AU)"
#define FOLDER_RIGHTS L"D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;FR;;;AU)"

/* winerror.h's own names, which mingw-w64 does not have. */
#define SCHEDULER_UNEXPECTED_NODE ((HRESULT)0x80041316)
#define SCHEDULER_MALFORMED_XML ((HRESULT)0x8004131A)

static bool is_absent(HRESULT hr)
{
    return hr == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND) ||
           hr == HRESULT_FROM_WIN32(ERROR_PATH_NOT_FOUND);
}

static enum errc fail(HRESULT hr, const char *what, struct err *err)
{
    const bool is_win32 = HRESULT_FACILITY(hr) == FACILITY_WIN32;
    enum errc rc = w32_err_set(err, (DWORD)(is_win32 ? HRESULT_CODE(hr) : hr), "%s", what);
    if (hr >= SCHEDULER_UNEXPECTED_NODE && hr <= SCHEDULER_MALFORMED_XML)
        rc = err->code = E_MALFORMED;
    return rc;
}

/* ------------------------------------------------------------------------------------------
 * texts */

static enum errc make_bstr(const char *text, BSTR *out, struct err *err)
{
    wchar_t *wide = NULL;
    enum errc rc = w32_wide(text, &wide, err);
    if (rc != E_OK)
        return rc;
    *out = SysAllocString(wide);
    free(wide);
    return *out != NULL ? E_OK : err_nomem(err);
}

/* A declaration names an encoding, and what goes to and fro is in another one. */
static struct span cut_declaration(struct span xml)
{
    const char *end = "?>";
    if (!span_starts_with(xml, span_text("<?xml ")))
        return xml;
    for (size_t i = 0; i + 2 <= xml.len; i++)
        if (memcmp(xml.ptr + i, end, 2) == 0) {
            xml = span_sub(xml, i + 2, xml.len);
            break;
        }
    while (xml.len > 0 && (xml.ptr[0] == '\n' || xml.ptr[0] == '\r'))
        xml = span_sub(xml, 1, xml.len);
    return xml;
}

static enum errc make_xml(struct span xml, BSTR *out, struct err *err)
{
    struct buf text;
    xml = cut_declaration(xml);
    buf_init(&text, xml.len + 1);
    enum errc rc = buf_add(&text, xml, err);
    if (rc == E_OK)
        rc = buf_add_byte(&text, '\0', err);
    if (rc == E_OK)
        rc = make_bstr((const char *)text.ptr, out, err);
    buf_fini(&text);
    return rc;
}

static enum errc add_bstr(const wchar_t *text, struct buf *out, struct err *err)
{
    char *utf8 = NULL;
    enum errc rc = w32_utf8(text, &utf8, err);
    if (rc == E_OK)
        rc = buf_add(out, cut_declaration(span_text(utf8)), err);
    free(utf8);
    return rc;
}

static VARIANT nothing(void)
{
    VARIANT v;
    VariantInit(&v);
    return v;
}

/* What is made belongs to its maker as Windows has it, but for an administrator's. */
static VARIANT rights_of(BSTR rights)
{
    VARIANT v = nothing();
    if (rights != NULL) {
        V_VT(&v) = VT_BSTR;
        V_BSTR(&v) = rights;
    }
    return v;
}

/* ------------------------------------------------------------------------------------------
 * the service */

/* One conversation: COM, the root folder, the task's own folder ("\Surefoot") and name. */
struct talk {
    bool has_com;
    ITaskService *service;
    ITaskFolder *root, *folder; /* folder NULL: there is none */
    BSTR folder_name, name;
};

static void hang_up(struct talk *t)
{
    if (t->folder != NULL)
        ITaskFolder_Release(t->folder);
    if (t->root != NULL)
        ITaskFolder_Release(t->root);
    if (t->service != NULL)
        ITaskService_Release(t->service);
    SysFreeString(t->folder_name);
    SysFreeString(t->name);
    if (t->has_com)
        CoUninitialize();
}

static enum errc take_names(struct talk *t, const char *name, struct err *err)
{
    const char *cut = strrchr(name, '\\');
    char folder[128];
    if (cut == NULL || cut == name || cut[1] == '\0' || strpbrk(name, "/:*?\"<>|") != NULL)
        return err_set(err, E_ARGUMENT, "is no folder and name of a task");
    if ((size_t)(cut - name) + 2 > sizeof(folder))
        return err_set(err, E_ARGUMENT, "the folder's name is too long");
    folder[0] = '\\';
    memcpy(folder + 1, name, (size_t)(cut - name));
    folder[(cut - name) + 1] = '\0';
    enum errc rc = make_bstr(folder, &t->folder_name, err);
    return rc == E_OK ? make_bstr(cut + 1, &t->name, err) : rc;
}

static enum errc connect(struct talk *t, struct err *err)
{
    HRESULT hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    t->has_com = SUCCEEDED(hr); /* a thread that has COM in another way keeps it */
    if (FAILED(hr) && hr != RPC_E_CHANGED_MODE)
        return fail(hr, "cannot use COM", err);
    hr = CoCreateInstance(&CLSID_TaskScheduler, NULL, CLSCTX_INPROC_SERVER, &IID_ITaskService,
                          (void **)&t->service);
    if (hr == REGDB_E_CLASSNOTREG)
        return err_set(err, E_UNSUPPORTED, "this Windows has no Task Scheduler");
    if (FAILED(hr))
        return fail(hr, "cannot use the Task Scheduler", err);
    hr = ITaskService_Connect(t->service, nothing(), nothing(), nothing(), nothing());
    return FAILED(hr) ? fail(hr, "the Task Scheduler does not answer", err) : E_OK;
}

static enum errc open_folder(struct talk *t, struct err *err)
{
    BSTR root = SysAllocString(L"\\");
    if (root == NULL)
        return err_nomem(err);
    HRESULT hr = ITaskService_GetFolder(t->service, root, &t->root);
    SysFreeString(root);
    if (FAILED(hr))
        return fail(hr, "cannot open the root folder of the Task Scheduler", err);
    hr = ITaskService_GetFolder(t->service, t->folder_name, &t->folder);
    if (SUCCEEDED(hr))
        return E_OK;
    t->folder = NULL;
    return is_absent(hr) ? E_OK : fail(hr, "cannot open the task's folder", err);
}

/* Caller ends it with hang_up, also where this fails. */
static enum errc call(struct talk *t, const char *name, struct err *err)
{
    *t = (struct talk){ .has_com = false };
    enum errc rc = take_names(t, name, err);
    if (rc == E_OK)
        rc = connect(t, err);
    return rc == E_OK ? open_folder(t, err) : rc;
}

/* ------------------------------------------------------------------------------------------
 * operations */

static enum errc give_xml(IRegisteredTask *task, struct buf *out, struct err *err)
{
    BSTR xml = NULL;
    HRESULT hr = IRegisteredTask_get_Xml(task, &xml);
    if (FAILED(hr) || xml == NULL)
        return fail(FAILED(hr) ? hr : E_POINTER, "cannot read the task", err);
    enum errc rc = add_bstr(xml, out, err);
    SysFreeString(xml);
    return rc;
}

static enum errc task_find(void *self, const char *name, struct buf *out, bool *out_found,
                           struct err *err)
{
    struct talk t;
    IRegisteredTask *task = NULL;
    UNUSED(self);
    enum errc rc = call(&t, name, err);
    if (rc == E_OK && t.folder != NULL) {
        HRESULT hr = ITaskFolder_GetTask(t.folder, t.name, &task);
        if (FAILED(hr) && !is_absent(hr))
            rc = fail(hr, "cannot open the task", err);
        if (FAILED(hr))
            task = NULL;
    }
    if (rc == E_OK && task != NULL && out != NULL)
        rc = give_xml(task, out, err);
    if (rc == E_OK)
        *out_found = task != NULL;
    if (task != NULL)
        IRegisteredTask_Release(task);
    hang_up(&t);
    return rc;
}

static enum errc make_folder(struct talk *t, bool is_elevated, struct err *err)
{
    BSTR rights = is_elevated ? SysAllocString(FOLDER_RIGHTS) : NULL;
    if (is_elevated && rights == NULL)
        return err_nomem(err);
    HRESULT hr = ITaskFolder_CreateFolder(t->root, t->folder_name, rights_of(rights), &t->folder);
    SysFreeString(rights);
    return FAILED(hr) ? fail(hr, "cannot make the task's folder", err) : E_OK;
}

/* Whose rights it has is said in its description. */
static enum errc register_task(struct talk *t, BSTR xml, bool is_elevated, struct err *err)
{
    IRegisteredTask *task = NULL;
    BSTR rights = is_elevated ? SysAllocString(TASK_RIGHTS) : NULL;
    if (is_elevated && rights == NULL)
        return err_nomem(err);
    HRESULT hr = ITaskFolder_RegisterTask(t->folder, t->name, xml, TASK_CREATE_OR_UPDATE, nothing(),
                                          nothing(), TASK_LOGON_NONE, rights_of(rights), &task);
    SysFreeString(rights);
    if (SUCCEEDED(hr) && task != NULL)
        IRegisteredTask_Release(task);
    return FAILED(hr) ? fail(hr, "cannot register the task", err) : E_OK;
}

static enum errc task_put(void *self, const char *name, struct span xml, struct err *err)
{
    struct talk t;
    BSTR wide = NULL;
    const bool is_elevated = w32_is_elevated();
    UNUSED(self);
    enum errc rc = call(&t, name, err);
    if (rc == E_OK)
        rc = make_xml(xml, &wide, err);
    if (rc == E_OK && t.folder == NULL)
        rc = make_folder(&t, is_elevated, err);
    if (rc == E_OK)
        rc = register_task(&t, wide, is_elevated, err);
    SysFreeString(wide);
    hang_up(&t);
    return rc;
}

static enum errc task_remove(void *self, const char *name, struct err *err)
{
    struct talk t;
    UNUSED(self);
    enum errc rc = call(&t, name, err);
    HRESULT hr = HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND);
    if (rc == E_OK && t.folder != NULL)
        hr = ITaskFolder_DeleteTask(t.folder, t.name, 0);
    if (rc == E_OK && is_absent(hr))
        rc = err_set(err, E_ABSENT, "there is no such task");
    else if (rc == E_OK && FAILED(hr))
        rc = fail(hr, "cannot remove the task", err);
    if (rc == E_OK)
        (void)ITaskFolder_DeleteFolder(t.root, t.folder_name, 0); /* one with more tasks stays */
    hang_up(&t);
    return rc;
}

static enum errc task_own_account(void *self, char *to, size_t room, struct err *err)
{
    union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } of;
    HANDLE token = NULL;
    DWORD len = 0;
    LPSTR text = NULL;
    UNUSED(self);
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return w32_err_set(err, GetLastError(), "cannot ask whose we are");
    enum errc rc = E_OK;
    if (!GetTokenInformation(token, TokenUser, &of, sizeof(of), &len) ||
        !ConvertSidToStringSidA(of.user.User.Sid, &text))
        rc = w32_err_set(err, GetLastError(), "cannot ask whose we are");
    if (rc == E_OK && strlen(text) >= room)
        rc = err_set(err, E_LIMIT, "no room for a security identifier");
    if (rc == E_OK)
        memcpy(to, text, strlen(text) + 1);
    (void)LocalFree(text);
    (void)CloseHandle(token);
    return rc;
}

const struct task_ops native_task_ops = {
    .find = task_find, .put = task_put, .remove = task_remove, .own_account = task_own_account
};
