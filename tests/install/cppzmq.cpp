// What cppzmq makes of the interface. Prints what came.

#include <iostream>
#include <zmq.hpp>
#include <zmq_addon.hpp>

int main()
{
    zmq::context_t context;
    zmq::socket_t rep(context, zmq::socket_type::rep), req(context, zmq::socket_type::req);
    rep.set(zmq::sockopt::linger, 0);
    rep.bind("tcp://127.0.0.1:*");
    req.connect(rep.get(zmq::sockopt::last_endpoint));

    zmq::multipart_t request;
    request.addstr("two");
    request.addstr("parts");
    request.send(req);
    zmq::pollitem_t items[] = {{rep.handle(), 0, ZMQ_POLLIN, 0}};
    std::cout << zmq::poll(items, 1, std::chrono::milliseconds(10000)) << '\n';
    zmq::multipart_t received(rep);
    std::cout << received.size() << ' ' << received.popstr() << ' ' << received.popstr() << '\n';

    zmq::active_poller_t poller;
    poller.add(req, zmq::event_flags::pollin, [&](zmq::event_flags) {
        zmq::message_t reply;
        (void) req.recv(reply);
        std::cout << reply.to_string() << ' ' << reply.gets("Socket-Type") << '\n';
    });
    rep.send(zmq::str_buffer("a reply"), zmq::send_flags::none);
    poller.wait(std::chrono::milliseconds(10000));
    try {
        req.bind("no endpoint");
    } catch (const zmq::error_t &error) {
        std::cout << (error.num() == EINVAL) << '\n';
    }
}
