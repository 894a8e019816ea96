/* certificate: what the protocol must know of a client's certificate (RFC 8705). Nothing is proven here: whoever asks for the names has to know
 * that somebody checked the chain. */
#ifndef GRANTD_CERTIFICATE_H
#define GRANTD_CERTIFICATE_H

#include "arena.h"
#include "digest.h"

#define CERTIFICATE_MAX       16384 /* bytes of DER */
#define CERTIFICATE_NAMES_MAX 64    /* further ones are not looked at */

enum certificate_name_kind { CERTIFICATE_DNS, CERTIFICATE_URI, CERTIFICATE_IP, CERTIFICATE_EMAIL };

/* An alternative name; an address in its shortest form. */
struct certificate_name {
    enum certificate_name_kind kind;
    str text;
};

struct certificate {
    uint8_t thumbprint[SHA256_BYTES]; /* of the DER: x5t#S256 */
    str subject;                      /* RFC 4514, the most specific part first: "CN=app,O=Example,C=US" */
    const struct certificate_name *names;
    size_t n_names;
};

/* Reads one certificate in DER, into the arena. False when it is none, has bytes behind it, or is larger than CERTIFICATE_MAX. Names with a NUL in
 * them are left out. */
bool certificate_read(str der, struct arena *arena, struct certificate *out);

/* Takes the next certificate off a text in PEM. False when there is none, or it cannot be read. */
bool certificate_read_pem(str *pem, struct arena *arena, struct certificate *out);

/* Numbers of a public key, big-endian: the coordinates of a point, or modulus and exponent of RSA. */
struct public_key {
    bool is_rsa;
    str first, second;
};

/* True when this certificate (DER) is of that key. Nothing else of it is looked at. */
bool certificate_is_of_key(str der, const struct public_key *key);

/* An address as certificate_read gives it; empty when it is none. */
str certificate_address(str text, struct arena *arena);

#endif
