/* TLS against OpenSSL's own client: everything that plain connections promise, and what only TLS has. */
#include <openssl/ocsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_kit_test.h"

/* --- what plain connections promise ------------------------------------------------------------------------------ */

static void test_answers(void **state) {
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    start_tls();
    for (size_t i = 0; i < COUNT(versions); i++) {
        new_client(versions[i]);
        SSL *ssl = dial_tls(NULL);
        say_tls(ssl, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
        CHECK(i, count(hear_tls(ssl, "|0|1"), "/a|abc|127.0.0.1|0|1") == 1);
        say_tls(ssl, GET("/1") GET("/later") "GET /3 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        wait_for_held(1);
        web_loop_wake(server.loop);
        str heard = hear_tls(ssl, NULL);
        CHECK(i, count(heard, "HTTP/1.1 200") == 3 && count(heard, "/3||127.0.0.1|0|1") == 1);
        CHECK(i, SSL_get_shutdown(ssl) == SSL_RECEIVED_SHUTDOWN); /* it said goodbye */
        hang_up(ssl);
    }
    stop_tls();
}

static void test_large_answer(void **state) {
    (void)state;
    start_tls();
    new_client(0);
    SSL *ssl = dial_tls(NULL);
    static char part[1 << 16];
    size_t n = 0;
    say_tls(ssl, GET("/big") "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    for (int got; (got = SSL_read(ssl, part, sizeof part)) > 0;) n += (size_t)got;
    assert_in_range(n, BIG_BYTES + 200, BIG_BYTES + 500);
    hang_up(ssl);
    stop_tls();
}

/* Input that a busy connection cannot take waits encrypted, in OpenSSL and in the kernel, and is not lost. */
static void test_input_waits(void **state) {
    (void)state;
    start_tls();
    new_client(0);
    SSL *ssl = dial_tls(NULL);
    say_tls(ssl, GET("/later"));
    wait_for_held(1);
    for (int i = 0; i < 1000; i++) say_tls(ssl, GET("/inject"));
    say_tls(ssl, "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    nap_ms(50);
    assert_int_equal(atomic_load(&server.handled), 1);
    web_loop_wake(server.loop);
    int n = 0;
    for (str heard = hear_tls(ssl, NULL); heard.n; heard = hear_tls(ssl, NULL)) n += count(heard, "X-Good");
    assert_in_range(n, 990, 1000); /* one may lie across two reads */
    assert_int_equal(atomic_load(&server.handled), 1002);
    hang_up(ssl);
    stop_tls();
}

/* A large body in one record: longer than the buffer that a request begins with. */
static void test_large_body(void **state) {
    (void)state;
    static char request[61000];
    int head = snprintf(request, sizeof request, "POST /inject HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n");
    memset(request + head, 'x', 60000);
    start_tls();
    new_client(0);
    SSL *ssl = dial_tls(NULL);
    for (int round = 0; round < 3; round++) {
        say_tls(ssl, request);
        assert_int_equal(count(hear_tls(ssl, "\r\n\r\n"), "204"), 1);
    }
    hang_up(ssl);
    stop_tls();
}

/* --- handshakes ----------------------------------------------------------------------------------------------------- */

static void test_old_versions_are_refused(void **state) {
    (void)state;
    static const struct {
        int version;
        bool good;
    } rows[] = {{TLS1_VERSION, false}, {TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    start_tls();
    for (size_t i = 0; i < COUNT(rows); i++) {
        new_client(rows[i].version);
        int fd = dial();
        SSL *ssl = shake(fd, NULL, NULL);
        CHECK(i, (ssl != NULL) == rows[i].good);
        SSL_free(ssl);
        close(fd);
    }
    stop_tls();
}

static void test_ciphers(void **state) {
    (void)state;
    static const struct {
        const char *cipher;
        bool good;
    } rows[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", true},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {"ECDHE-ECDSA-AES128-SHA", false},
        {"ECDHE-ECDSA-AES256-SHA384", false},
        {"AES128-GCM-SHA256", false},
        {"DHE-RSA-AES128-GCM-SHA256", false},
    };
    start_tls();
    for (size_t i = 0; i < COUNT(rows); i++) {
        new_client(TLS1_2_VERSION);
        assert_int_equal(SSL_CTX_set_cipher_list(client, rows[i].cipher), 1);
        int fd = dial();
        SSL *ssl = shake(fd, NULL, NULL);
        CHECK(i, (ssl != NULL) == rows[i].good);
        SSL_free(ssl);
        close(fd);
    }
    stop_tls();
}

static void test_no_renegotiation(void **state) {
    (void)state;
    start_tls();
    new_client(TLS1_2_VERSION);
    SSL *ssl = dial_tls(NULL);
    assert_int_equal(SSL_renegotiate(ssl), 1);
    assert_int_not_equal(SSL_do_handshake(ssl), 1);
    hang_up(ssl);
    stop_tls();
}

static void test_alpn(void **state) {
    (void)state;
    static const struct {
        const char *offer, *want; /* NULL: refused */
    } rows[] = {
        {"\x08http/1.1", "http/1.1"},
        {"\x02h2\x08http/1.1", "http/1.1"},
        {"\x08http/1.0", NULL},
        {"\x03"
         "ftp",
         NULL},
    };
    start_tls();
    for (size_t i = 0; i < COUNT(rows); i++) {
        new_client(0);
        SSL_CTX_set_alpn_protos(client, (const unsigned char *)rows[i].offer, (unsigned)strlen(rows[i].offer));
        int fd = dial();
        SSL *ssl = shake(fd, NULL, NULL);
        CHECK(i, (ssl != NULL) == (rows[i].want != NULL));
        const unsigned char *chosen = NULL;
        unsigned n = 0;
        if (ssl) SSL_get0_alpn_selected(ssl, &chosen, &n);
        if (ssl) CHECK(i, n == strlen(rows[i].want) && memcmp(chosen, rows[i].want, n) == 0);
        SSL_free(ssl);
        close(fd);
    }
    stop_tls();
}

static void test_handshake_deadline(void **state) {
    (void)state;
    static const char *const says[] = {"", "\x16\x03\x01\x02"};
    start_hasty_tls();
    for (size_t i = 0; i < COUNT(says); i++) {
        int fd = dial();
        int64_t begin_ms = clock_ms();
        say(fd, says[i]);
        hear(fd, NULL);
        if (clock_ms() - begin_ms < 290) fail_msg("row %zu ended early", i);
        close(fd);
    }
    wait_for_connections(0);
    stop_tls();
}

/* It is not waited for what cannot become one. */
static void test_no_handshake(void **state) {
    (void)state;
    start_tls();
    int fd = dial();
    say(fd, GET("/"));
    hear(fd, NULL);
    close(fd);
    stop_tls();
}

/* A handshake that comes byte by byte is as good, but not for ever. */
static void test_byte_by_byte(void **state) {
    (void)state;
    start_tls();
    new_client(0);
    int fd = dial();
    SSL *ssl = SSL_new(client);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    while (!SSL_is_init_finished(ssl)) {
        char byte, part[4096];
        SSL_do_handshake(ssl);
        while (BIO_read(out, &byte, 1) == 1) assert_int_equal(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
        if (SSL_is_init_finished(ssl)) break;
        ssize_t n = recv(fd, part, sizeof part, 0);
        assert_true(n > 0);
        BIO_write(in, part, (int)n);
    }
    SSL_free(ssl);
    close(fd);
    stop_tls();
}

/* --- names, tickets, staples, clients ------------------------------------------------------------------------------- */

static void name_of_peer(SSL *ssl, char out[64]) {
    X509 *peer = SSL_get1_peer_certificate(ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, out, 64);
    X509_free(peer);
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *ask, *want;
        const char *algorithms; /* NULL: all */
        int kind;
    } rows[] = {
        {"a.example", "a.example", NULL, EVP_PKEY_EC}, {"b.example", "b.example", NULL, EVP_PKEY_EC},
        {"B.Example", "b.example", NULL, EVP_PKEY_EC}, {"other.example", "a.example", NULL, EVP_PKEY_EC},
        {NULL, "a.example", NULL, EVP_PKEY_EC},        {"a.example", "a.example", "rsa_pss_rsae_sha256", EVP_PKEY_RSA},
    };
    struct web_tls_options options = tls_options(3);
    start_tls_with(&options, false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char name[64];
        new_client(0);
        if (rows[i].algorithms)
            SSL_CTX_set1_sigalgs_list(client, (char *)(uintptr_t)rows[i].algorithms); /* the macro casts const away */
        SSL *ssl = dial_tls(rows[i].ask);
        name_of_peer(ssl, name);
        CHECK(i, strcmp(name, rows[i].want) == 0);
        X509 *peer = SSL_get1_peer_certificate(ssl);
        CHECK(i, EVP_PKEY_get_base_id(X509_get0_pubkey(peer)) == rows[i].kind);
        X509_free(peer);
        hang_up(ssl);
    }
    stop_tls();
}

/* One request, so that the tickets behind the handshake are read. The client would use a session only once: it gets a copy. */
static bool visit(SSL_SESSION *session) {
    int fd = dial();
    SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;
    SSL *ssl = shake(fd, "a.example", copy);
    SSL_SESSION_free(copy);
    assert_non_null(ssl);
    say_tls(ssl, GET("/a"));
    hear_tls(ssl, "|0|1");
    bool reused = SSL_session_reused(ssl);
    SSL_shutdown(ssl);
    hang_up(ssl);
    return reused;
}

/* Tickets work at every node with the same ring, also when it has a newer generation, and nowhere else. */
static void test_tickets(void **state) {
    (void)state;
    struct web_tls_options options = tls_options(1);
    char other_ring[] = "b";
    new_client(TLS1_3_VERSION);
    start_tls();
    assert_false(visit(NULL));
    assert_non_null(kept);
    SSL_SESSION *first = kept;
    SSL_SESSION_up_ref(first);
    assert_true(visit(first));
    assert_ptr_not_equal(kept, first); /* a new ticket came with it */
    assert_true(visit(first));
    stop_tls();
    start_tls();
    assert_true(visit(first));
    stop_tls();
    generations[0] = 4, generations[1] = 3;
    start_tls();
    assert_true(visit(first));
    stop_tls();
    generations[0] = 5, generations[1] = 4;
    start_tls();
    assert_false(visit(first));
    stop_tls();
    generations[0] = 3, generations[1] = 2;
    options.ticket_keys_arg = other_ring;
    start_tls_with(&options, false);
    assert_false(visit(first));
    stop_tls();
    SSL_SESSION_free(first);
}

/* The tickets of TLS 1.2 hold the keys of the very traffic: there are none. */
static void test_no_tickets_before_1_3(void **state) {
    (void)state;
    start_tls();
    new_client(TLS1_2_VERSION);
    SSL_SESSION_free(kept);
    kept = NULL;
    assert_false(visit(NULL));
    assert_true(!kept || !SSL_SESSION_has_ticket(kept));
    if (kept) assert_false(visit(kept));
    stop_tls();
}

static void write_staple(const struct issued *issued, int status, long days) {
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), issued->certificate, issued->certificate);
    ASN1_TIME *from = X509_gmtime_adj(NULL, -86400), *until = X509_gmtime_adj(NULL, days * 86400);
    OCSP_basic_add1_status(basic, id, status, 0, status ? from : NULL, from, until);
    assert_int_equal(OCSP_basic_sign(basic, issued->certificate, issued->key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    BIO *file = BIO_new_file(path_of("a.pem.ocsp"), "we");
    unsigned char *der = NULL;
    int n = i2d_OCSP_RESPONSE(response, &der);
    assert_true(n > 0);
    assert_int_equal(BIO_write(file, der, n), n);
    OPENSSL_free(der);
    BIO_free(file);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
}

static long staple_bytes(void) {
    const unsigned char *staple;
    int fd = dial();
    SSL *ssl = SSL_new(client);
    SSL_set_fd(ssl, fd);
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    assert_int_equal(SSL_connect(ssl), 1);
    long n = SSL_get_tlsext_status_ocsp_resp(ssl, &staple);
    hang_up(ssl);
    return n;
}

static void test_staple(void **state) {
    (void)state;
    struct issued own = issue("a.example", false, 30, NULL), other = issue("a.example", false, 30, NULL);
    write_pair("a", &own, 0600);
    new_client(0);
    start_tls();
    assert_int_equal(staple_bytes(), -1);
    static const struct {
        int status;
        long days;
        bool own, good;
    } rows[] = {
        {V_OCSP_CERTSTATUS_GOOD, -1, true, false},
        {V_OCSP_CERTSTATUS_GOOD, 1, false, false},
        {V_OCSP_CERTSTATUS_REVOKED, 1, true, false},
        {V_OCSP_CERTSTATUS_GOOD, 1, true, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_staple(rows[i].own ? &own : &other, rows[i].status, rows[i].days);
        CHECK(i, rc_ok(web_tls_reload(tls, NULL)) == rows[i].good);
    }
    assert_true(staple_bytes() > 100);
    unlink(path_of("a.pem.ocsp"));
    stop_tls();
    forget(&own);
    forget(&other);
}

static void test_reload(void **state) {
    (void)state;
    new_client(0);
    make_pair("a", "old.example", false);
    start_tls();
    SSL *old = dial_tls(NULL);
    make_pair("a", "new.example", false);
    assert_true(rc_ok(web_tls_reload(tls, NULL)));
    SSL *new = dial_tls(NULL);
    char name[64];
    name_of_peer(new, name);
    assert_string_equal(name, "new.example");
    say_tls(old, GET("/a")); /* it lives on */
    assert_int_equal(count(hear_tls(old, "|0|1"), "200 OK"), 1);
    assert_in_range(web_tls_days_left(tls), 29, 30);
    hang_up(old);
    hang_up(new);
    stop_tls();
    make_pair("a", "a.example", false);
}

static void test_bad_files(void **state) {
    (void)state;
    struct issued good = issue("a.example", false, 30, NULL), other = issue("a.example", false, 30, NULL),
                  ended = issue("a.example", false, -1, NULL);
    static const struct {
        mode_t mode;
        int which; /* 0 good, 1 the key of another, 2 ended, 3 no PEM, 4 no file */
        enum fault fault;
        const char *said;
    } rows[] = {
        {0600, 0, FAULT_NONE, ""},
        {0640, 0, FAULT_NONE, ""},
        {0604, 0, FAULT_UNSAFE, "can be read by everybody"},
        {0600, 1, FAULT_CONFIG, "does not belong to the certificate"},
        {0600, 2, FAULT_CONFIG, "has ended"},
        {0600, 3, FAULT_CONFIG, "no PEM certificate"},
        {0600, 4, FAULT_CONFIG, "cannot be read"},
    };
    write_pair("a", &good, 0600);
    start_tls();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct issued mixed = rows[i].which == 2 ? ended : good;
        if (rows[i].which == 1) mixed.key = other.key;
        unlink(path_of("a.key"));
        write_pair("a", &mixed, rows[i].mode);
        if (rows[i].which == 3) assert_int_equal(truncate(path_of("a.pem"), 20), 0);
        if (rows[i].which == 4) unlink(path_of("a.pem"));
        struct rc rc = web_tls_reload(tls, NULL);
        CHECK(i, rc.fault == rows[i].fault);
        if (rc.fault && !strstr(rc_detail(), rows[i].said)) fail_msg("row %zu: %s", i, rc_detail());
        new_client(0);
        hang_up(dial_tls(NULL)); /* the old ones serve */
    }
    stop_tls();
    write_pair("a", &good, 0600);
    forget(&good);
    forget(&other);
    forget(&ended);
}

static void test_client_certificates(void **state) {
    (void)state;
    struct issued ca = issue("ca", false, 30, NULL), known = issue("known", false, 30, &ca),
                  stranger = issue("stranger", false, 30, NULL);
    const struct {
        const struct issued *shown;
        bool ask;
        const char *want;
    } rows[] = {
        {NULL, true, "|127.0.0.1|0|1"},
        {&known, true, "verified 1"},
        {&stranger, true, "verified 0"},
        {&known, false, "|127.0.0.1|0|1"},
    };
    write_pair("ca", &ca, 0600);
    struct web_tls_options options = tls_options(1);
    options.client_ca = path_of("ca.pem");
    for (size_t i = 0; i < COUNT(rows); i++) {
        new_client(0);
        if (rows[i].shown) SSL_CTX_use_certificate(client, rows[i].shown->certificate);
        if (rows[i].shown) SSL_CTX_use_PrivateKey(client, rows[i].shown->key);
        SSL_SESSION_free(kept);
        kept = NULL;
        start_tls_with(&options, rows[i].ask);
        SSL *ssl = dial_tls(NULL);
        say_tls(ssl, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
        str heard = hear_tls(ssl, NULL);
        if (!strstr(heard.p, rows[i].want)) fail_msg("row %zu: %s", i, heard.p);
        CHECK(i, !rows[i].ask || !kept); /* no session that would be taken without a certificate */
        hang_up(ssl);
        stop_tls();
    }
    forget(&ca);
    forget(&known);
    forget(&stranger);
}

/* A session of a listener that does not ask for certificates opens nothing at one that does. */
static void test_sessions_do_not_cross(void **state) {
    (void)state;
    struct web_tls_options options = tls_options(1);
    new_client(TLS1_3_VERSION);
    start_tls();
    visit(NULL);
    SSL_SESSION *session = kept;
    SSL_SESSION_up_ref(session);
    stop_tls();
    start_tls_with(&options, true);
    assert_false(visit(session));
    stop_tls();
    SSL_SESSION_free(session);
}

/* The balancer speaks in clear, its client does not; both may come in one packet. */
static void test_proxy_header_before_tls(void **state) {
    (void)state;
    static const str balancers[] = {S("127.0.0.1")};
    struct web_options web = options_default();
    struct web_tls_options options = tls_options(1);
    web.proxy_protocol = balancers;
    web.n_proxy_protocol = 1;
    assert_true(rc_ok(web_tls_open(&options, &tls)));
    start_as(&web, "127.0.0.1:0", (struct web_listening){.tls = tls});
    new_client(0);
    for (int apart = 0; apart < 2; apart++) {
        char packet[8192] = "PROXY TCP4 203.0.113.7 192.0.2.1 5000 443\r\n";
        size_t n = strlen(packet);
        int fd = dial();
        if (apart) {
            say(fd, packet);
            n = 0;
            nap_ms(20);
        }
        SSL *ssl = SSL_new(client);
        BIO *out = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
        SSL_set_connect_state(ssl);
        SSL_do_handshake(ssl);
        n += (size_t)BIO_read(out, packet + n, (int)(sizeof packet - n));
        assert_int_equal(send(fd, packet, n, MSG_NOSIGNAL), n);
        SSL_set_bio(ssl, BIO_new_socket(fd, BIO_NOCLOSE), BIO_new_socket(fd, BIO_NOCLOSE));
        assert_int_equal(SSL_do_handshake(ssl), 1);
        say_tls(ssl, GET("/a"));
        assert_int_equal(count(hear_tls(ssl, "|0|1"), "/a||203.0.113.7|0|1"), 1);
        SSL_free(ssl);
        close(fd);
    }
    stop_tls();
}

static int make_files(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return -1;
    make_pair("a", "a.example", false);
    make_pair("b", "b.example", false);
    make_pair("c", "a.example", true);
    return 0;
}

static int remove_files(void **state) {
    (void)state;
    static const char *const names[] = {"a.pem", "a.key", "b.pem", "b.key", "c.pem", "c.key", "ca.pem", "ca.key"};
    for (size_t i = 0; i < COUNT(names); i++) unlink(path_of(names[i]));
    SSL_CTX_free(client);
    SSL_SESSION_free(kept);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_large_answer),
        cmocka_unit_test(test_input_waits),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_ciphers),
        cmocka_unit_test(test_no_renegotiation),
        cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_handshake_deadline),
        cmocka_unit_test(test_no_handshake),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_no_tickets_before_1_3),
        cmocka_unit_test(test_staple),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_sessions_do_not_cross),
        cmocka_unit_test(test_proxy_header_before_tls),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
