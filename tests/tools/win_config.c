/* win_config: reads OpenSSL's configuration as a program does that takes no care, and ends with 0
 * where SHA-256 is there then. A control for tests that see that Surefoot does not read it. */

#include <openssl/crypto.h>
#include <openssl/evp.h>

int main(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD_free(md);
    return md == NULL;
}
