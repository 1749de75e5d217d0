//! Network interfaces, and descriptors that the caller brings: beside the platform's file, for they are made of
//! what nearly every Unix has.

use std::ffi::{CStr, CString};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// The addresses of the interface of that name, in the system's order; none if there is no such
/// interface, or it has no address.
///
/// # Errors
///
/// The process or the system has no descriptors or no memory left.
pub(crate) fn interface_addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    let mut first: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: the system writes one pointer, to a place that is valid.
    if unsafe { libc::getifaddrs(&raw mut first) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut found = Vec::new();
    let mut next = first;
    // SAFETY: the system made the list, which is ended by a null pointer and freed only below.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: every entry has a name, which ends with a zero.
        let its_name = unsafe { CStr::from_ptr(entry.ifa_name) };
        if its_name.to_bytes() == name.as_bytes() {
            // SAFETY: the address of an entry is null or one of the system's, which is as long as
            // its family says.
            found.extend(unsafe { address_at(entry.ifa_addr) });
        }
        next = entry.ifa_next;
    }
    // SAFETY: the list came from `getifaddrs`, and nothing points into it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// The IP address that a pointer of the system's leads to, if it is one.
///
/// # Safety
///
/// The pointer is null, or leads to an address that is as long as its family says.
unsafe fn address_at(address: *const libc::sockaddr) -> Option<SocketAddr> {
    // SAFETY: as the caller promises; every address begins with its family.
    let family = unsafe { address.as_ref() }?.sa_family;
    match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: that is how an address of this family is laid out; it may lie anywhere.
            let v4 = unsafe { ptr::read_unaligned(address.cast::<libc::sockaddr_in>()) };
            let ip = Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr));
            Some((IpAddr::V4(ip), 0).into())
        }
        libc::AF_INET6 => {
            // SAFETY: that is how an address of this family is laid out; it may lie anywhere.
            let v6 = unsafe { ptr::read_unaligned(address.cast::<libc::sockaddr_in6>()) };
            let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, 0, 0, v6.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// The number of the interface of that name, if there is one.
pub(crate) fn interface_number(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name ends with a zero.
    let number = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (number != 0).then_some(number)
}

/// The name of the interface of that number, if there is one.
pub(crate) fn interface_name(number: u32) -> Option<String> {
    let mut name: [libc::c_char; libc::IF_NAMESIZE] = [0; libc::IF_NAMESIZE];
    // SAFETY: the system writes no more than a name may be long, and the zero behind it.
    let told = unsafe { libc::if_indextoname(number, name.as_mut_ptr()) };
    if told.is_null() {
        return None;
    }
    // SAFETY: the system has written a name that ends with a zero.
    Some(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned())
}

/// Takes over a descriptor that the caller has opened and gives away, if it passes a check.
///
/// # Errors
///
/// `EBADF` if the descriptor is not open, or what the check says; the descriptor then stays the caller's.
pub(crate) fn take_descriptor(
    fd: RawFd,
    check: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers, and changes nothing.
    if fd < 0 || unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: the descriptor is open, and the caller, who gives it away, does not close it meanwhile.
    check(unsafe { BorrowedFd::borrow_raw(fd) })?;
    // SAFETY: the same, and from here on it is this library's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// How long the kernel spins for input before it sleeps, in microseconds.
///
/// # Errors
///
/// `EPERM` without `CAP_NET_ADMIN`, if that is longer than the system's default.
pub(crate) fn set_busy_poll(socket: BorrowedFd<'_>, microseconds: i32) -> io::Result<()> {
    // SAFETY: the value is one integer, of the length that is said, and lives across the call.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BUSY_POLL,
            (&raw const microseconds).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if set == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
