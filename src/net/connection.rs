//! One connection: its handshake, its messages in, its messages out, its end.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::patience::{Due, Kept, Patience};
use super::sockets;
use super::streams::{Arrived, Order, Seat, Shared, Streams};
use super::tls::server_name;
use crate::base::limits;
use crate::sip::stream::{Framer, PING, PONG, Piece};
use crate::sip::{Flow, Transport};

/// What one read may bring.
const READ_BYTES: usize = 8 << 10;

/// How a connection ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) why: String,
    /// A message was lost.
    pub(super) unsent: bool,
    pub(super) handshake_failed: bool,
}

impl End {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), unsent: false, handshake_failed: false }
    }

    fn unsent(why: impl Into<String>) -> Self {
        Self { unsent: true, ..Self::because(why) }
    }

    fn no_handshake(why: impl Into<String>) -> Self {
        Self { handshake_failed: true, ..Self::because(why) }
    }
}

/// A connection that a peer has opened.
pub(super) async fn inbound(streams: Streams, mut seat: Seat, stream: TcpStream) {
    let patience = Patience::accepted(streams.0.clock.now());
    let end = if seat.flow.transport == Transport::Tls {
        let handshake = async {
            let acceptor = streams.0.tls.acceptor().ok_or_else(|| io::Error::other("no certificate of ours"))?;
            acceptor.accept(stream).await
        };
        match within(limits::STREAM_HANDSHAKE_MS_MAX, handshake).await {
            Ok(stream) => serve(&streams.0, &mut seat, patience, stream).await,
            Err(error) => {
                tracing::info!(remote = %seat.flow.remote, %error, "TLS handshake failed");
                End::no_handshake(error.to_string())
            }
        }
    } else {
        serve(&streams.0, &mut seat, patience, stream).await
    };
    streams.leave(seat, end).await;
}

/// A connection that we open; `name` is what the certificate there must be for.
pub(super) async fn outbound(streams: Streams, mut seat: Seat, name: Option<String>) {
    let flow = seat.flow;
    let shared = &streams.0;
    let end = match within(limits::STREAM_CONNECT_MS_MAX, sockets::connect(flow.local.ip(), flow.remote)).await {
        Err(error) => refused(flow, "cannot connect", &error),
        Ok(stream) if flow.transport == Transport::Tls => {
            let handshake = async {
                let connector = shared.tls.connector().map_err(io::Error::other)?;
                connector.connect(server_name(name.as_deref(), flow.remote.ip()), stream).await
            };
            match within(limits::STREAM_HANDSHAKE_MS_MAX, handshake).await {
                Ok(stream) => serve(shared, &mut seat, Patience::opened(shared.clock.now()), stream).await,
                Err(error) => End { handshake_failed: true, ..refused(flow, "no TLS", &error) },
            }
        }
        Ok(stream) => serve(shared, &mut seat, Patience::opened(shared.clock.now()), stream).await,
    };
    streams.leave(seat, end).await;
}

fn refused(flow: Flow, what: &str, error: &io::Error) -> End {
    tracing::warn!(remote = %flow.remote, transport = flow.transport.uri_name(), %error, "{what}");
    End::unsent(format!("{what} to {}: {error}", flow.remote))
}

async fn within<T>(millis: u64, what: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing within {millis} ms")));
    tokio::time::timeout(Duration::from_millis(millis), what).await.unwrap_or_else(|_| late())
}

/// Carries messages both ways until either side ends.
async fn serve<S: AsyncRead + AsyncWrite + Send>(shared: &Shared, seat: &mut Seat, patience: Patience, stream: S) -> End {
    let (reader, writer) = tokio::io::split(stream);
    let reading =
        Reading { shared, flow: seat.flow, orders: seat.orders_in.clone(), kept: seat.kept.clone(), framer: Framer::default(), patience };
    tokio::select! {
        end = reading.run(reader) => end,
        end = write(&mut seat.orders, writer) => end,
    }
}

async fn write(orders: &mut mpsc::Receiver<Order>, mut writer: impl AsyncWrite + Unpin) -> End {
    while let Some(order) = orders.recv().await {
        let Order::Send(bytes) = order else {
            let _ = within(limits::STREAM_WRITE_MS_MAX, writer.shutdown()).await;
            return End::because("closed by us");
        };
        let written = async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        };
        if let Err(error) = within(limits::STREAM_WRITE_MS_MAX, written).await {
            return End::unsent(error.to_string());
        }
    }
    End::because("nobody sends any more")
}

struct Reading<'a> {
    shared: &'a Shared,
    flow: Flow,
    orders: mpsc::Sender<Order>,
    kept: watch::Receiver<Kept>,
    framer: Framer,
    patience: Patience,
}

impl Reading<'_> {
    async fn run(mut self, mut reader: impl AsyncRead + Unpin) -> End {
        let mut buffer = BytesMut::with_capacity(READ_BYTES);
        let kept = *self.kept.borrow_and_update();
        self.patience.keep(kept);
        loop {
            buffer.clear();
            buffer.reserve(READ_BYTES);
            let wake = self.shared.clock.to_std(self.patience.deadline());
            tokio::select! {
                read = reader.read_buf(&mut buffer) => match read {
                    Ok(0) => return End::because("closed by the peer"),
                    Ok(_) => if let Err(end) = self.take(&buffer).await { return end },
                    Err(error) => return End::because(error.to_string()),
                },
                changed = self.kept.changed() => {
                    if changed.is_err() {
                        return self.dismissed().await;
                    }
                    let kept = *self.kept.borrow_and_update();
                    self.patience.keep(kept);
                }
                () = tokio::time::sleep_until(wake.into()) => if let Err(end) = self.wake() { return end },
            }
        }
    }

    /// The table has let go of this connection: the writer has a moment to write what is before the order to close.
    async fn dismissed(&self) -> End {
        tokio::time::sleep(Duration::from_millis(limits::STREAM_WRITE_MS_MAX)).await;
        End::unsent("the peer does not read what it is sent")
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), End> {
        let now = self.shared.clock.now();
        self.framer.push(bytes);
        loop {
            match self.framer.next_piece() {
                Ok(None) => break,
                Ok(Some(Piece::Message(bytes))) => {
                    self.patience.whole();
                    self.tell(Arrived::Message { flow: self.flow, bytes }).await?;
                }
                Ok(Some(Piece::Ping)) => {
                    self.patience.line_break();
                    self.say(PONG)?;
                }
                Ok(Some(Piece::Pong)) => self.patience.line_break(),
                Err(broken) => {
                    self.tell(Arrived::Broken { flow: self.flow, broken }).await?;
                    return Err(self.dismissed().await);
                }
            }
        }
        self.patience.heard(now, self.framer.is_inside());
        Ok(())
    }

    fn wake(&mut self) -> Result<(), End> {
        let now = self.shared.clock.now();
        match self.patience.due(now) {
            Due::Nothing => Ok(()),
            Due::Close(why) => Err(End::because(why)),
            Due::Ping => {
                self.framer.expect_pong();
                self.patience.pinged(now);
                self.say(PING)
            }
        }
    }

    /// Hands news up; while nobody takes them nothing is read, and the peer's sending stops.
    async fn tell(&self, news: Arrived) -> Result<(), End> {
        self.shared.arrived.send(news).await.map_err(|_| End::because("nobody listens any more"))
    }

    fn say(&self, bytes: &'static [u8]) -> Result<(), End> {
        let sent = self.orders.try_send(Order::Send(Bytes::from_static(bytes)));
        sent.map_err(|_| End::because("the peer does not read what it is sent"))
    }
}
