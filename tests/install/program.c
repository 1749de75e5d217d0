/* Prints which libzmq it runs on, and whether a request is answered there. */

#include <stdio.h>
#include <string.h>
#include <zmq.h>

int main(void)
{
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_REP);
    void *client = zmq_socket(context, ZMQ_REQ);
    char endpoint[256] = "", text[16] = "";
    size_t size = sizeof endpoint;
    int major, minor, patch;

    zmq_version(&major, &minor, &patch);
    zmq_bind(server, "tcp://127.0.0.1:*");
    zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, endpoint, &size);
    zmq_connect(client, endpoint);
    zmq_send(client, "ping", 4, 0);
    zmq_recv(server, text, sizeof text, 0);
    zmq_send(server, "pong", 4, 0);
    memset(text, 0, sizeof text);
    zmq_recv(client, text, sizeof text, 0);
    printf("%d.%d.%d %s\n", major, minor, patch, text);
    zmq_close(client);
    zmq_close(server);
    return zmq_ctx_term(context);
}
