/* win_load LIBRARY...: loads each as a program does that takes no care: what is planted beside it
 * is found. A control for tests that see that Surefoot takes care; the exit code is how many were
 * not found. */

#include <windows.h>

#include <bcrypt.h>
#include <wincrypt.h>

int main(int argc, char **argv)
{
    int missed = 0;
    UCHAR byte;
    HCERTSTORE store;
    for (int i = 1; i < argc; i++)
        missed += LoadLibraryA(argv[i]) == NULL;
    /* These two it has among its imports, as Surefoot would without its own list (win32/late). */
    store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
    if (store != NULL)
        (void)CertCloseStore(store, 0);
    (void)BCryptGenRandom(NULL, &byte, 1, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    return missed;
}
