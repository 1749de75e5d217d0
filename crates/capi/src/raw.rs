//! Pointers from C: the one file that believes what the manual pages let callers promise about them.
//!
//! The arguments of entries have the types of this file. Only a caller in C can make one, so what each says about its pointer
//! is that caller's promise, and the conversions need no promise of ours.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering};

use tightbeam::Frame;

use crate::entry::{Errno, Result};
use crate::types::{zmq_free_fn, zmq_msg_t, zmq_thread_fn, zmq_timer_fn};

/// A context, a socket or another object: an address that is compared and never followed. May be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Handle(*mut c_void);

// SAFETY: it is never followed.
unsafe impl Send for Handle {}

impl Handle {
    pub(crate) const NULL: Handle = Handle(ptr::null_mut());

    #[inline]
    pub(crate) fn address(self) -> usize {
        self.0.addr()
    }

    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }
}

/// Text that ends with a zero byte, or NULL.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Text(*const c_char);

impl Text {
    /// The text without its end; none for NULL.
    pub(crate) fn get<'a>(self) -> Option<&'a CStr> {
        // SAFETY: C promises a zero byte at its end, and not to change it during the call.
        (!self.0.is_null()).then(|| unsafe { CStr::from_ptr(self.0) })
    }

    /// The text, which must be there and be UTF-8: names that are not are no names of ours.
    pub(crate) fn str<'a>(self) -> Result<&'a str> {
        let text = self.get().ok_or(Errno(libc::EINVAL))?;
        text.to_str().map_err(|_| Errno(libc::EINVAL))
    }
}

/// Bytes to be read, whose number is another argument; NULL where that is 0.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Input(*const c_void);

impl Input {
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    #[inline]
    pub(crate) fn bytes<'a>(self, len: usize) -> Result<&'a [u8]> {
        if len == 0 {
            return Ok(&[]);
        }
        check(self.0, len)?;
        // SAFETY: C promises so many bytes, and not to change them during the call.
        Ok(unsafe { slice::from_raw_parts(self.0.cast(), len) })
    }

    /// The same bytes as a constant: C promises that they stay for ever.
    pub(crate) fn constant(self, len: usize) -> Result<Frame> {
        Ok(Frame::from_static(self.bytes(len)?))
    }
}

/// The same where C counts them as `uint8_t`.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Octets(*const u8);

impl Octets {
    pub(crate) fn bytes<'a>(self, len: usize) -> Result<&'a [u8]> {
        Input(self.0.cast()).bytes(len)
    }
}

/// Room to be written to, whose size is another argument; NULL where that is 0.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Output(*mut c_void);

impl Output {
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    #[inline]
    pub(crate) fn room<'a>(self, len: usize) -> Result<&'a mut [u8]> {
        if len == 0 {
            return Ok(&mut []);
        }
        check(self.0, len)?;
        // SAFETY: C promises room for so many bytes that nobody else uses during the call. It is only written to, and the
        // compiler, which has not seen it made, cannot know whether anybody has written to it before.
        Ok(unsafe { slice::from_raw_parts_mut(self.0.cast(), len) })
    }
}

/// A buffer that C hands over together with a function to free it.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Buffer(*mut c_void);

/// What a thread is to do, and with what.
#[derive(Debug)]
pub(crate) struct Task {
    function: zmq_thread_fn,
    argument: *mut c_void,
}

// SAFETY: C gives the argument to be used in another thread.
unsafe impl Send for Task {}

impl Task {
    pub(crate) fn new(function: zmq_thread_fn, argument: Handle) -> Task {
        Task { function, argument: argument.0 }
    }

    /// Does it in a thread of its own, made as C makes its own: with as much stack, and free to end with `pthread_exit`.
    pub(crate) fn start(self) -> Result<Thread> {
        let task = Box::into_raw(Box::new(self));
        let mut thread = MaybeUninit::uninit();
        // SAFETY: writes the thread's number where there is room for it, and hands over the task.
        let error =
            unsafe { pthread_create(thread.as_mut_ptr(), ptr::null(), run_task, task.cast()) };
        if error != 0 {
            // SAFETY: there is no thread that could have taken it.
            drop(unsafe { Box::from_raw(task) });
            return Err(Errno(error));
        }
        // SAFETY: written, as there was no error.
        Ok(Thread(unsafe { thread.assume_init() }))
    }
}

