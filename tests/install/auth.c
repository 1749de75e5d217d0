/* Who is let in, and certificates. Works in the directory that it is called with. Prints the line of the first thing that is
 * not so, or nothing. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <tightbeam.h>
#include <unistd.h>

#define MUST(what) \
    do { \
        if (!(what)) { \
            printf("line %d: %s (errno %d)\n", __LINE__, #what, errno); \
            return 1; \
        } \
    } while (0)

#define FAILS(call, error) MUST((errno = 0, (call)) == -1 && errno == (error))

static void *context, *server;
static char endpoint[64], server_key[41];

/* The status with which a new client of CURVE is refused, or 0. */
static int meets(void *certificate, char *name)
{
    void *client = zmq_socket(context, ZMQ_DEALER);
    static int count;
    char public_key[41], secret_key[41], watch[32];
    int timeout = 10000, status = -1;
    zmq_msg_t message;
    tightbeam_cert_public_key(certificate, public_key);
    tightbeam_cert_secret_key(certificate, secret_key);
    zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, public_key, 40);
    zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, secret_key, 40);
    zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server_key, 40);
    zmq_setsockopt(client, ZMQ_LINGER, &(int){0}, sizeof(int));
    /* The name of the one before is free only some time after it is closed. */
    sprintf(watch, "inproc://events-%d", count++);
    zmq_socket_monitor(client, watch, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    void *events = zmq_socket(context, ZMQ_PAIR);
    zmq_setsockopt(events, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_connect(events, watch);
    zmq_connect(client, endpoint);
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, events, 0) == 6) {
        uint16_t event;
        uint32_t value;
        memcpy(&event, zmq_msg_data(&message), 2);
        memcpy(&value, (char *) zmq_msg_data(&message) + 2, 4);
        status = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? 0 : (int) value;
    }
    name[0] = 0;
    if (status == 0) {
        zmq_send(client, "hello", 5, 0);
        if (zmq_msg_recv(&message, server, 0) == 5 && zmq_msg_gets(&message, "name"))
            strcpy(name, zmq_msg_gets(&message, "name"));
        if (!zmq_msg_gets(&message, "User-Id") || strcmp(zmq_msg_gets(&message, "User-Id"), public_key))
            status = -1;
    }
    zmq_msg_close(&message);
    zmq_close(events);
    zmq_close(client);
    return status;
}

static int certificates(void)
{
    char key[41], again[41], reason[64], value[16];
    size_t size = sizeof value;
    struct stat file;
    void *cert = tightbeam_cert_new(), *loaded;
    MUST(cert);
    MUST(tightbeam_cert_set(cert, "name", "Ann") == 0);
    FAILS(tightbeam_cert_set(cert, "two words", "Ann"), EINVAL);
    FAILS(tightbeam_cert_set(cert, "name", NULL), EINVAL);
    MUST(tightbeam_cert_save(cert, "ann.key") == 0);
    MUST(stat("ann.key_secret", &file) == 0 && (file.st_mode & 0777) == 0600);
    MUST(tightbeam_cert_public_key(cert, key) == 0 && strlen(key) == 40);

    loaded = tightbeam_cert_load("ann.key", NULL, 0);
    MUST(loaded);
    MUST(tightbeam_cert_public_key(loaded, again) == 0 && strcmp(key, again) == 0);
    FAILS(tightbeam_cert_secret_key(loaded, again), ENOENT);
    FAILS(tightbeam_cert_save_secret(loaded, "other"), EINVAL);
    MUST(tightbeam_cert_get(loaded, "name", value, &size) == 0 && size == 4 && strcmp(value, "Ann") == 0);
    size = 3;
    FAILS(tightbeam_cert_get(loaded, "name", value, &size), EINVAL);
    FAILS(tightbeam_cert_get(loaded, "mail", value, &size), ENOENT);
    MUST(tightbeam_cert_destroy(&loaded) == 0 && !loaded);

    loaded = tightbeam_cert_load("ann.key_secret", NULL, 0);
    MUST(loaded && tightbeam_cert_secret_key(loaded, again) == 0);
    MUST(zmq_curve_public(reason, again) == 0 && strcmp(reason, key) == 0);
    tightbeam_cert_destroy(&loaded);

    MUST(!tightbeam_cert_load("absent", reason, sizeof reason) && errno == ENOENT);
    MUST(strncmp(reason, "absent: ", 8) == 0);
    FILE *bad = fopen("bad", "w");
    fputs("curve\n  public-key = x\n", bad);
    fclose(bad);
    MUST(!tightbeam_cert_load("bad", reason, sizeof reason) && errno == EINVAL);
    MUST(strncmp(reason, "bad, line 2: ", 13) == 0 && strlen(reason) == sizeof reason - 1);
    MUST(!tightbeam_cert_load(NULL, NULL, 0) && errno == EINVAL);
    MUST(!tightbeam_cert_load("bad", NULL, 1) && errno == EFAULT);

    MUST(tightbeam_cert_destroy(&cert) == 0);
    FAILS(tightbeam_cert_destroy(&cert), EFAULT);
    FAILS(tightbeam_cert_save(context, "x"), EFAULT);
    return 0;
}

