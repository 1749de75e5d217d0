//! Who subscribed what: a trie of topics that finds the subscribers of a message.
//!
//! The trie is a radix tree whose nodes lie in one vector; places that removed ones left are used again, and when they
//! are most of it the vector is packed, so that the memory held follows the topics down as well as up. Nothing here
//! recurses. What a call costs follows from the bytes of its own topic or message, never from the length of the topics
//! that others subscribed; all paths together hold at most twice the bytes of the topics.
//!
//! ```text
//!            ""               nodes hold their whole path; those with holders are topics,
//!           /  \              the others have two children at least
//!        "a."   "quote."
//!       /    \
//!   "a.b"    "a.cd"
//! ```

mod node;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use self::node::{Holder, Node};

const ROOT: u32 = 0;
/// The parent of a node that is not in use.
const UNUSED: u32 = u32::MAX;
/// As many unused nodes are never worth packing.
const UNUSED_KEPT: usize = 256;

/// The topics of some subscribers. A subscriber may subscribe a topic several times, and cancels it as often.
///
/// `K` names a subscriber: the number of a pipe, or `()` where there is only one.
#[derive(Debug)]
pub(crate) struct Subscriptions<K> {
    /// The trie; the first is the root, with the empty path, and is always there. Four billion nodes would take
    /// 256 GiB, so that their numbers fit in 32 bits.
    nodes: Vec<Node>,
    /// Nodes that are not in use.
    unused: Vec<u32>,
    /// The slot of each subscriber that has a topic.
    slots: BTreeMap<K, u32>,
    /// By slot: the subscriber, and when it was last met.
    marks: Vec<Mark<K>>,
    /// By slot: the subscriber's topics.
    lists: Vec<List>,
    /// Slots that nobody has.
    free: Vec<u32>,
    /// How many nodes are topics.
    topics: usize,
    /// How many topics all subscribers have together.
    held: usize,
    /// The number of the last search that had to mark whom it met.
    search: Cell<u32>,
    /// The node of the topic that the last message began with: the next one often begins with it, too. Whether there is
    /// such a topic, now, is asked of the node.
    last: Cell<u32>,
}

#[derive(Debug)]
struct Mark<K> {
    who: K,
    search: Cell<u32>,
}

/// One subscriber's topics.
#[derive(Debug, Default)]
struct List {
    nodes: Vec<u32>,
    /// The bytes of these topics.
    bytes: usize,
}

/// What a subscription changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Added {
    /// Nobody had this topic before.
    pub(crate) first_of_topic: bool,
    /// This subscriber did not have it before.
    pub(crate) first_of_subscriber: bool,
}

/// What a cancellation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removed {
    /// Nobody has this topic any more.
    pub(crate) last_of_topic: bool,
    /// This subscriber does not have it any more.
    pub(crate) last_of_subscriber: bool,
}

impl<K: Copy + Ord> Default for Subscriptions<K> {
    fn default() -> Subscriptions<K> {
        Subscriptions::new()
    }
}

/// Where a topic belongs in the trie.
enum Place {
    /// At this node.
    Here(u32),
    /// As a new child of this node.
    Below(u32),
    /// On the way from a node to its child: they part after so many bytes.
    Between { parent: u32, child: u32, common: usize },
}

impl<K: Copy + Ord> Subscriptions<K> {
    /// No topics.
    pub(crate) fn new() -> Subscriptions<K> {
        Subscriptions {
            nodes: vec![Node::new(ROOT, b"")],
            unused: Vec::new(),
            slots: BTreeMap::new(),
            marks: Vec::new(),
            lists: Vec::new(),
            free: Vec::new(),
            topics: 0,
            held: 0,
            search: Cell::new(0),
            last: Cell::new(ROOT),
        }
    }

    /// Adds a topic to a subscriber's, or counts it once more.
    pub(crate) fn subscribe(&mut self, topic: &[u8], who: K) -> Added {
        self.add(topic, who, 1)
    }

    /// Adds a topic to a subscriber's, unless it is there already.
    pub(crate) fn subscribe_once(&mut self, topic: &[u8], who: K) -> Added {
        self.add(topic, who, 0)
    }

