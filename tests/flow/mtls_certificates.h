/* Two certificates of tests/flow/mtls_test.c, as nginx escapes them, and their thumbprints. They end in a hundred years; nobody looks. */
#define CERTIFICATE_ONE                                                                                                \
    "-----BEGIN%20CERTIFICATE-----"                                                                                    \
    "%0AMIICGjCCAcCgAwIBAgIULa1GrxBD8po2gjZUEGKQdsj1m9IwCgYIKoZIzj0EAwIw%0AMzELMAkGA1UEBhMCVVMxFjAUBgNVBAoMDUV4YW1w"   \
    "bGUsIEluYy4xDDAKBgNVBAMM%0AA2FwcDAgFw0yNjExMjIwNzE3MDJaGA8yMTI2MTAyOTA3MTcwMlowMzELMAkGA1UE%0ABhMCVVMxFjAUBgNV"   \
    "BAoMDUV4YW1wbGUsIEluYy4xDDAKBgNVBAMMA2FwcDBZMBMG%0AByqGSM49AgEGCCqGSM49AwEHA0IABANCMAts62SlcPHqSOQ6HSd6TAtMGoK"   \
    "31TE4%0A6R71Km0uJprfDZIMu9XohHU1d2VapH2xOKeAzpbJMgZolj21G%2Byjga8wgawwHQYD%0AVR0OBBYEFGmnifqZ8AuZHt46vNQTKFzJ4"   \
    "%2FpeMB8GA1UdIwQYMBaAFGmnifqZ8AuZ%0AHt46vNQTKFzJ4%2FpeMA8GA1UdEwEB%2FwQFMAMBAf8wWQYDVR0RBFIwUIIPYXBwLmV4%0AYW1"   \
    "wbGUuY29thhRzcGlmZmU6Ly9leGFtcGxlL2FwcIcEwAACB4cQIAENuAAAAAAA%0AAAAAAAAAAYEPb3BzQGV4YW1wbGUuY29tMAoGCCqGSM49BA"   \
    "MCA0gAMEUCIAcsTylD%0AptwLZSslwJZ1RVUcKbNW2XJzc89ENQliNnygAiEAq6KlxAdYPIpBHAuZ1ue3gVXC%0Ag%2BkBODGQ46Eo0%2FtJ9B"   \
    "c%3D%0A-----END%20CERTIFICATE-----%0A"
#define THUMBPRINT_ONE "ad86d9a915013c941abd2d0a99cce1355f34c36e7cc437d1ddf50613f2776a8a"
#define X5T_ONE        "rYbZqRUBPJQavS0KmczhNV80w258xDfR3fUGE_J3aoo"
#define CERTIFICATE_OTHER                                                                                              \
    "-----BEGIN%20CERTIFICATE-----"                                                                                    \
    "%0AMIIB0jCCAXmgAwIBAgIUSza1Qj5%2BGPOfRMvtwBLdOa5b9zMwCgYIKoZIzj0EAwIw%0ALzELMAkGA1UEBhMCVVMxEDAOBgNVBAoMB0V4YW"   \
    "1wbGUxDjAMBgNVBAMMBW90aGVy%0AMCAXDTI2MTEyMjA3MTcwMloYDzIxMjYxMDI5MDcxNzAyWjAvMQswCQYDVQQGEwJV%0AUzEQMA4GA1UECg"   \
    "wHRXhhbXBsZTEOMAwGA1UEAwwFb3RoZXIwWTATBgcqhkjOPQIB%0ABggqhkjOPQMBBwNCAARrAGdntmPkchFHNcBYX2uz5uUkHuWEfuaqnHmLu"   \
    "sCSGTjT%0AUrSRuti%2FepjpX00WuH4V6nmD8qWCQRqIXea6%2Be0Wo3EwbzAdBgNVHQ4EFgQUfUNU%0AdqiiMgdNH%2Bv5cP4aSlq7vL4wHwY"   \
    "DVR0jBBgwFoAUfUNUdqiiMgdNH%2Bv5cP4aSlq7%0AvL4wDwYDVR0TAQH%2FBAUwAwEB%2FzAcBgNVHREEFTATghFvdGhlci5leGFtcGxlLmNv"   \
    "%0AbTAKBggqhkjOPQQDAgNHADBEAiAeFeAuYSxhP2tlKl06bkRO61T1zKi0Pdn6zXw6%0AA5Yd%2BAIgJhEtVZsE820brU%2FEuAjrei2gcjLj"   \
    "v2cyHa%2FHOojQAbw%3D%0A-----END%20CERTIFICATE-----%0A"
#define THUMBPRINT_OTHER "d63727b90a945ca6d12ab48abf4f58afa671afdf7a57710c781d693ffc7f67ed"
