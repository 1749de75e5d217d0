/* For programs that include it: what it declared long ago is in zmq.h.
   SPDX-License-Identifier: MIT OR Apache-2.0 */

#include "zmq.h"