static int rules(void)
{
    char name[64], key[41];
    void *auth = tightbeam_auth_new(), *gone, *ann = tightbeam_cert_new(), *keys = tightbeam_cert_new();
    size_t size = sizeof endpoint;
    int on = 1;
    MUST(auth && tightbeam_ctx_set_auth(context, auth) == 0);
    MUST(tightbeam_cert_public_key(keys, server_key) == 0 && tightbeam_cert_secret_key(keys, key) == 0);
    server = zmq_socket(context, ZMQ_DEALER);
    MUST(zmq_setsockopt(server, ZMQ_CURVE_SERVER, &on, sizeof on) == 0);
    MUST(zmq_setsockopt(server, ZMQ_CURVE_SECRETKEY, key, 40) == 0);
    MUST(zmq_setsockopt(server, ZMQ_ZAP_DOMAIN, "weather", 7) == 0);
    MUST(zmq_bind(server, "tcp://127.0.0.1:*") == 0);
    MUST(zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    MUST(tightbeam_cert_public_key(ann, key) == 0 && tightbeam_cert_set(ann, "name", "Ann") == 0);

    MUST(meets(ann, name) == 400);
    MUST(tightbeam_auth_curve_key(auth, "weather", key) == 0);
    MUST(meets(ann, name) == 0 && name[0] == 0);
    MUST(tightbeam_auth_deny(auth, "127.0.0.0/8") == 0 && meets(ann, name) == 400);
    MUST(tightbeam_auth_forget_address(auth, "127.0.0.0/8") == 0);
    FAILS(tightbeam_auth_forget_address(auth, "127.0.0.0/8"), ENOENT);
    MUST(tightbeam_auth_forget_key(auth, "weather", key) == 0 && meets(ann, name) == 400);
    FAILS(tightbeam_auth_forget_key(auth, "weather", key), ENOENT);

    MUST(mkdir("clients", 0700) == 0);
    MUST(tightbeam_auth_curve_folder(auth, "*", "clients") == 0 && meets(ann, name) == 400);
    MUST(tightbeam_cert_save_public(ann, "clients/ann.key") == 0);
    MUST(meets(ann, name) == 0 && strcmp(name, "Ann") == 0);
    MUST(unlink("clients/ann.key") == 0 && meets(ann, name) == 400);
    MUST(tightbeam_auth_curve_any(auth, "weather") == 0 && meets(ann, name) == 0);
    MUST(tightbeam_auth_allow(auth, "192.0.2.1") == 0 && meets(ann, name) == 400);
    MUST(tightbeam_auth_allow(auth, "127.0.0.1") == 0 && meets(ann, name) == 0);
    MUST(tightbeam_auth_forget_domain(auth, "weather") == 0 && meets(ann, name) == 400);
    FAILS(tightbeam_auth_forget_domain(auth, "weather"), ENOENT);

    MUST(tightbeam_auth_null(auth, "weather") == 0);
    MUST(tightbeam_auth_plain(auth, "weather", "ann", "secret") == 0);
    MUST(tightbeam_auth_forget_user(auth, "weather", "ann") == 0);
    FAILS(tightbeam_auth_forget_user(auth, "weather", "ann"), ENOENT);
    FAILS(tightbeam_auth_plain(auth, "weather", "ann", NULL), EINVAL);
    FAILS(tightbeam_auth_plain(auth, NULL, "ann", "secret"), EINVAL);
    FAILS(tightbeam_auth_allow(auth, "a.host"), EINVAL);
    FAILS(tightbeam_auth_curve_key(auth, "weather", "short"), EINVAL);
    FAILS(tightbeam_auth_null(context, "weather"), EFAULT);
    FAILS(tightbeam_ctx_set_auth(auth, auth), EFAULT);
    FAILS(tightbeam_ctx_set_auth(context, context), EFAULT);

    /* A context goes on by rules that nobody holds any more. */
    gone = auth;
    MUST(tightbeam_auth_curve_key(auth, "weather", key) == 0);
    MUST(tightbeam_auth_destroy(&auth) == 0 && !auth);
    FAILS(tightbeam_auth_destroy(&gone), EFAULT);
    MUST(meets(ann, name) == 0);
    MUST(tightbeam_ctx_set_auth(context, NULL) == 0);
    tightbeam_cert_destroy(&ann);
    tightbeam_cert_destroy(&keys);
    zmq_close(server);
    return 0;
}

int main(int count, char **arguments)
{
    MUST(count == 2 && chdir(arguments[1]) == 0);
    context = zmq_ctx_new();
    MUST(zmq_has("curve") == 1);
    if (certificates() || rules())
        return 1;
    MUST(tightbeam_ctx_term_timeout(context, 10000) == 0);
    return 0;
}
