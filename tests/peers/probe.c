/* Compiles and links where libzmq can be used, which is all that it is for. */
#include <zmq.h>

int main(void)
{
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    return major == 4 ? 0 : 1;
}