    /// Adds a topic to a subscriber's, or so much to its count.
    fn add(&mut self, topic: &[u8], who: K, again: u32) -> Added {
        let slot = self.slot(who);
        let at = self.node_of(topic);
        let node = &mut self.nodes[at as usize];
        if let Some(holder) = node.holders.get_mut(slot) {
            holder.count = holder.count.saturating_add(again);
            return Added { first_of_topic: false, first_of_subscriber: false };
        }
        let first_of_topic = node.holders.is_empty();
        let list = &mut self.lists[slot as usize];
        node.holders.add(Holder { slot, count: 1, position: list.nodes.len() as u32 });
        list.nodes.push(at);
        list.bytes += topic.len();
        self.held += 1;
        self.topics += usize::from(first_of_topic);
        Added { first_of_topic, first_of_subscriber: true }
    }

    /// Takes back one subscription; `None` when the subscriber has no such topic.
    pub(crate) fn cancel(&mut self, topic: &[u8], who: K) -> Option<Removed> {
        let slot = *self.slots.get(&who)?;
        let Place::Here(at) = self.locate(topic) else { return None };
        let holder = self.nodes[at as usize].holders.get_mut(slot)?;
        if holder.count > 1 {
            holder.count -= 1;
            return Some(Removed { last_of_topic: false, last_of_subscriber: false });
        }
        let last_of_topic = self.take(at, slot, |_, _| {});
        if self.lists[slot as usize].nodes.is_empty() {
            self.forget(who, slot);
        }
        Some(Removed { last_of_topic, last_of_subscriber: true })
    }

    /// Removes a subscriber with all its topics, and calls `f` for each of them, with whether nobody has it any more.
    /// The cost follows from this subscriber's topics, not from all.
    pub(crate) fn remove_subscriber(&mut self, who: K, mut f: impl FnMut(&[u8], bool)) {
        let Some(&slot) = self.slots.get(&who) else { return };
        while let Some(&at) = self.lists[slot as usize].nodes.last() {
            self.take(at, slot, &mut f);
        }
        self.forget(who, slot);
    }

    /// Calls `f` once for each subscriber with a topic that the message begins with. Allocates nothing. `f` must not
    /// search the same set: whom it met would be met again.
    pub(crate) fn matches(&self, message: &[u8], mut f: impl FnMut(K)) {
        // Nearly always at most one topic matches, and its holders need no marks.
        let mut first: &[Holder] = &[];
        let mut search = None;
        self.walk(message, |_, holders| {
            if first.is_empty() {
                first = holders;
                return ControlFlow::Continue(());
            }
            let search = *search.get_or_insert_with(|| {
                let search = self.next_search();
                self.meet(first, search, &mut f);
                search
            });
            self.meet(holders, search, &mut f);
            ControlFlow::Continue(())
        });
        if search.is_none() {
            first.iter().for_each(|holder| f(self.marks[holder.slot as usize].who));
        }
    }

    /// Whether anybody has the empty topic, which every message begins with.
    #[inline]
    pub(crate) fn has_empty_topic(&self) -> bool {
        self.nodes.first().is_some_and(|root| !root.holders.is_empty())
    }

    /// Whether anybody has a topic that the message begins with.
    pub(crate) fn matches_any(&self, message: &[u8]) -> bool {
        let last = self.nodes.get(self.last.get() as usize);
        last.is_some_and(|node| !node.holders.is_empty() && node.begins(message, 0))
            || self.find_any(message)
    }

    fn find_any(&self, message: &[u8]) -> bool {
        let mut any = false;
        self.walk(message, |node, _| {
            self.last.set(node);
            any = true;
            ControlFlow::Break(())
        });
        any
    }

    /// Calls `f` with each topic once, in no particular order.
    pub(crate) fn for_each_topic(&self, f: impl FnMut(&[u8])) {
        self.nodes.iter().filter(|node| !node.holders.is_empty()).map(Node::path).for_each(f);
    }

    /// How many different topics there are.
    pub(crate) fn len(&self) -> usize {
        self.topics
    }

