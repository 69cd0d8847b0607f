/* verify_file: accept or refuse one file with libsurefoot.
 *
 *   cc verify_file.c -o verify_file $(pkg-config --cflags --libs surefoot)
 *   ./verify_file anchors.pem "Example Corporation" setup.msi
 *
 * Exit code 0: accepted. 1: could not find out. 2: wrong usage. 3: not accepted. */

#include "surefoot.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANCHORS_MAX (1024 * 1024)

/* Reads at most ANCHORS_MAX bytes; 0 where the file cannot be read or is larger. */
static size_t read_anchors(const char *path, char *to)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t n = fread(to, 1, ANCHORS_MAX, file);
    int is_whole = feof(file) || fgetc(file) == EOF;
    int failed = ferror(file);
    if (fclose(file) != 0 || failed || !is_whole)
        return 0;
    return n;
}

static int add_trust(sf_verifier *v, const char *anchors_path, const char *publisher)
{
    char *anchors = malloc(ANCHORS_MAX);
    if (anchors == NULL)
        return 0;
    size_t n = read_anchors(anchors_path, anchors);
    int ok = n > 0 && sf_verifier_add_anchors(v, SF_ANCHOR_CODE, anchors, n) == SF_OK &&
             sf_verifier_demand_publisher(v, publisher) == SF_OK;
    free(anchors);
    return ok;
}

static void show(const sf_verdict *verdict)
{
    (void)printf("%s\n", sf_verdict_outcome(verdict) == SF_ACCEPTED ? "accepted" : "not accepted");
    for (size_t i = 0; i < sf_verdict_n_reasons(verdict, 0); i++)
        (void)printf("  %s: %s\n", sf_verdict_reason_code(verdict, 0, i),
                     sf_verdict_reason_detail(verdict, 0, i));
    for (size_t i = 0; i < sf_verdict_n_signatures(verdict); i++)
        (void)printf("  signed by %s\n", sf_signature_subject(verdict, i));
}

static int judge(const sf_verifier *v, const char *path)
{
    sf_verdict *verdict = NULL;
    sf_status status = sf_verify_file(v, path, NULL, 0, (int64_t)time(NULL), &verdict);
    if (verdict != NULL)
        show(verdict);
    /* Both are asked: a verdict that was reached, and that it is acceptance. */
    int is_accepted = status == SF_OK && sf_verdict_outcome(verdict) == SF_ACCEPTED;
    sf_verdict_free(verdict);
    return is_accepted ? 0 : status == SF_OK ? 3 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fprintf(stderr, "usage: verify_file ANCHORS.pem PUBLISHER FILE\n");
        return 2;
    }
    sf_verifier *v = sf_verifier_new();
    if (v == NULL)
        return 1;
    int code = 2;
    if (add_trust(v, argv[1], argv[2]))
        code = judge(v, argv[3]);
    else
        (void)fprintf(stderr, "%s: %s\n", argv[1], sf_verifier_error(v));
    sf_verifier_free(v);
    return code;
}
