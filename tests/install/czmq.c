/* What czmq is built on: sockets, actors, loops, proxies, messages. Prints what came. */

#include <czmq.h>

static void echo(zsock_t *pipe, void *arguments)
{
    zpoller_t *poller = zpoller_new(pipe, NULL);
    bool goes_on = true;

    (void) arguments;
    zsock_signal(pipe, 0);
    while (goes_on && zpoller_wait(poller, -1) == pipe) {
        char *text = zstr_recv(pipe);
        goes_on = text && !streq(text, "$TERM");
        if (goes_on)
            zstr_sendf(pipe, "heard %s", text);
        zstr_free(&text);
    }
    zpoller_destroy(&poller);
}

static int ready(zloop_t *loop, zsock_t *reader, void *argument)
{
    char *text = zstr_recv(reader);

    (void) loop;
    (void) argument;
    puts(text);
    zstr_free(&text);
    return -1;
}

static void print(void *socket)
{
    char *text = zstr_recv(socket);
    puts(text ? text : "nothing");
    zstr_free(&text);
}

int main(void)
{
    zsock_t *rep = zsock_new_rep("tcp://127.0.0.1:*");
    zsock_t *req = zsock_new_req(zsock_endpoint(rep));
    zsock_t *pull = zsock_new_pull("@inproc://loop");
    zsock_t *push = zsock_new_push(">inproc://loop");
    zactor_t *actor = zactor_new(echo, NULL), *proxy = zactor_new(zproxy, NULL);
    zloop_t *loop = zloop_new();
    zsock_t *in, *out;

    zstr_send(req, "a request");
    print(rep);
    zstr_send(rep, "a reply");
    print(req);
    zstr_send(actor, "an actor");
    print(actor);
    zactor_destroy(&actor);
    zloop_reader(loop, pull, ready, NULL);
    zstr_send(push, "in a loop");
    zloop_start(loop);
    zloop_destroy(&loop);
    zstr_sendx(proxy, "FRONTEND", "PULL", "inproc://front", NULL);
    zsock_wait(proxy);
    zstr_sendx(proxy, "BACKEND", "PUSH", "inproc://back", NULL);
    zsock_wait(proxy);
    in = zsock_new_push(">inproc://front");
    out = zsock_new_pull(">inproc://back");
    zstr_send(in, "through a proxy");
    print(out);
    zactor_destroy(&proxy);
    zsock_destroy(&in);
    zsock_destroy(&out);
    zsock_destroy(&push);
    zsock_destroy(&pull);
    zsock_destroy(&req);
    zsock_destroy(&rep);
    return 0;
}
