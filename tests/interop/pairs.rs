//! Every pair of socket types, with either side bound, in messages of every kind of framing.

use tightbeam::SocketType::{
    self, Dealer, Pair as Exclusive, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub,
};
use tightbeam::options::number;

use crate::ours::{self, Content, Shape};
use crate::peers::Program;
use crate::theirs::{self, LIMIT};
use tightbeam_tests::transport::anywhere;

/// Around every edge of the formats: empty, what fits into a frame of ours or libzmq's, short and long frames, many reads.
const SIZES: [usize; 9] = [0, 1, 33, 254, 255, 256, 257, 64 << 10, 1 << 20];

/// What our end does; the peer does the opposite.
#[derive(Clone, Copy, Debug)]
enum Does {
    Asks,
    Echoes,
    Sends,
    Receives,
}
use Does::{Asks, Echoes, Receives, Sends};

struct Pair {
    ours: SocketType,
    does: Does,
    /// What stands before each message at our end.
    front: &'static [&'static str],
    /// The peer's role and type, and its options.
    theirs: &'static str,
    options: &'static str,
}

fn pair(
    ours: SocketType,
    does: Does,
    front: &'static [&'static str],
    theirs: &'static str,
    options: &'static str,
) -> Pair {
    Pair { ours, does, front, theirs, options }
}

impl Pair {
    /// With both libzmqs. A Python takes long to start: fewer sizes.
    fn converse(&self) {
        for ours_binds in [true, false] {
            if let Some(program) = theirs::c() {
                for (size, parts) in SIZES.into_iter().flat_map(|size| [(size, 1), (size, 3)]) {
                    let count = if size > 1_000 { 3 } else { 20 };
                    self.converse_with(program, ours_binds, Shape { size, parts, count });
                }
            }
            if let Some(program) = theirs::python() {
                for (size, parts) in [(255, 1), (256, 3)] {
                    self.converse_with(program, ours_binds, Shape { size, parts, count: 20 });
                }
            }
        }
    }

