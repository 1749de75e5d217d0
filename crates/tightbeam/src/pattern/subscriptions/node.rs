//! A node of the trie: the bytes that lead to it, its children and who holds its topic.

/// The longest path kept inside the node, in bytes: what is left of one cache line.
const INLINE: usize = 22;

/// No child has the number of the root.
const NONE: u32 = 0;

/// One cache line.
///
/// The byte of a child is the first one of its path that the parent has not. Where the children's bytes are close to
/// each other, `links` has a place for each byte from the first to the last; otherwise it has byte and number of each
/// child by turns, which takes less room then. A byte that is not between the two is refused without a look into it.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Node {
    path: Path,
    links: Box<[u32]>,
    pub(super) holders: Holders,
    pub(super) parent: u32,
    /// The byte of the first child.
    first: u8,
    /// How far from it the byte of the last child is.
    span: u8,
}

/// All bytes from the root to the node, not only those since its parent: so a split or a join of nodes moves no
/// bytes, and a peer cannot have long labels copied with short topics.
#[derive(Debug)]
enum Path {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
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
        let (path, links) = (Path::new(path), Box::default());
        Node { path, links, holders: Holders::None, parent, first: 0, span: 0 }
    }

    /// The bytes from the root to here: the topic, when somebody holds it.
    pub(super) fn path(&self) -> &[u8] {
        match &self.path {
            Path::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Path::Heap(bytes) => bytes,
        }
    }

    /// Whether the message begins with the path, with so many bytes of which it is known to begin.
    #[inline]
    pub(super) fn begins(&self, message: &[u8], known: usize) -> bool {
        if let Path::Inline { len, bytes } = &self.path
            && let Some((path, start)) = bytes.first_chunk().zip(message.first_chunk())
            && *len <= 16
        {
            // No call, and no load that waits for several stores of whoever made the message.
            let differing = u128::from_le_bytes(*path) ^ u128::from_le_bytes(*start);
            return differing.trailing_zeros() >= 8 * u32::from(*len);
        }
        let path = self.path();
        message.get(known..path.len()) == path.get(known..)
    }

    #[inline]
    pub(super) fn child(&self, byte: u8) -> Option<u32> {
        let place = byte.wrapping_sub(self.first);
        if place > self.span {
            return None;
        }
        if self.is_dense() {
            return self.links.get(usize::from(place)).copied().filter(|node| *node != NONE);
        }
        let pairs = self.links.as_chunks().0;
        let at = pairs.binary_search_by_key(&u32::from(byte), |&[byte, _]| byte).ok()?;
        pairs.get(at).map(|&[_, node]| node)
    }

    /// Whether there is a place for each byte.
    #[inline]
    fn is_dense(&self) -> bool {
        self.links.len() == usize::from(self.span) + 1
    }

    /// The children by their bytes.
    fn edges(&self) -> impl Iterator<Item = (u8, u32)> {
        let (places, pairs) = match self.is_dense() {
            true => (&*self.links, [].as_slice()),
            false => ([].as_slice(), self.links.as_chunks().0),
        };
        let dense = places.iter().enumerate().filter(|(_, node)| **node != NONE);
        let dense = dense.map(|(place, node)| (self.first + place as u8, *node));
        dense.chain(pairs.iter().map(|&[byte, node]| (byte as u8, node)))
    }

    pub(super) fn children(&self) -> impl Iterator<Item = u32> {
        self.edges().map(|(_, node)| node)
    }

    /// The numbers of the parent and the children; of places without a child, too, which have the root's.
    pub(super) fn links_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let (skip, step) = if self.is_dense() { (0, 1) } else { (1, 2) };
        std::iter::once(&mut self.parent).chain(self.links.iter_mut().skip(skip).step_by(step))
    }

    /// Adds a child, or puts another in its place.
    pub(super) fn set_child(&mut self, byte: u8, node: u32) {
        let place = byte.wrapping_sub(self.first);
        if place <= self.span && self.is_dense() {
            self.links[usize::from(place)] = node;
            return;
        }
        let others = self.edges().filter(|edge| edge.0 != byte);
        let mut edges: Vec<_> = others.chain([(byte, node)]).collect();
        edges.sort_unstable();
        self.lay_out(&edges);
    }

    pub(super) fn remove_child(&mut self, byte: u8) {
        let edges: Vec<_> = self.edges().filter(|edge| edge.0 != byte).collect();
        self.lay_out(&edges);
    }

    /// There are at most 256 children: keeping them without spare room costs little time and saves much memory.
    fn lay_out(&mut self, edges: &[(u8, u32)]) {
        let first = edges.first().map_or(0, |edge| edge.0);
        let span = edges.last().map_or(0, |edge| edge.0 - first);
        (self.first, self.span) = (first, span);
        let places = usize::from(span) + 1;
        self.links = if edges.is_empty() || places > 2 * edges.len() {
            edges.iter().flat_map(|&(byte, node)| [u32::from(byte), node]).collect()
        } else {
            let mut links = vec![NONE; places];
            edges.iter().for_each(|&(byte, node)| links[usize::from(byte - first)] = node);
            links.into()
        };
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
        path + holders + size_of_val::<[u32]>(&self.links)
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