unsafe extern "C" {
    // As in `libc`, but for a function that may be unwound: that is how a thread ends itself.
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        function: extern "C-unwind" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
}

/// What runs a task holds nothing meanwhile that would have to be dropped.
extern "C-unwind" fn run_task(task: *mut c_void) -> *mut c_void {
    // SAFETY: made by `Task::start` for this thread alone.
    let Task { function, argument } = *unsafe { Box::from_raw(task.cast()) };
    // SAFETY: C promises that it may be called so, once.
    unsafe { function(argument) };
    ptr::null_mut()
}

/// A thread that runs a task.
#[derive(Debug)]
pub(crate) struct Thread(libc::pthread_t);

impl Thread {
    /// Waits until it has ended.
    pub(crate) fn join(self) {
        // SAFETY: nobody else waits for it, now or later. A thread that waits for itself is an error and nothing more.
        unsafe { libc::pthread_join(self.0, ptr::null_mut()) };
    }
}

/// What a timer calls, and with what.
#[derive(Debug)]
pub(crate) struct Alarm {
    function: zmq_timer_fn,
    argument: *mut c_void,
}

// SAFETY: C gives the argument to whichever thread runs the timers.
unsafe impl Send for Alarm {}

impl Alarm {
    pub(crate) fn new(function: zmq_timer_fn, argument: Handle) -> Alarm {
        Alarm { function, argument: argument.0 }
    }

    pub(crate) fn ring(&self, timer_id: c_int) {
        // SAFETY: C promises that it may be called so until the timer is cancelled.
        unsafe { (self.function)(timer_id, self.argument) }
    }
}

/// A variable of the caller's, or NULL.
#[derive(Debug)]
#[repr(transparent)]
pub struct Out<T>(*mut T);

impl<T> Clone for Out<T> {
    fn clone(&self) -> Out<T> {
        *self
    }
}

impl<T> Copy for Out<T> {}

impl<T: Copy> Out<T> {
    pub(crate) const NULL: Out<T> = Out(ptr::null_mut());

    /// Writes it; nothing happens for NULL.
    pub(crate) fn put(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: C promises room for one.
            unsafe { self.0.write(value) }
        }
    }

    /// Reads it.
    pub(crate) fn get(self, errno: c_int) -> Result<T> {
        if self.0.is_null() {
            return Err(Errno(errno));
        }
        // SAFETY: C promises that it was written, and every value that C can write is one.
        Ok(unsafe { self.0.read() })
    }

    /// An array of so many.
    pub(crate) fn array<'a>(self, len: usize, errno: c_int) -> Result<&'a mut [T]> {
        if len == 0 {
            return Ok(&mut []);
        }
        if self.0.is_null() || len > isize::MAX as usize / size_of::<T>() {
            return Err(Errno(errno));
        }
        // SAFETY: C promises so many, and that nobody else uses them during the call.
        Ok(unsafe { slice::from_raw_parts_mut(self.0, len) })
    }
}

/// A set of signals (`sigset_t`), or NULL.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Signals(*const c_void);

impl Signals {
    /// The signals in it; none for NULL.
    pub(crate) fn numbers(self) -> Option<impl Iterator<Item = c_int>> {
        let set: *const libc::sigset_t = self.0.cast();
        // SAFETY: C promises a set of signals, and not to change it during the call.
        let is_in = move |signal: &c_int| unsafe { libc::sigismember(set, *signal) == 1 };
        (!set.is_null()).then(|| (1..=libc::SIGRTMAX()).filter(is_in))
    }
}

const _: () = assert!(size_of::<zmq_msg_t>() == size_of::<Frame>());
const _: () = assert!(align_of::<zmq_msg_t>() >= align_of::<Frame>());

/// A message of C's, initialised or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Msg(*mut zmq_msg_t);