    fn converse_with(&self, program: &Program, ours_binds: bool, shape: Shape) {
        println!(
            "{:?} binds: {ours_binds}, {} {}: {shape:?}",
            self.ours, program.language, self.theirs
        );
        let socket = ours::socket(self.ours);
        ours::set_id(&socket, "ours");
        match self.ours {
            Router => ours::set(&socket, number::ROUTER_MANDATORY, 1),
            Sub => socket.subscribe("").expect("a subscription"),
            XPub | XSub => {
                ours::set(&socket, number::ONLY_FIRST_SUBSCRIBE, 1);
                if self.ours == XSub && matches!(self.does, Receives) {
                    socket.send("\u{1}").expect("a subscription");
                }
            }
            _ => {}
        }
        let options = format!("{} {}", self.options, shape.options());
        let mut peer = if ours_binds {
            let endpoint = socket.bind(anywhere()).expect("an endpoint");
            theirs::start(program, self.theirs, endpoint.as_str(), &format!("--connect {options}"))
        } else {
            let peer =
                theirs::start(program, self.theirs, &anywhere(), &format!("--bind {options}"));
            socket.connect(peer.endpoint()).expect("an endpoint");
            peer
        };
        let content = Content::new(shape);
        match (self.does, self.ours) {
            (Asks, _) => ours::ask(&socket, &content, self.front),
            (Echoes, _) => ours::echo(&socket, shape.count),
            (Sends, Pub | XPub | XSub) => {
                ours::greet(&socket, &mut peer, self.front.first().copied());
                ours::source(&socket, &content, self.front);
            }
            (Sends, _) => ours::source(&socket, &content, self.front),
            (Receives, Sub | XSub | XPub) => {
                if self.ours == XPub {
                    assert_eq!(socket.recv().expect("a subscription"), "\u{1}");
                }
                let first = ours::be_greeted(&socket, &mut peer);
                assert!(first == content.message(0, self.front), "{first:.80?}");
                let rest = 1..shape.count;
                rest.for_each(|i| ours::expect(&socket, &content.message(i, self.front)));
            }
            (Receives, _) => ours::sink(&socket, &content, self.front),
        }
        let report = peer.finish(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(report.number("count"), Some(shape.count as f64), "{}", report.json);
        assert_eq!(socket.close(), 0);
    }
}

macro_rules! pairs {
    ($($name:ident: $ours:expr, $does:expr, $front:expr, $theirs:literal, $options:literal;)*) => {$(
        #[test]
        fn $name() {
            pair($ours, $does, &$front, $theirs, $options).converse();
        }
    )*};
}

pairs! {
    req_asks_rep: Req, Asks, [], "echo rep", "";
    req_asks_router: Req, Asks, [], "echo router", "";
    rep_answers_req: Rep, Echoes, [], "ask req", "";
    rep_answers_dealer: Rep, Echoes, [], "ask dealer", "--envelope";
    dealer_asks_rep: Dealer, Asks, [""], "echo rep", "";
    dealer_asks_dealer: Dealer, Asks, [], "echo dealer", "";
    dealer_asks_router: Dealer, Asks, [], "echo router", "";
    dealer_answers_dealer: Dealer, Echoes, [], "ask dealer", "";
    dealer_answers_router: Dealer, Echoes, [], "ask router", "--to ours";
    router_answers_req: Router, Echoes, [], "ask req", "";
    router_answers_dealer: Router, Echoes, [], "ask dealer", "";
    router_answers_router: Router, Echoes, [], "ask router", "--to ours";
    router_asks_dealer: Router, Asks, ["theirs"], "echo dealer", "--id theirs";
    router_asks_router: Router, Asks, ["theirs"], "echo router", "--id theirs";
    dealer_streams_to_dealer: Dealer, Sends, [], "sink dealer", "";
    dealer_streams_to_router: Dealer, Sends, [], "sink router", "";
    dealer_streams_from_dealer: Dealer, Receives, [], "source dealer", "";
    dealer_streams_from_router: Dealer, Receives, [], "source router", "--to ours";
    router_streams_to_dealer: Router, Sends, ["theirs"], "sink dealer", "--id theirs";
    router_streams_to_router: Router, Sends, ["theirs"], "sink router", "--id theirs";
    router_streams_from_dealer: Router, Receives, ["theirs"], "source dealer", "--id theirs";
    router_streams_from_router: Router, Receives, ["theirs"], "source router", "--id theirs --to ours";
    push_to_pull: Push, Sends, [], "sink pull", "";
    pull_from_push: Pull, Receives, [], "source push", "";
    pub_to_sub: Pub, Sends, [], "sink sub", "";
    sub_from_pub: Sub, Receives, [], "source pub", "";
    pub_to_xsub: Pub, Sends, [], "sink xsub", "";
    xpub_to_sub: XPub, Sends, [], "sink sub", "";
    xpub_to_xsub: XPub, Sends, [], "sink xsub", "";
    sub_from_xpub: Sub, Receives, [], "source xpub", "";
    xsub_from_pub: XSub, Receives, [], "source pub", "";
    xsub_from_xpub: XSub, Receives, [], "source xpub", "";
    xsub_upstream_to_xpub: XSub, Sends, ["up"], "sink xpub", "--topic up";
    xpub_from_xsub_upstream: XPub, Receives, ["up"], "source xsub", "--topic up";
    pair_asks_pair: Exclusive, Asks, [], "echo pair", "";
    pair_answers_pair: Exclusive, Echoes, [], "ask pair", "";
    pair_streams_to_pair: Exclusive, Sends, [], "sink pair", "";
    pair_streams_from_pair: Exclusive, Receives, [], "source pair", "";
}

/// The largest that the peers can: 100 MB in one part, and in two.
#[test]
fn hundred_megabytes() {
    let single = Shape { size: 100_000_000, parts: 1, count: 1 };
    let double = Shape { size: 50_000_000, parts: 2, count: 2 };
    if let Some(c) = theirs::c() {
        pair(Push, Sends, &[], "sink pull", "").converse_with(c, false, single);
        pair(Pull, Receives, &[], "source push", "").converse_with(c, true, single);
        pair(Dealer, Asks, &[], "echo router", "").converse_with(c, false, single);
        pair(Pull, Receives, &[], "source push", "").converse_with(c, false, double);
        pair(Pub, Sends, &[], "sink sub", "").converse_with(c, true, double);
    }
    if let Some(python) = theirs::python() {
        pair(Req, Asks, &[], "echo rep", "").converse_with(python, false, single);
    }
}

/// More parts than any list inline has room for.
#[test]
fn a_thousand_parts() {
    for program in theirs::all() {
        let shape = Shape { size: 10, parts: 1_000, count: 5 };
        pair(Req, Asks, &[], "echo rep", "").converse_with(program, true, shape);
        pair(Pull, Receives, &[], "source push", "").converse_with(program, false, shape);
    }
}
