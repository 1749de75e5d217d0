//! CURVE between the two processes, with the keys that the manual page `zmq_curve` gives for tests.

use tightbeam::SocketBase;
use tightbeam::curve::{KeyError, Keypair};

use crate::Outcome;

fn keypair(public: &str, secret: &str) -> Result<Keypair, KeyError> {
    Ok(Keypair { public: public.parse()?, secret: secret.parse()? })
}

fn servers() -> Result<Keypair, KeyError> {
    keypair("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
}

fn clients() -> Result<Keypair, KeyError> {
    keypair("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
}

pub(crate) fn be_server(socket: &SocketBase) -> Outcome {
    Ok(socket.set_curve_server(&servers()?)?)
}

pub(crate) fn be_client(socket: &SocketBase) -> Outcome {
    Ok(socket.set_curve_client(&clients()?, &servers()?.public)?)
}
