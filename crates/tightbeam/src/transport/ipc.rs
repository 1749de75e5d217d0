//! IPC: Unix domain sockets, the files that they leave, and who the peer is.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IoSliceMut, Read};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mio::event::Source;
use mio::net::{UnixListener, UnixStream};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::endpoint::IpcAddress;
use crate::options::Options;
use crate::sys::{self, Credentials};

/// Directories that are tried for a path of our choice.
const DIRECTORIES: usize = 100;

/// A connection over a Unix domain socket.
#[derive(Debug)]
pub(crate) struct IpcStream {
    socket: UnixStream,
    /// Where it is registered, once it is.
    place: Option<(Arc<Registry>, Token)>,
}

/// A Unix domain socket that listens.
#[derive(Debug)]
pub(crate) struct IpcListener {
    socket: UnixListener,
    file: Option<BoundFile>,
}

/// The file that a listener has in the file system.
#[derive(Debug)]
struct BoundFile {
    /// Absolute, as the process may change its directory.
    path: PathBuf,
    /// By device and inode a file that another one has bound meanwhile is told from ours.
    identity: Option<(u64, u64)>,
    /// A directory that was made for it.
    directory: Option<PathBuf>,
}

/// A listening socket, and its address if that was ours to choose. A file that another listener has left, or still has,
/// is replaced.
pub(crate) fn listen(
    address: &IpcAddress,
    options: &Options,
) -> io::Result<(IpcListener, IpcAddress)> {
    if let Some(fd) = options.use_fd {
        return given(fd);
    }
    match address {
        IpcAddress::Any => listen_anywhere(options),
        IpcAddress::Path(path) => {
            remove_stale(Path::new(&**path))?;
            let listener = listen_at(Path::new(&**path), None, options)?;
            Ok((listener, address.clone()))
        }
        IpcAddress::Abstract(name) => {
            let socket = bound(&SockAddr::unix(format!("\0{name}"))?, options)?;
            Ok((IpcListener { socket, file: None }, address.clone()))
        }
    }
}

/// A listening socket that the application has opened. Its file, if it has one, stays the application's.
fn given(fd: RawFd) -> io::Result<(IpcListener, IpcAddress)> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let mut address = None;
    let fd = sys::take_descriptor(fd, |fd| {
        let socket = SockRef::from(&fd);
        let local = socket.local_addr()?;
        address = match (local.as_pathname(), local.as_abstract_namespace()) {
            (Some(path), _) => path.to_str().map(|path| IpcAddress::Path(path.into())),
            (_, Some(name)) => {
                std::str::from_utf8(name).ok().map(|name| IpcAddress::Abstract(name.into()))
            }
            _ => None,
        };
        if socket.is_listener()? && address.is_some() { Ok(()) } else { Err(invalid()) }
    })?;
    SockRef::from(&fd).set_nonblocking(true)?;
    let socket = UnixListener::from_std(fd.into());
    Ok((IpcListener { socket, file: None }, address.ok_or_else(invalid)?))
}

/// In a directory of its own below the one for temporary files, so that nobody else can take the path.
fn listen_anywhere(options: &Options) -> io::Result<(IpcListener, IpcAddress)> {
    let directory = private_directory()?;
    let path = directory.join("socket");
    let made = match path.to_str() {
        Some(text) => listen_at(&path, Some(&directory), options)
            .map(|listener| (listener, IpcAddress::Path(text.into()))),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the directory for temporary files has a name that is not UTF-8",
        )),
    };
    if made.is_err() {
        let _ = fs::remove_dir(&directory);
    }
    made
}

fn private_directory() -> io::Result<PathBuf> {
    let parent = std::env::temp_dir();
    let mut tried = 0;
    loop {
        let name = RandomState::new().hash_one(tried);
        let directory = parent.join(format!("tightbeam-{name:016x}"));
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(error) if tried == DIRECTORIES => return Err(error),
            Err(_) => tried += 1,
        }
    }
}

/// Makes way for a new socket: removes a socket, whoever listens there, and an empty file, which is how programs reserve a
/// name. Anything else is left for `bind` to find.
fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let empty = found.is_file() && found.len() == 0;
    if !empty && !found.file_type().is_socket() {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn listen_at(path: &Path, directory: Option<&Path>, options: &Options) -> io::Result<IpcListener> {
    let address =
        SockAddr::unix(path).map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))?;
    let socket = bound(&address, options)?;
    let file = BoundFile {
        path: std::path::absolute(path)?,
        identity: identity(path),
        directory: directory.map(Path::to_owned),
    };
    Ok(IpcListener { socket, file: Some(file) })
}

