//! The pieces of work, each from both sides.

mod idle;
mod matching;
mod publish;
mod round_trip;
mod router;
mod stream;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::job::{Job, Work};
use crate::library::{Library, Role, Setup, Unsupported};
use crate::{Outcome, system};

/// The whole of a program: does what its words say with a library.
pub fn main<L: Library>() -> Outcome {
    match run::<L>() {
        Err(error) if error.is::<Unsupported>() => {
            println!("UNSUPPORTED {error}");
            Ok(())
        }
        result => result,
    }
}

fn run<L: Library>() -> Outcome {
    let job = Job::parse()?;
    system::raise_descriptor_limit();
    let library = L::new()?;
    if job.both {
        return both_sides(&job, &library);
    }
    println!("{}", one_side(&job, &library)?);
    Ok(())
}

/// Two threads; the server's result comes first.
fn both_sides<L: Library>(job: &Job, library: &L) -> Outcome {
    // Errors do not cross threads as they are.
    type Side = Result<String, (Option<Unsupported>, String)>;
    let side = |server: bool| -> Side {
        let text = |error: Box<dyn Error>| (error.downcast_ref().copied(), error.to_string());
        if let Some([servers, clients]) = job.cores {
            system::pin(if server { servers } else { clients })
                .map_err(|error| text(error.into()))?;
        }
        one_side(&Job { server, ..job.clone() }, library).map_err(text)
    };
    let (server, client) = std::thread::scope(|scope| {
        let server = scope.spawn(|| side(true));
        let client = side(false);
        (server.join(), client)
    });
    match (server.map_err(|_| "the server panicked")?, client) {
        (Ok(server), Ok(client)) => println!("{server}\n{client}"),
        // Without a server the client fails, too.
        (Err((Some(unsupported), _)), _) => return Err(unsupported.into()),
        (Err((_, error)), _) | (_, Err((_, error))) => return Err(error.into()),
    }
    Ok(())
}

/// Answers this side's result.
fn one_side<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    library.run(async {
        match (job.work, job.server) {
            (Work::RoundTrip, true) => round_trip::answer(job, library).await,
            (Work::RoundTrip, false) => round_trip::ask(job, library).await,
            (Work::Stream | Work::Paced, true) => stream::receive(job, library).await,
            (Work::Stream | Work::Paced, false) => stream::send(job, library).await,
            (Work::Router, true) => router::answer(job, library).await,
            (Work::Router, false) => router::ask(job, library).await,
            (Work::Publish, true) => publish::publish(job, library).await,
            (Work::Publish, false) => publish::subscribe(job, library).await,
            (Work::Match, true) => matching::publish(job, library).await,
            (Work::Match, false) => matching::subscribe(job, library).await,
            (Work::Idle, true) => idle::serve(job, library).await,
            (Work::Idle, false) => idle::connect(job, library).await,
        }
    })
}

impl Job {
    fn setup(&self, role: Role) -> Setup {
        Setup { role, size: self.size, peers: self.peers, curve: self.curve }
    }

    /// Opens the server's socket and its end of the control connection.
    async fn serve<L: Library>(&self, library: &L, role: Role) -> Outcome<(L::Socket, TcpStream)> {
        let listener = TcpListener::bind(&self.control)?;
        let socket = library.bind(&self.setup(role), &self.endpoint, || println!("READY")).await?;
        let control = listener.accept()?.0;
        control.set_nodelay(true)?;
        Ok((socket, control))
    }

    /// The client's end. Where both sides are threads, the server may not listen yet.
    fn control(&self) -> Outcome<TcpStream> {
        let give_up = Instant::now() + Duration::from_secs(1);
        loop {
            match TcpStream::connect(&self.control) {
                Ok(control) => {
                    control.set_nodelay(true)?;
                    return Ok(control);
                }
                Err(error) if Instant::now() > give_up => return Err(error.into()),
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Leaves latencies for the harness.
    fn leave(&self, stamps_ns: &[u64]) -> Outcome {
        let bytes: Vec<u8> = stamps_ns.iter().flat_map(|ns| ns.to_ne_bytes()).collect();
        Ok(fs::write(&self.stamps, bytes)?)
    }
}

/// Tells the other side.
fn acknowledge(mut control: &TcpStream) -> Outcome {
    Ok(control.write_all(&[1])?)
}
