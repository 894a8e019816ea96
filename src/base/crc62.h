/* CRC-32 (IEEE 802.3, reflected, as zlib) and its six base62 digits: the checksum at the end of every visible token. */
#ifndef GRANTD_CRC62_H
#define GRANTD_CRC62_H

#include "str.h"

uint32_t crc32_ieee(str s);

/* Six digits of 0-9 A-Z a-z, most significant first. */
void crc62_write(uint32_t crc, char out[6]);

#endif
