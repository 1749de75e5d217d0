//! Who frees a body, and when: exactly once, with the last frame that refers to it, whatever is done
//! to frames and on whichever threads. Worth running under valgrind and the sanitizers.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use bytes::Bytes;
use proptest::prelude::*;

use super::frame::INLINE;
use super::refcount::RefCount;
use super::{BodyBuf, Frame};

/// A buffer that is lent to frames, and counts how often it is given back, and by whom.
struct Lent {
    body: Vec<u8>,
    freed: AtomicU32,
    freed_by: Mutex<Option<ThreadId>>,
}

impl Lent {
    fn new(len: usize) -> Arc<Lent> {
        let body = (0..len).map(|i| i as u8).collect();
        Arc::new(Lent { body, freed: AtomicU32::new(0), freed_by: Mutex::new(None) })
    }

    fn frees(&self) -> u32 {
        self.freed.load(SeqCst)
    }

    fn note(&self) {
        self.freed.fetch_add(1, SeqCst);
        *self.freed_by.lock().unwrap() = Some(std::thread::current().id());
    }

    /// Lends a copy of the body to a foreign frame, which C would have allocated.
    fn foreign(self: &Arc<Lent>) -> Frame {
        let copy = self.body.clone().into_boxed_slice();
        let (len, data) = (copy.len(), Box::into_raw(copy).cast());
        let hint = Arc::into_raw(self.clone()).cast_mut().cast();
        // SAFETY: the buffer is left alone until `free` is called, which gives both back.
        unsafe { Frame::from_foreign(data, len, Some(free), hint) }
    }

    /// Lends the body to a frame as its owner.
    fn owned(self: &Arc<Lent>) -> Frame {
        Frame::from_owner(Owner(self.clone()))
    }
}

/// SAFETY: called with what `Lent::foreign` made, once.
unsafe extern "C" fn free(data: *mut c_void, hint: *mut c_void) {
    // SAFETY: promised by the caller.
    unsafe {
        let lent = Arc::from_raw(hint.cast_const().cast::<Lent>());
        let body = std::ptr::slice_from_raw_parts_mut(data.cast::<u8>(), lent.body.len());
        drop(Box::from_raw(body));
        lent.note();
    }
}

struct Owner(Arc<Lent>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0.body
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.note();
    }
}

#[test]
fn the_last_reference_is_told() {
    let refs = RefCount::one();
    assert!(refs.is_unique());
    refs.retain();
    assert!(!refs.is_unique());
    assert!(!refs.release());
    assert!(refs.is_unique());
    assert!(refs.release());
}

#[test]
fn a_count_that_overflows_is_pinned() {
    let refs = RefCount::at_limit();
    refs.retain();
    refs.retain();
    // So many releases would take a count that was only stopped at the limit below it again.
    for _ in 0..1_000 {
        assert!(!refs.release());
    }
    refs.retain();
    assert!(!refs.is_unique());
}

#[test]
fn a_foreign_buffer_is_freed_with_the_last_frame() {
    for len in [0, 1, INLINE, 1000] {
        let lent = Lent::new(len);
        let frame = lent.foreign();
        assert!(!frame.is_inline() && !frame.is_shared(), "never copied, however short");
        let clone = frame.clone();
        assert!(frame.is_shared() && clone.is_shared());
        assert_eq!(frame.as_ptr(), clone.as_ptr());
        drop(frame);
        assert!(!clone.is_shared());
        assert_eq!((lent.frees(), clone == lent.body), (0, true));
        drop(clone);
        assert_eq!(lent.frees(), 1);
    }
}

#[test]
fn a_foreign_buffer_may_be_null() {
    // SAFETY: there are no bytes.
    let frame = unsafe { Frame::from_foreign(std::ptr::null_mut(), 0, None, std::ptr::null_mut()) };
    assert!(frame.is_empty() && frame.is_shared());
}

#[test]
fn a_constant_is_shared_and_never_written() {
    let mut constant = [1_u8; 100];
    let data = constant.as_mut_ptr();
    // SAFETY: the buffer outlives the frames, which is as good as for ever here.
    let mut frame = unsafe { Frame::from_foreign(data, 100, None, std::ptr::null_mut()) };
    assert!(frame.is_shared() && frame.clone().is_shared());
    assert_eq!(frame.as_mut_ptr().unwrap(), data, "C gets what it gave");
    frame.make_mut()[0] = 2;
    assert!(!frame.is_shared());
    assert_eq!((constant[0], frame[0], frame.len()), (1, 2, 100));
}

