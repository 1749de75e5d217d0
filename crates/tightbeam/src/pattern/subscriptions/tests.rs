use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

impl<K: Copy + Ord> Subscriptions<K> {
    /// About how many bytes the set holds, without what the allocator adds.
    fn memory(&self) -> usize {
        let lists: usize = self.lists.iter().map(|list| list.nodes.capacity() * 4).sum();
        self.nodes.capacity() * size_of::<Node>()
            + self.nodes.iter().map(Node::heap).sum::<usize>()
            + (self.unused.capacity() + self.free.capacity()) * 4
            + self.slots.len() * 2 * size_of::<(K, u32)>()
            + self.marks.capacity() * size_of::<Mark<K>>()
            + self.lists.capacity() * size_of::<List>()
            + lists
    }

    /// Checks every link against its counterpart, and that no node is in vain.
    fn check(&self) {
        let unused: BTreeSet<_> = self.unused.iter().copied().collect();
        assert_eq!(unused.len(), self.unused.len());
        let (mut topics, mut held) = (0, 0);
        for (at, node) in (0..).zip(&self.nodes) {
            assert_eq!(node.parent == UNUSED, unused.contains(&at));
            if node.parent == UNUSED {
                assert!(node.path().is_empty() && node.holders.is_empty());
                continue;
            }
            if at != ROOT {
                let above = &self.nodes[node.parent as usize];
                assert!(node.path().starts_with(above.path()));
                assert_eq!(above.child(node.path()[above.path().len()]), Some(at));
                assert!(!node.holders.is_empty() || node.children().count() > 1, "in vain");
            }
            for child in node.children() {
                assert_eq!(self.nodes[child as usize].parent, at);
            }
            assert!(node.holders.as_slice().is_sorted_by(|a, b| a.slot < b.slot));
            for holder in node.holders.as_slice() {
                let list = &self.lists[holder.slot as usize].nodes;
                assert_eq!(list[holder.position as usize], at);
                held += 1;
            }
            topics += usize::from(!node.holders.is_empty());
        }
        let listed: usize = self.lists.iter().map(|list| list.nodes.len()).sum();
        assert_eq!((self.topics, self.held, listed), (topics, held, held));
        assert_eq!(self.slots.len() + self.free.len(), self.lists.len());
    }

    fn matched(&self, message: &[u8]) -> Vec<K> {
        let mut met = Vec::new();
        self.matches(message, |who| met.push(who));
        met.sort_unstable();
        met
    }
}

/// The same in the plainest way.
#[derive(Default)]
struct Model(BTreeMap<Vec<u8>, BTreeMap<u8, u32>>);

impl Model {
    fn subscribe(&mut self, topic: &[u8], who: u8) -> Added {
        let first_of_topic = !self.0.contains_key(topic);
        let count = self.0.entry(topic.to_vec()).or_default().entry(who).or_default();
        *count += 1;
        Added { first_of_topic, first_of_subscriber: *count == 1 }
    }

    fn cancel(&mut self, topic: &[u8], who: u8) -> Option<Removed> {
        let holders = self.0.get_mut(topic)?;
        let count = holders.get_mut(&who)?;
        *count -= 1;
        let last_of_subscriber = *count == 0;
        if last_of_subscriber {
            holders.remove(&who);
        }
        let last_of_topic = holders.is_empty();
        if last_of_topic {
            self.0.remove(topic);
        }
        Some(Removed { last_of_topic, last_of_subscriber })
    }

    fn remove(&mut self, who: u8) -> BTreeSet<Vec<u8>> {
        let mut gone = BTreeSet::new();
        for (topic, holders) in &mut self.0 {
            if holders.remove(&who).is_some() && holders.is_empty() {
                gone.insert(topic.clone());
            }
        }
        self.0.retain(|_, holders| !holders.is_empty());
        gone
    }

    fn matched(&self, message: &[u8]) -> Vec<u8> {
        let matching = self.0.iter().filter(|(topic, _)| message.starts_with(topic));
        let met: BTreeSet<u8> = matching.flat_map(|(_, holders)| holders.keys().copied()).collect();
        met.into_iter().collect()
    }