    /// How many different topics a subscriber has.
    pub(crate) fn topics_of(&self, who: K) -> usize {
        self.slots.get(&who).map_or(0, |&slot| self.lists[slot as usize].nodes.len())
    }

    /// How many bytes a subscriber's topics have together.
    pub(crate) fn topic_bytes_of(&self, who: K) -> usize {
        self.slots.get(&who).map_or(0, |&slot| self.lists[slot as usize].bytes)
    }

    /// Calls `f` with the node and the holders of each topic that the message begins with, from the shortest on.
    fn walk<'a>(&'a self, message: &[u8], mut f: impl FnMut(u32, &'a [Holder]) -> ControlFlow<()>) {
        let mut at = ROOT;
        let mut node = &self.nodes[ROOT as usize];
        let mut depth = 0;
        loop {
            if !node.holders.is_empty() && f(at, node.holders.as_slice()).is_break() {
                return;
            }
            let Some(child) = message.get(depth).and_then(|&byte| node.child(byte)) else { return };
            at = child;
            node = &self.nodes[child as usize];
            // The byte that chose the child needs no second look; often it is the only one.
            depth += 1;
            let end = node.path().len();
            if end > depth {
                if !node.begins(message, depth) {
                    return;
                }
                depth = end;
            }
        }
    }

    fn meet(&self, holders: &[Holder], search: u32, f: &mut impl FnMut(K)) {
        for holder in holders {
            let mark = &self.marks[holder.slot as usize];
            if mark.search.replace(search) != search {
                f(mark.who);
            }
        }
    }

    /// A number that no mark has.
    fn next_search(&self) -> u32 {
        let search = self.search.get().checked_add(1).unwrap_or_else(|| {
            self.marks.iter().for_each(|mark| mark.search.set(0));
            1
        });
        self.search.set(search);
        search
    }

