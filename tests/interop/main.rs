//! Real libzmq peers in processes of their own.
