#include "zmq.h"