    /// The slot of a subscriber, which gets one.
    fn slot(&mut self, who: K) -> u32 {
        if let Some(&slot) = self.slots.get(&who) {
            return slot;
        }
        let mark = Mark { who, search: Cell::new(0) };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.marks[slot as usize] = mark;
                slot
            }
            None => {
                self.marks.push(mark);
                self.lists.push(List::default());
                self.lists.len() as u32 - 1
            }
        };
        self.slots.insert(who, slot);
        slot
    }

    /// Gives back the slot of a subscriber without topics.
    fn forget(&mut self, who: K, slot: u32) {
        self.slots.remove(&who);
        self.lists[slot as usize] = List::default();
        self.free.push(slot);
        if self.slots.is_empty() {
            *self = Subscriptions::new();
        }
    }

    /// The node of a topic; makes it when there is none.
    fn node_of(&mut self, topic: &[u8]) -> u32 {
        let parent = match self.locate(topic) {
            Place::Here(node) => return node,
            Place::Below(parent) => parent,
            Place::Between { parent, child, common } => {
                let middle = self.add_node(parent, &topic[..common]);
                let byte = self.nodes[child as usize].path()[common];
                self.nodes[middle as usize].set_child(byte, child);
                self.nodes[child as usize].parent = middle;
                if common == topic.len() {
                    return middle;
                }
                middle
            }
        };
        self.add_node(parent, topic)
    }

    fn locate(&self, topic: &[u8]) -> Place {
        let mut at = ROOT;
        let mut depth = 0;
        loop {
            let Some(&byte) = topic.get(depth) else { return Place::Here(at) };
            let Some(child) = self.nodes[at as usize].child(byte) else { return Place::Below(at) };
            let path = self.nodes[child as usize].path();
            let common = depth + common_prefix(&path[depth..], &topic[depth..]);
            if common < path.len() {
                return Place::Between { parent: at, child, common };
            }
            at = child;
            depth = common;
        }
    }

    /// Adds a node, in the place of the child that begins with the same byte.
    fn add_node(&mut self, parent: u32, path: &[u8]) -> u32 {
        let node = Node::new(parent, path);
        let at = match self.unused.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        let above = &mut self.nodes[parent as usize];
        let byte = path[above.path().len()];
        above.set_child(byte, at);
        at
    }

    /// Takes a topic from a subscriber who has it. Tells `f`, and answers, whether nobody has it any more.
    fn take(&mut self, at: u32, slot: u32, f: impl FnOnce(&[u8], bool)) -> bool {
        let node = &mut self.nodes[at as usize];
        let Some(holder) = node.holders.remove(slot) else { return false };
        let last_of_topic = node.holders.is_empty();
        let list = &mut self.lists[slot as usize];
        list.bytes -= node.path().len();
        f(node.path(), last_of_topic);
        list.nodes.swap_remove(holder.position as usize);
        // The topic that was last in the list stands where this one stood.
        if let Some(&moved) = list.nodes.get(holder.position as usize)
            && let Some(other) = self.nodes[moved as usize].holders.get_mut(slot)
        {
            other.position = holder.position;
        }
        release_spare(&mut list.nodes);
        self.held -= 1;
        if last_of_topic {
            self.topics -= 1;
            self.prune(at);
        }
        last_of_topic
    }

    /// Removes a node that is no topic any more, and then its parent, when they only lead on to one other node.
    fn prune(&mut self, at: u32) {
        let parent = self.nodes[at as usize].parent;
        match self.nodes[at as usize].children().count() {
            _ if at == ROOT => {}
            0 => {
                let byte = self.byte_below(parent, at);
                self.discard(at);
                let above = &mut self.nodes[parent as usize];
                above.remove_child(byte);
                if parent != ROOT && above.holders.is_empty() && above.children().count() == 1 {
                    self.bypass(parent);
                }
            }
            1 => self.bypass(at),
            _ => {}
        }
        self.pack();
    }

    /// Removes a node with one child, which goes to the node's parent as it is.
    fn bypass(&mut self, at: u32) {
        let Some(child) = self.nodes[at as usize].children().next() else { return };
        let parent = self.nodes[at as usize].parent;
        let byte = self.byte_below(parent, child);
        self.nodes[parent as usize].set_child(byte, child);
        self.nodes[child as usize].parent = parent;
        self.discard(at);
    }

    /// The first byte that `parent` lacks of the path to a node below it.
    fn byte_below(&self, parent: u32, below: u32) -> u8 {
        self.nodes[below as usize].path()[self.nodes[parent as usize].path().len()]
    }

    /// Frees a node to which nothing leads any more.
    fn discard(&mut self, at: u32) {
        self.nodes[at as usize] = Node::new(UNUSED, b"");
        self.unused.push(at);
    }

    /// Gives back the memory of unused nodes, when they are many against everything that must be renumbered: each was
    /// left by a removal, so that packing adds only a constant to the cost of a removal, whoever asks for it.
    fn pack(&mut self) {
        let used = self.nodes.len() - self.unused.len();
        if self.unused.len() < UNUSED_KEPT + 3 * used + self.held + self.lists.len() {
            return;
        }
        let mut numbers = vec![UNUSED; self.nodes.len()];
        let in_use = self.nodes.iter().zip(&mut numbers).filter(|(node, _)| node.parent != UNUSED);
        for (number, (_, new)) in (0..).zip(in_use) {
            *new = number;
        }
        let renumber = |at: &mut u32| *at = numbers[*at as usize];
        self.nodes.retain(|node| node.parent != UNUSED);
        self.nodes.shrink_to_fit();
        self.nodes.iter_mut().flat_map(Node::links_mut).for_each(renumber);
        self.lists.iter_mut().flat_map(|list| &mut list.nodes).for_each(renumber);
        self.unused = Vec::new();
    }
}

/// How many bytes two slices have in common at their beginnings.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let steps = a.chunks_exact(STEP).zip(b.chunks_exact(STEP)).take_while(|(a, b)| a == b).count();
    let same = steps * STEP;
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}

/// Gives memory back when three quarters of it are spare.
fn release_spare<T>(list: &mut Vec<T>) {
    const KEPT: usize = 16;
    if list.capacity() > KEPT && list.len() < list.capacity() / 4 {
        list.shrink_to((list.len() * 2).max(KEPT));
    }
}
