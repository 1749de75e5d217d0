//! Messages, their bodies and who frees them.
