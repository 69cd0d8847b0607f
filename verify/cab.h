#ifndef SUREFOOT_VERIFY_CAB_H
#define SUREFOOT_VERIFY_CAB_H

/* cab.h: the header of a cabinet and the place of an Authenticode signature in it ([MS-CAB] 2.1;
 * the reserve's content is Authenticode's own convention).
 *
 *      0  "MSCF"        *4  reserved1 = 0   8  cbCabinet        12  reserved2 = 0
 *     16  coffFiles     20  reserved3 = 0  24  version 3, 1    26  cFolders     28  cFiles
 *     30  flags         32  setID         *34  iCabinet = 0
 *    *36  cbCFHeader = 20  *38  cbCFFolder = 0  *39  cbCFData = 0
 *    *40  00 00 10 00  *44  signature's offset = cbCabinet  *48  its size  *52  0
 *     56  0             60  CFFOLDER entries, CFFILE entries, CFDATA blocks
 *     cbCabinet         the signature: DER and 0..7 zero bytes, up to the end of the file
 *
 * The signature's digest leaves out what is marked *, so that must have its only right value. What
 * is not checked: CFFILE entries and the compressed content, which the digest covers. */

#include "platform/source.h"
#include "verify/verdict.h"

#define CAB_HEADER_LEN 36
#define CAB_RESERVE_LEN 20
#define CAB_SIGNED_HEADER_LEN 60
#define CAB_MARKER 0x00100000U

enum cab_flag { CAB_HAS_PREVIOUS = 1, CAB_HAS_NEXT = 2, CAB_HAS_RESERVE = 4 };

struct cab_header {
    uint32_t reserved1, size, reserved2, files_at, reserved3;
    uint8_t minor, major;
    uint16_t n_folders, n_files, flags, set_id, number;
    /* The reserve; zero where there is none, and from `marker` on where it is of another size. */
    uint16_t header_reserve;
    uint8_t folder_reserve, data_reserve;
    uint32_t marker, sig_at, sig_size;
    uint64_t tail;
};

/* cab_read_header reads what is there and judges nothing but "MSCF": E_MALFORMED, E_TRUNCATED. */
MUST_USE enum errc cab_read_header(struct source *src, struct cab_header *out, struct err *err);

/* cab_names_signature is true if the reserve says that there is a signature. */
bool cab_names_signature(const struct cab_header *h);

/* cab_check_header adds a fatal Malformed for each field of a signed cabinet that is not as drawn
 * above. */
void cab_check_header(const struct cab_header *h, struct findings *findings);

/* cab_check_folders follows the chain of CFDATA blocks of every folder of a signed cabinet whose
 * header is right, and fails with E_MALFORMED where one leaves the cabinet. E_LIMIT past
 * CAB_BLOCKS_MAX blocks in all. */
#define CAB_BLOCKS_MAX (512 * 1024) /* 16 GiB of files */
MUST_USE enum errc cab_check_folders(struct source *src, const struct cab_header *h,
                                     struct err *err);

#endif
