//! The messages of ZAP, by which a handler in the same process is asked about peers (RFC 27).

use zmtp::Verdict;

use crate::auth::{Credentials, Request};
use crate::message::Message;

/// Where the handler is bound, behind `inproc://`.
pub(crate) const HANDLER: &str = "zeromq.zap.01";
const VERSION: &[u8] = b"1.0";
/// The most properties that a handler may give a peer.
const MOST_PROPERTIES: usize = 256;

/// Why there is no verdict on a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ZapFault {
    #[error("there is no handler")]
    NoHandler,
    #[error("the handler has left before it answered")]
    HandlerLeft,
    #[error("too many requests wait for the handler")]
    Busy,
    #[error("the authenticator panicked")]
    Panicked,
    #[error("the handler's reply does not have the right frames")]
    MalformedReply,
    #[error("the handler's reply is of another version")]
    BadVersion,
    #[error("the handler's reply is to no request that waits")]
    BadRequestId,
    #[error("the handler's reply has a status that there is not")]
    InvalidStatus,
    #[error("the handler's reply has malformed metadata")]
    InvalidMetadata,
}

/// What was decided on a peer.
pub(crate) type Judgement = Result<Verdict, ZapFault>;

/// The request to a handler (RFC 27, "Message Format"), as a DEALER sends it to a REP. The identity is that of the
/// socket that asks, as with libzmq.
pub(crate) fn request(id: u64, identity: &[u8], request: &Request) -> Message {
    let mut message = Message::multipart([
        b"".as_slice(),
        VERSION,
        id.to_string().as_bytes(),
        &request.domain,
        request.address.as_bytes(),
        identity,
        request.credentials.mechanism().as_bytes(),
    ]);
    match &request.credentials {
        Credentials::Null => {}
        Credentials::Plain { username, password } => {
            message.push(username.as_slice());
            message.push(password.as_slice());
        }
        Credentials::Curve(key) => message.push(key.as_bytes().as_slice()),
    }
    message
}

/// The number of the request that a handler answers, if it says one, and what it decided.
pub(crate) fn reply(message: &Message) -> (Option<u64>, Judgement) {
    let frames: Vec<&[u8]> = message.frames().iter().map(|frame| &frame[..]).collect();
    let id = frames.get(2).and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
    let judgement = match frames.as_slice() {
        [b"", VERSION, _id, status, _text, user_id, metadata] => {
            judgement(status, user_id, metadata)
        }
        [b"", _, _, _, _, _, _] => Err(ZapFault::BadVersion),
        _ => Err(ZapFault::MalformedReply),
    };
    (id, judgement)
}

fn judgement(status: &[u8], user_id: &[u8], metadata: &[u8]) -> Judgement {
    let refused = match status {
        b"200" => None,
        b"300" => Some(Verdict::Temporary),
        b"400" => Some(Verdict::Deny { status: 400 }),
        b"500" => Some(Verdict::Deny { status: 500 }),
        _ => return Err(ZapFault::InvalidStatus),
    };
    let properties = zmtp::parse_properties(metadata, MOST_PROPERTIES);
    let properties = properties.ok_or(ZapFault::InvalidMetadata)?;
    Ok(refused.unwrap_or_else(|| Verdict::Accept { user_id: Some(user_id.to_vec()), properties }))
}