    fn topics_of(&self, who: u8) -> Vec<&[u8]> {
        let of = self.0.iter().filter(|(_, holders)| holders.contains_key(&who));
        of.map(|(topic, _)| topic.as_slice()).collect()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Subscribe(Vec<u8>, u8),
    Cancel(Vec<u8>, u8),
    Remove(u8),
}

/// Topics that share many beginnings, some longer than fits in a node.
fn topic() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => b'a'..=b'c', 1 => any::<u8>()];
    let short = proptest::collection::vec(byte, 0..8);
    prop_oneof![
        4 => short.clone(),
        1 => short.prop_map(|end| [b"ab".repeat(15), end].concat()),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (topic(), 0..5u8).prop_map(|(topic, who)| Step::Subscribe(topic, who)),
        4 => (topic(), 0..5u8).prop_map(|(topic, who)| Step::Cancel(topic, who)),
        1 => (0..5u8).prop_map(Step::Remove),
    ]
}

fn run(set: &mut Subscriptions<u8>, model: &mut Model, step: Step) {
    match step {
        Step::Subscribe(topic, who) => {
            assert_eq!(set.subscribe(&topic, who), model.subscribe(&topic, who));
        }
        Step::Cancel(topic, who) => assert_eq!(set.cancel(&topic, who), model.cancel(&topic, who)),
        Step::Remove(who) => {
            let mut gone = Vec::new();
            set.remove_subscriber(who, |topic, last| {
                if last {
                    gone.push(topic.to_vec());
                }
            });
            gone.sort_unstable();
            assert!(gone.into_iter().eq(model.remove(who)));
        }
    }
}

fn compare(set: &Subscriptions<u8>, model: &Model, messages: &[Vec<u8>]) {
    set.check();
    assert_eq!(set.len(), model.0.len());
    let mut topics = Vec::new();
    set.for_each_topic(|topic| topics.push(topic.to_vec()));
    topics.sort_unstable();
    assert!(topics.iter().eq(model.0.keys()));
    for who in 0..5 {
        let topics = model.topics_of(who);
        assert_eq!(set.topics_of(who), topics.len());
        assert_eq!(set.topic_bytes_of(who), topics.concat().len());
    }
    // Long ones are compared otherwise.
    let long = |message: &Vec<u8>| [message, [b'a'; 16].as_slice()].concat();
    for message in messages.iter().flat_map(|message| [message.clone(), long(message)]) {
        let met = model.matched(&message);
        assert_eq!(set.matches_any(&message), !met.is_empty());
        assert_eq!(set.matched(&message), met);
    }
}

proptest! {
    #[test]
    fn it_does_what_the_model_does(
        steps in proptest::collection::vec(step(), 0..120),
        messages in proptest::collection::vec(topic(), 8),
    ) {
        let (mut set, mut model) = (Subscriptions::new(), Model::default());
        for step in steps {
            run(&mut set, &mut model, step);
            compare(&set, &model, &messages);
        }
    }

    #[test]
    fn packing_changes_nothing_else(
        steps in proptest::collection::vec(step(), 0..60),
        messages in proptest::collection::vec(topic(), 8),
    ) {
        let (mut set, mut model) = (Subscriptions::new(), Model::default());
        // Nodes that will be unused on both sides of those that stay.
        let many = |set: &mut Subscriptions<u8>, who| {
            (0..1500_u32).for_each(|i| {
                set.subscribe(&[b"aab".as_slice(), &i.to_be_bytes()].concat(), who);
            });
        };
        many(&mut set, 100);
        for (i, step) in steps.into_iter().enumerate() {
            if i == 20 {
                many(&mut set, 101);
            }
            run(&mut set, &mut model, step);
        }
        set.remove_subscriber(100, |_, _| {});
        set.remove_subscriber(101, |_, _| {});
        prop_assert!(set.nodes.len() < 1500);
        compare(&set, &model, &messages);
    }
}

#[test]
fn the_only_subscriber_needs_no_name() {
    let mut set = Subscriptions::new();
    assert!(!set.matches_any(b""));
    assert_eq!(set.cancel(b"", ()), None);
    let added = set.subscribe(b"", ());
    assert_eq!(added, Added { first_of_topic: true, first_of_subscriber: true });
    set.subscribe(b"a", ());
    assert!(set.matches_any(b"") && set.matches_any(b"zz"));
    assert_eq!(set.matched(b"a"), [()]);
    let removed = set.cancel(b"", ());
    assert_eq!(removed, Some(Removed { last_of_topic: true, last_of_subscriber: true }));
    assert!(!set.matches_any(b"zz") && set.matches_any(b"ab"));
}