fn bound(address: &SockAddr, options: &Options) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    set_buffers(&socket, options)?;
    socket.bind(address)?;
    socket.listen(options.backlog)?;
    Ok(UnixListener::from_std(socket.into()))
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// A connection, which is there at once or not at all: the system says
/// [`WouldBlock`](io::ErrorKind::WouldBlock) when too many wait to be accepted.
pub(crate) fn connect(address: &IpcAddress, options: &Options) -> io::Result<IpcStream> {
    let address = match address {
        IpcAddress::Any => return Err(io::ErrorKind::InvalidInput.into()),
        IpcAddress::Path(path) => SockAddr::unix(&**path)?,
        IpcAddress::Abstract(name) => SockAddr::unix(format!("\0{name}"))?,
    };
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    set_buffers(&socket, options)?;
    socket.connect(&address)?;
    Ok(IpcStream { socket: UnixStream::from_std(socket.into()), place: None })
}

fn set_buffers(socket: &Socket, options: &Options) -> io::Result<()> {
    if let Some(size) = options.sndbuf {
        socket.set_send_buffer_size(size)?;
    }
    if let Some(size) = options.rcvbuf {
        socket.set_recv_buffer_size(size)?;
    }
    Ok(())
}

impl IpcStream {
    pub(crate) fn read_vectored(&self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&self.socket).read_vectored(buffers)
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.socket).read(buffer)
    }

    pub(crate) fn shutdown(&self) {
        // Fails when the peer was quicker.
        drop(self.socket.shutdown(Shutdown::Both));
    }

    pub(crate) fn end_input(&self) {
        drop(self.socket.shutdown(Shutdown::Read));
    }

    /// Who the peer was when it connected or listened.
    pub(crate) fn credentials(&self) -> io::Result<Credentials> {
        sys::peer_credentials(self.as_fd())
    }

    /// Whether the filters let the peer in: without any everybody, else whom one of them names.
    pub(crate) fn is_welcome(&self, options: &Options) -> bool {
        let (pids, uids, gids) =
            (&options.ipc_filter_pid, &options.ipc_filter_uid, &options.ipc_filter_gid);
        if pids.is_empty() && uids.is_empty() && gids.is_empty() {
            return true;
        }
        self.credentials().is_ok_and(|peer| {
            let (uid, gid) = (peer.uid.cast_signed(), peer.gid.cast_signed());
            pids.contains(&peer.pid) || uids.contains(&uid) || gids.contains(&gid)
        })
    }

    /// Registers for reading only: each read of the peer makes a Unix domain socket writable, and would wake its owner for
    /// nothing.
    pub(crate) fn register(&mut self, registry: &Arc<Registry>, token: Token) -> io::Result<()> {
        self.socket.register(registry, token, Interest::READABLE)?;
        self.place = Some((Arc::clone(registry), token));
        Ok(())
    }

    /// Whether the poll is to tell when there is room for more. Told to, it also tells if there is already.
    pub(crate) fn watch_room(&self, watch: bool) {
        let Some((registry, token)) = &self.place else { return };
        let room = watch.then_some(Interest::WRITABLE);
        let interests = room.map_or(Interest::READABLE, |room| room | Interest::READABLE);
        // Fails only for what is not registered.
        let _ = registry.reregister(&mut SourceFd(&self.socket.as_raw_fd()), *token, interests);
    }
}

impl AsFd for IpcStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for IpcStream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl IpcListener {
    pub(crate) fn accept(&self) -> io::Result<IpcStream> {
        self.socket.accept().map(|(socket, _)| IpcStream { socket, place: None })
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register(registry, token, Interest::READABLE)
    }

    /// Removes the file, unless another listener has taken the path.
    pub(crate) fn remove_file(&self) {
        let Some(file) = &self.file else { return };
        if file.identity.is_some() && identity(&file.path) == file.identity {
            let _ = fs::remove_file(&file.path);
        }
        if let Some(directory) = &file.directory {
            let _ = fs::remove_dir(directory);
        }
    }
}

impl AsRawFd for IpcListener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}