#[test]
fn writing_to_a_shared_buffer_lets_go_of_it() {
    let lent = Lent::new(100);
    let mut frame = lent.foreign();
    let at = frame.as_ptr();
    assert_eq!(frame.make_mut().as_ptr(), at, "its own, and writable");
    let mut clone = frame.clone();
    assert_ne!(clone.make_mut().as_ptr(), at);
    drop(frame);
    assert_eq!((lent.frees(), clone == lent.body), (1, true));
}

#[test]
fn short_bodies_let_their_owner_go_at_once() {
    let lent = Lent::new(INLINE);
    let frame = lent.owned();
    assert_eq!((lent.frees(), frame == lent.body), (1, true));
}

#[test]
fn an_owner_that_panics_is_dropped() {
    struct Broken(#[expect(dead_code, reason = "dropping it is what is tested")] Owner);
    impl AsRef<[u8]> for Broken {
        fn as_ref(&self) -> &[u8] {
            panic!("broken")
        }
    }
    let lent = Lent::new(100);
    let owner = Broken(Owner(lent.clone()));
    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Frame::from_owner(owner)));
    assert!(made.is_err());
    assert_eq!(lent.frees(), 1);
}

#[test]
fn burying_frees_once_and_marks_first() {
    let lent = Lent::new(100);
    let mut memory = std::mem::ManuallyDrop::new(lent.foreign());
    // SAFETY: a live frame, not used as one afterwards.
    unsafe { Frame::bury(&raw mut *memory) };
    // SAFETY: the memory is still there.
    assert!(!unsafe { Frame::is_live(&raw const *memory) });
    assert_eq!(lent.frees(), 1);
}

#[test]
fn threads_that_drop_in_any_order_free_once() {
    let rounds = if cfg!(miri) { 2 } else { 200 };
    for round in 0..rounds {
        let lent = Lent::new(100);
        let frame = if round % 2 == 0 { lent.foreign() } else { lent.owned() };
        let threads: Vec<_> = (0..4_usize)
            .map(|i| {
                let mut frame = frame.clone();
                std::thread::spawn(move || {
                    for j in 0..20 {
                        let next = if j % 3 == i % 3 { frame.slice(..) } else { frame.clone() };
                        assert_eq!(next[99], 99);
                        frame = next;
                    }
                    if i == 0 {
                        frame.make_mut()[0] = 1;
                    }
                })
            })
            .collect();
        let ids: Vec<_> = threads.iter().map(|thread| thread.thread().id()).collect();
        drop(frame);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(lent.frees(), 1);
        let by = lent.freed_by.lock().unwrap().unwrap();
        assert!(ids.contains(&by) || by == std::thread::current().id());
    }
}

#[test]
fn a_sole_owner_writes_after_others_have_read() {
    // Under a thread sanitizer this fails if `is_unique` does not wait for the others' reads.
    for _ in 0..200 {
        let mut frame = Frame::copy_from(&[1; 100]);
        let reader = frame.clone();
        let thread = std::thread::spawn(move || assert_eq!(reader[50], 1));
        while frame.is_shared() {
            std::hint::spin_loop();
        }
        let at = frame.as_ptr();
        frame.make_mut()[50] = 2;
        assert_eq!((frame.as_ptr(), frame[50]), (at, 2));
        thread.join().unwrap();
    }
}

/// What a frame should look like, and which lent body it keeps alive.
struct Model {
    frame: Frame,
    body: Vec<u8>,
    lent: Option<usize>,
    /// May be written to by a sole owner.
    writable: bool,
}

/// Frames, and all bodies that were ever lent to some.
#[derive(Default)]
struct World {
    models: Vec<Model>,
    lent: Vec<Arc<Lent>>,
}

impl World {
    fn make(&mut self, kind: u8, len: usize) {
        let lent = Lent::new(len);
        let body = lent.body.clone();
        let counted = Some(self.lent.len());
        let (frame, keeps, writable) = match kind {
            0 => (lent.foreign(), counted, true),
            1 => (lent.owned(), counted.filter(|_| len > INLINE), false),
            2 => (Frame::copy_from(&body), None, true),
            3 => (Frame::from(body.clone()), None, true),
            4 => (Frame::from(Bytes::from(body.clone())), None, false),
            _ => {
                let mut buf = BodyBuf::with_len(len as u64).unwrap();
                buf.extend(&body).unwrap();
                (buf.finish(), None, true)
            }
        };
        if kind < 2 {
            self.lent.push(lent);
        }
        self.models.push(Model { frame, body, lent: keeps, writable });
    }