#[test]
fn a_topic_that_matched_last_and_was_cancelled_matches_nothing() {
    let mut set = Subscriptions::new();
    for topic in [b"abc".as_slice(), b"abd", b"x"] {
        set.subscribe(topic, ());
    }
    assert!(set.matches_any(b"abc1") && set.matches_any(b"abc2"));
    set.cancel(b"abc", ());
    assert!(!set.matches_any(b"abc1") && set.matches_any(b"abd"));
    set.subscribe(b"y", ());
    assert!(!set.matches_any(b"abc1") && set.matches_any(b"y"));
}

#[test]
fn unknown_topics_and_subscribers_are_not_cancelled() {
    let mut set = Subscriptions::new();
    set.subscribe(b"abc", 1);
    for (topic, who) in
        [(&b"abc"[..], 2), (b"", 1), (b"ab", 1), (b"abcd", 1), (b"abd", 1), (b"x", 1)]
    {
        assert_eq!(set.cancel(topic, who), None);
    }
    set.remove_subscriber(2, |_, _| panic!("nobody had a topic"));
    assert_eq!(set.len(), 1);
}

#[test]
fn marks_survive_the_end_of_their_numbers() {
    let mut set = Subscriptions::new();
    set.subscribe(b"", 1);
    set.subscribe(b"a", 1);
    set.search.set(u32::MAX - 2);
    for _ in 0..5 {
        assert_eq!(set.matched(b"a"), [1]);
    }
}

#[test]
fn a_giant_topic_leaves_nothing_behind() {
    let mut set = Subscriptions::new();
    set.subscribe(b"good", 0);
    let before = set.memory();
    let giant = vec![b'g'; 2 << 20];
    assert!(set.subscribe(&giant, 1).first_of_topic);
    assert!(set.memory() < before + giant.len() + 4096);
    assert_eq!(set.matched(&giant), [1]);
    assert!(set.cancel(&giant, 1).is_some());
    set.check();
    assert!(set.memory() < before + 512, "{} after {before}", set.memory());
}

#[test]
fn short_topics_beside_a_giant_one_are_cheap() {
    // Each of these splits or joins the node of the giant, which must not copy it: 200,000 copies of 2 MiB take minutes.
    let mut set = Subscriptions::new();
    let giant = vec![b'g'; 2 << 20];
    set.subscribe(&giant, 0);
    for i in 0..100_000 {
        let short = &giant[..1 + i % 100];
        assert!(set.subscribe(short, 1).first_of_topic);
        assert!(set.cancel(short, 1).is_some());
    }
    set.check();
    assert!(set.memory() < giant.len() + 16_384);
}

#[test]
fn a_deep_chain_is_walked_without_recursion() {
    let giant = vec![b'g'; 2_000];
    let mut set = Subscriptions::new();
    (0..=giant.len()).for_each(|n| {
        set.subscribe(&giant[..n], 1);
    });
    assert_eq!(set.topic_bytes_of(1), 2_000 * 2_001 / 2);
    assert!(set.memory() < 2 * set.topic_bytes_of(1));
    assert_eq!(set.matched(&giant), [1]);
    let mut gone = 0;
    set.remove_subscriber(1, |_, last| gone += usize::from(last));
    assert_eq!(gone, giant.len() + 1);
    assert!(set.len() == 0 && set.memory() < 1024);
}

#[test]
fn memory_follows_the_topics_up_and_down() {
    const TOPICS: u32 = 300_000;
    let mut set = Subscriptions::new();
    (0..100).for_each(|who| {
        set.subscribe(b"good", who);
    });
    let before = set.memory();
    for i in 0..TOPICS {
        // In no order, as keys are.
        set.subscribe(format!("{:08x}", i.wrapping_mul(0x9e37_79b1)).as_bytes(), 1000);
    }
    let per_topic = (set.memory() - before) / TOPICS as usize;
    assert!(per_topic < 256, "{per_topic} bytes for a topic of 8");
    set.check();
    set.remove_subscriber(1000, |_, _| {});
    set.check();
    assert_eq!((set.len(), set.matched(b"goods").len()), (1, 100));
    assert!(set.memory() < before + 64 * 1024, "{} after {before}", set.memory());
}

#[test]
fn a_crowd_comes_and_goes() {
    let mut set = Subscriptions::new();
    for who in (0..2000_u32).rev() {
        set.subscribe(b"", who);
        set.subscribe(b"news", who);
    }
    assert!(set.matched(b"newspaper").into_iter().eq(0..2000));
    for who in 0..2000 {
        assert_eq!(set.topics_of(who), 2);
        set.remove_subscriber(who, |_, last| assert_eq!(last, who == 1999));
    }
    assert!(set.len() == 0 && set.memory() < 1024);
}
