//! Scripted and hostile peers on real sockets: what the wire says, in both directions, and what is
//! left of us after it was abused.

mod bench;
mod budget;
mod child;
mod churn;
mod closing;
mod cuts;
mod framing;
mod gone;
mod half_open;
mod handshake;
mod heartbeat;
mod hostile;
mod judged;
mod large_slices;
mod memory;
mod misbehaviour;
mod over_ipc;
mod pressure;
mod raw;
mod secured;
mod sigpipe;
mod silence;
mod starved;
mod thousand;
mod upstream;
mod versions;

#[global_allocator]
static HEAP: memory::Counting = memory::Counting;
