//! The worker's end of the socket.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nightbell::engine::wire::{Decoder, FromWorker, ToWorker, encode};

/// Bytes read at a time.
const READ_BYTES: usize = 64 << 10;

/// What came within a while.
pub enum Heard {
    /// Nothing.
    Nothing,
    /// The daemon closed the socket.
    End,
    /// A message and its sound.
    Message(ToWorker, Vec<i16>),
}

/// The half that speaks.
pub struct Voice(UnixStream);

/// The half that listens, with a voice of its own.
pub struct Line {
    socket: UnixStream,
    voice: Voice,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl Voice {
    /// Says `message`. Without a daemon there is nothing left to do: the process ends.
    pub fn say(&mut self, message: &FromWorker, sound: &[i16]) {
        let frame = match encode(message, sound) {
            Ok(frame) => frame,
            Err(error) => {
                eprintln!("an answer cannot be sent: {error}");
                return;
            }
        };
        if self.0.write_all(&frame).is_err() {
            std::process::exit(0);
        }
    }
}

impl Line {
    /// The socket that the daemon passed as standard input.
    pub fn from_stdin() -> io::Result<Self> {
        let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        // Fails for anything that is no socket.
        socket.peer_addr()?;
        let voice = Voice(socket.try_clone()?);
        Ok(Self { socket, voice, decoder: Decoder::new(), bytes: vec![0; READ_BYTES] })
    }

    /// A second voice, for the desk.
    pub fn voice(&self) -> io::Result<Voice> {
        Ok(Voice(self.socket.try_clone()?))
    }

    /// Says something before the desk has its voice, or when it is the last word.
    pub fn say(&mut self, message: &FromWorker, sound: &[i16]) {
        self.voice.say(message, sound);
    }

    /// The next message, or nothing within `limit`.
    pub fn listen(&mut self, limit: Duration) -> anyhow::Result<Heard> {
        loop {
            if let Some((message, sound)) = self.decoder.next_frame()? {
                return Ok(Heard::Message(message, sound));
            }
            // A zero timeout would mean for ever.
            self.socket.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
            match self.socket.read(&mut self.bytes) {
                Ok(0) => return Ok(Heard::End),
                Ok(count) => self.decoder.push(self.bytes.get(..count).unwrap_or_default()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(Heard::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(Heard::End),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