impl Msg {
    fn pointer(self) -> Result<*mut Frame> {
        let pointer: *mut Frame = self.0.cast();
        if pointer.is_null() || !pointer.is_aligned() {
            Err(Errno(libc::EFAULT))
        } else {
            Ok(pointer)
        }
    }

    /// Makes a message of memory that holds none.
    pub(crate) fn init(self, frame: Frame) -> Result<()> {
        // SAFETY: C promises that the memory is its own and holds no message.
        unsafe { self.pointer()?.write(frame) };
        Ok(())
    }

    /// Makes a message that refers to a buffer.
    pub(crate) fn init_foreign(
        self,
        data: Buffer,
        len: usize,
        free: Option<zmq_free_fn>,
        hint: Handle,
    ) -> Result<()> {
        if len > 0 {
            check(data.0, len)?;
        }
        // Before the buffer is ours: on failure it is still the caller's.
        self.pointer()?;
        // SAFETY: C promises the bytes until `free` is called, for ever without it, and that any thread may call it.
        self.init(unsafe { Frame::from_foreign(data.0.cast(), len, free, hint.0) })
    }

    /// The frame, if the message was initialised and not closed.
    #[inline]
    pub(crate) fn frame<'a>(self) -> Result<&'a mut Frame> {
        let pointer = self.pointer()?;
        // SAFETY: C promises 64 readable bytes.
        if !unsafe { Frame::is_live(pointer) } {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: it is a frame, and C promises that nobody else uses the message during the call.
        Ok(unsafe { &mut *pointer })
    }

    pub(crate) fn close(self) -> Result<()> {
        self.frame()?;
        // SAFETY: it is live, as just seen; from now on it looks dead.
        unsafe { Frame::bury(self.pointer()?) };
        Ok(())
    }
}

/// Parts of a message: where each is, and how long.
///
/// cbindgen:transparent-typedef
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Parts(*mut libc::iovec);

impl Parts {
    /// The bytes of the first `count`, which must be one at least.
    pub(crate) fn bytes<'a>(self, count: usize) -> Result<impl Iterator<Item = Result<&'a [u8]>>> {
        self.check(count)?;
        // SAFETY: C promises so many parts, each with so many bytes, and not to change them during the call.
        let parts = unsafe { slice::from_raw_parts::<libc::iovec>(self.0, count) };
        Ok(parts.iter().map(|part| Input(part.iov_base).bytes(part.iov_len)))
    }

    /// Room for `count`, one at least.
    pub(crate) fn room<'a>(self, count: usize) -> Result<&'a mut [libc::iovec]> {
        self.check(count)?;
        // SAFETY: C promises room for so many that nobody else uses during the call, initialised or only to be written to.
        Ok(unsafe { slice::from_raw_parts_mut(self.0, count) })
    }

