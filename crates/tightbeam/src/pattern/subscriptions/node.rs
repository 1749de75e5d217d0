//! A node of the trie: the bytes that lead to it, its children and who holds its topic.

use std::mem;

/// The longest path kept inside the node, in bytes: what is left of one cache line.
const INLINE: usize = 22;

/// One cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Node {
    path: Path,
    edges: Box<[Edge]>,
    pub(super) holders: Holders,
    pub(super) parent: u32,
}

/// All bytes from the root to the node, not only those since its parent: so a split or a join of nodes moves no
/// bytes, and a peer cannot have long labels copied with short topics.
#[derive(Debug)]
enum Path {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
}

/// A child, and the first byte of its path that the parent has not.
#[derive(Debug, Clone, Copy)]
struct Edge {
    byte: u8,
    node: u32,
}

/// A subscriber of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    /// The subscriber's slot.
    pub(super) slot: u32,
    /// How often it subscribed, at least once.
    pub(super) count: u32,
    /// Where the node stands in the subscriber's own list.
    pub(super) position: u32,
}

/// The subscribers of a topic, in the order of their slots. Most topics have one.
#[derive(Debug)]
pub(super) enum Holders {
    None,
    One(Holder),
    Many(Box<Crowd>),
}

/// Two subscribers or more.
#[derive(Debug)]
pub(super) struct Crowd {
    list: Vec<Holder>,
}

impl Node {
    pub(super) fn new(parent: u32, path: &[u8]) -> Node {
        Node { path: Path::new(path), edges: Box::default(), holders: Holders::None, parent }
    }

    /// The bytes from the root to here: the topic, when somebody holds it.
    pub(super) fn path(&self) -> &[u8] {
        match &self.path {
            Path::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Path::Heap(bytes) => bytes,
        }
    }

    pub(super) fn child(&self, byte: u8) -> Option<u32> {
        self.find(byte).ok().map(|i| self.edges[i].node)
    }

    pub(super) fn children(&self) -> impl ExactSizeIterator<Item = u32> {
        self.edges.iter().map(|edge| edge.node)
    }

    /// The numbers of the parent and the children.
    pub(super) fn links_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let children = self.edges.iter_mut().map(|edge| &mut edge.node);
        std::iter::once(&mut self.parent).chain(children)
    }

    /// Adds a child, or puts another in its place.
    pub(super) fn set_child(&mut self, byte: u8, node: u32) {
        match self.find(byte) {
            Ok(i) => self.edges[i].node = node,
            Err(i) => self.change_edges(|edges| {
                edges.reserve_exact(1);
                edges.insert(i, Edge { byte, node });
            }),
        }
    }

    pub(super) fn remove_child(&mut self, byte: u8) {
        if let Ok(i) = self.find(byte) {
            self.change_edges(|edges| {
                edges.remove(i);
            });
        }
    }

    fn find(&self, byte: u8) -> Result<usize, usize> {
        self.edges.binary_search_by_key(&byte, |edge| edge.byte)
    }

    /// There are at most 256 edges: keeping them without spare room costs little time and saves much memory.
    fn change_edges(&mut self, change: impl FnOnce(&mut Vec<Edge>)) {
        let mut edges = mem::take(&mut self.edges).into_vec();
        change(&mut edges);
        self.edges = edges.into_boxed_slice();
    }

    /// How many bytes the node holds beside itself.
    #[cfg(test)]
    pub(super) fn heap(&self) -> usize {
        let path = match &self.path {
            Path::Inline { .. } => 0,
            Path::Heap(bytes) => bytes.len(),
        };
        let holders = match &self.holders {
            Holders::None | Holders::One(_) => 0,
            Holders::Many(crowd) => {
                size_of::<Crowd>() + crowd.list.capacity() * size_of::<Holder>()
            }
        };
        path + holders + size_of_val::<[Edge]>(&self.edges)
    }
}

impl Path {
    fn new(path: &[u8]) -> Path {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..path.len()), u8::try_from(path.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(path);
                Path::Inline { len, bytes }
            }
            _ => Path::Heap(path.into()),
        }
    }
}

impl Holders {
    pub(super) fn as_slice(&self) -> &[Holder] {
        match self {
            Holders::None => &[],
            Holders::One(holder) => std::slice::from_ref(holder),
            Holders::Many(crowd) => &crowd.list,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Holders::None)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Holder> {
        let place = self.place(slot)?;
        match self {
            Holders::None => None,
            Holders::One(holder) => Some(holder),
            Holders::Many(crowd) => crowd.list.get_mut(place),
        }
    }

    fn place(&self, slot: u32) -> Option<usize> {
        self.as_slice().binary_search_by_key(&slot, |holder| holder.slot).ok()
    }

    /// Adds a subscriber that is not there yet.
    pub(super) fn add(&mut self, holder: Holder) {
        match self {
            Holders::None => *self = Holders::One(holder),
            Holders::One(other) => {
                let mut list = vec![*other, holder];
                list.sort_unstable_by_key(|holder| holder.slot);
                *self = Holders::Many(Box::new(Crowd { list }));
            }
            Holders::Many(crowd) => {
                let place = crowd.list.partition_point(|other| other.slot < holder.slot);
                crowd.list.insert(place, holder);
            }
        }
    }

    /// Removes a subscriber, however often it subscribed.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Holder> {
        let place = self.place(slot)?;
        match self {
            Holders::None => None,
            Holders::One(holder) => {
                let holder = *holder;
                *self = Holders::None;
                Some(holder)
            }
            Holders::Many(crowd) => {
                let holder = crowd.list.remove(place);
                super::release_spare(&mut crowd.list);
                if let [last] = crowd.list[..] {
                    *self = Holders::One(last);
                }
                Some(holder)
            }
        }
    }
}