    fn copy(&mut self, at: usize, slice: Option<(usize, usize)>) {
        let Some(model) = self.models.get(at) else { return };
        let (mut body, mut lent) = (model.body.clone(), model.lent);
        let frame = match slice {
            None => model.frame.clone(),
            Some((from, to)) => {
                let to = to.min(body.len());
                let from = from.min(to);
                body = body[from..to].to_vec();
                lent = lent.filter(|_| body.len() > INLINE);
                model.frame.slice(from..to)
            }
        };
        let writable = model.writable;
        self.models.push(Model { frame, body, lent, writable });
    }

    fn write(&mut self, at: usize) {
        let keepers = |lent| self.models.iter().filter(|model| model.lent == lent).count();
        let shared = self.models.get(at).is_some_and(|m| m.lent.is_some() && keepers(m.lent) > 1);
        let Some(model) = self.models.get_mut(at) else { return };
        if let Some(byte) = model.frame.make_mut().first_mut() {
            *byte = 0xee;
            model.body[0] = 0xee;
        }
        if shared || !model.writable {
            model.lent = None;
            model.writable = true;
        }
    }

    fn convert(&mut self, at: usize, to_bytes: bool) {
        if at >= self.models.len() {
            return;
        }
        let mut model = self.models.swap_remove(at);
        if to_bytes {
            // A foreign buffer stays what it is; what is short is copied by the way back.
            let bytes = model.frame.into_bytes();
            assert_eq!(bytes, model.body);
            model.frame = Frame::from(bytes);
            model.lent = model.lent.filter(|_| model.body.len() > INLINE);
            model.writable = model.body.len() <= INLINE;
        } else {
            model.frame = Frame::from(model.frame.into_vec());
            model.lent = None;
            model.writable = true;
        }
        self.models.push(model);
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for Model { frame, body, .. } in &self.models {
            prop_assert_eq!(frame, body);
        }
        for (i, lent) in self.lent.iter().enumerate() {
            let kept = self.models.iter().any(|model| model.lent == Some(i));
            prop_assert_eq!(lent.frees(), u32::from(!kept), "lent body {}", i);
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
enum Op {
    Make(u8, usize),
    Clone(usize),
    Slice(usize, usize, usize),
    Write(usize),
    Convert(usize, bool),
    Swap(usize, usize),
    Drop(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let at = || 0..12_usize;
    let len = || prop_oneof![0..2 * INLINE, Just(200)];
    prop_oneof![
        3 => (0..6_u8, len()).prop_map(|(kind, len)| Op::Make(kind, len)),
        2 => at().prop_map(Op::Clone),
        2 => (at(), len(), len()).prop_map(|(at, from, to)| Op::Slice(at, from, to)),
        2 => at().prop_map(Op::Write),
        2 => (at(), any::<bool>()).prop_map(|(at, to)| Op::Convert(at, to)),
        1 => (at(), at()).prop_map(|(a, b)| Op::Swap(a, b)),
        4 => at().prop_map(Op::Drop),
    ]
}

proptest! {
    /// After every step each frame has its bytes, and each lent body was given back exactly once if
    /// no frame refers to it any more, and not at all before.
    #[test]
    fn bodies_are_freed_exactly_once(ops in prop::collection::vec(op(), 1..80)) {
        let mut world = World::default();
        for op in ops {
            match op {
                Op::Make(kind, len) => world.make(kind, len),
                Op::Clone(at) => world.copy(at, None),
                Op::Slice(at, from, to) => world.copy(at, Some((from, to))),
                Op::Write(at) => world.write(at),
                Op::Convert(at, to_bytes) => world.convert(at, to_bytes),
                Op::Swap(a, b) if a.max(b) < world.models.len() => world.models.swap(a, b),
                Op::Drop(at) if at < world.models.len() => drop(world.models.swap_remove(at)),
                Op::Swap(..) | Op::Drop(_) => {}
            }
            world.check()?;
        }
        world.models.clear();
        world.check()?;
    }
}