    fn check(self, count: usize) -> Result<()> {
        let most = isize::MAX as usize / size_of::<libc::iovec>();
        if self.0.is_null() || count == 0 || count > most {
            return Err(Errno(libc::EINVAL));
        }
        Ok(())
    }
}

/// A copy of the bytes that C frees with `free`; never NULL.
pub(crate) fn copy_for_c(bytes: &[u8]) -> Result<libc::iovec> {
    // SAFETY: takes any size.
    let copy = unsafe { libc::malloc(bytes.len().max(1)) };
    if copy.is_null() {
        return Err(Errno(libc::ENOMEM));
    }
    // SAFETY: there is room for them, which nobody else knows of.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), copy.cast(), bytes.len()) };
    Ok(libc::iovec { iov_base: copy, iov_len: bytes.len() })
}

/// The same where it is only looked at.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct ConstMsg(*const zmq_msg_t);

impl ConstMsg {
    /// The frame, if the message was initialised and not closed.
    #[inline]
    pub(crate) fn frame<'a>(self) -> Result<&'a Frame> {
        Msg(self.0.cast_mut()).frame().map(|frame| &*frame)
    }
}

/// Structs of the caller's, one or an array, the first of which says in its first member how large each is: other than `T`, if
/// the caller was compiled with another version of it.
#[derive(Debug)]
#[repr(transparent)]
pub struct Grown<T>(*mut T);

impl<T: Copy> Grown<T> {
    /// Writes as much of each value as there is room for, and zeros behind what we do not know.
    pub(crate) fn put(self, values: &[T]) -> Result<()> {
        if self.0.is_null() || !self.0.is_aligned() {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: C promises that the member is set.
        let size = unsafe { self.0.cast::<usize>().read() };
        let most = isize::MAX as usize / values.len().max(1);
        if !(size_of::<usize>()..=most).contains(&size) {
            return Err(Errno(libc::EINVAL));
        }
        for (k, value) in values.iter().enumerate() {
            // SAFETY: C promises so many structs of this size, one after the other; of `T` no more is read than it has.
            unsafe {
                let place: *mut u8 = self.0.cast::<u8>().add(k * size);
                place.write_bytes(0, size);
                ptr::from_ref(value).cast::<u8>().copy_to(place, size.min(size_of::<T>()));
                place.cast::<usize>().write_unaligned(size);
            }
        }
        Ok(())
    }
}

fn check(pointer: *const c_void, len: usize) -> Result<()> {
    if pointer.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    if len > isize::MAX as usize { Err(Errno(libc::ENOMEM)) } else { Ok(()) }
}

impl Errno {
    /// Leaves it for the caller.
    #[cold]
    pub(crate) fn set(self) {
        // SAFETY: the thread's own variable.
        unsafe { *libc::__errno_location() = self.0 }
    }

    /// What the last call left.
    pub(crate) fn last() -> Errno {
        // SAFETY: the thread's own variable.
        Errno(unsafe { *libc::__errno_location() })
    }
}

/// Reserves a range of addresses for handles. It takes no memory, also not in a process that locks all of its own
/// (`mlockall`), before parts of it are made readable.
pub(crate) fn reserve(bytes: usize) -> Option<usize> {
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: asks for new memory where the system likes.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_NONE, kind, -1, 0) };
    (start != libc::MAP_FAILED).then(|| start.expose_provenance())
}

/// Gives back a range that was reserved, and of which nobody has heard.
pub(crate) fn release(start: usize, bytes: usize) {
    // SAFETY: the range was reserved by the caller, and nothing is in it.
    unsafe { libc::munmap(ptr::with_exposed_provenance_mut(start), bytes) };
}

/// Makes a part of a reserved range readable, and ready for [`mark_handle`]; `None` if there is no memory for it.
pub(crate) fn make_readable(start: usize, bytes: usize) -> Option<()> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the range is ours, and keeps what is in it.
    let failed = unsafe { libc::mprotect(ptr::with_exposed_provenance_mut(start), bytes, access) };
    (failed == 0).then_some(())
}

/// Makes a handle of an address in the readable part of a reserved range. What is found there is no number of a descriptor, and no sign of
/// anybody's.
pub(crate) fn mark_handle(address: usize) -> Handle {
    let pointer: *mut c_void = ptr::with_exposed_provenance_mut(address);
    // SAFETY: the range is ours and as long as it must be, and is read by nobody who knows what stands there.
    unsafe { pointer.cast::<[i64; 2]>().write_volatile([-1, -1]) };
    Handle(pointer)
}

/// What was published, if anything was.
#[inline]
pub(crate) fn published<T>(place: &'static AtomicPtr<T>) -> Option<&'static T> {
    // SAFETY: null, or a box that was given away for ever by `publish`.
    unsafe { place.load(Ordering::Acquire).as_ref() }
}

/// Publishes a value for ever, unless somebody was quicker.
pub(crate) fn publish<T>(place: &'static AtomicPtr<T>, value: Box<T>) {
    let pointer = Box::into_raw(value);
    let null = ptr::null_mut();
    if place.compare_exchange(null, pointer, Ordering::Release, Ordering::Relaxed).is_err() {
        // SAFETY: it was made here and nobody has seen it.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

/// The system's words for an error.
pub(crate) fn system_error(errnum: c_int) -> *const c_char {
    // SAFETY: takes any number.
    unsafe { libc::strerror(errnum) }
}
