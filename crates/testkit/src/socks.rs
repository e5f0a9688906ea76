//! A SOCKS5 proxy (RFC 1928) with or without user and password (RFC 1929), which counts what goes through it.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A running proxy. Its threads end with the process of the test.
#[derive(Debug)]
pub struct Socks {
    address: SocketAddr,
    connected: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
}

impl Socks {
    /// Starts one that asks for this user and password, or for nobody's.
    pub fn start(login: Option<(&str, &str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|e| panic!("cannot listen: {e}"));
        let address = listener
            .local_addr()
            .unwrap_or_else(|e| panic!("no address: {e}"));
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let socks = Self {
            address,
            connected: Arc::default(),
            refused: Arc::default(),
        };
        let (connected, refused) = (Arc::clone(&socks.connected), Arc::clone(&socks.refused));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (connected, refused, login) =
                    (Arc::clone(&connected), Arc::clone(&refused), login.clone());
                thread::spawn(move || match meet(stream, login.as_ref()) {
                    Ok((near, far)) => {
                        connected.fetch_add(1, Ordering::SeqCst);
                        join(near, far);
                    }
                    Err(_) => {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        socks
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Connections that were made through it.
    pub fn connected(&self) -> usize {
        self.connected.load(Ordering::SeqCst)
    }

    /// Clients that were turned away.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn take<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn take_counted(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let [length] = take(stream)?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Greets a client and connects it.
fn meet(mut near: TcpStream, login: Option<&(String, String)>) -> io::Result<(TcpStream, TcpStream)> {
    if take(&mut near)? != [5] {
        return Err(wrong("version"));
    }
    let methods = take_counted(&mut near)?;
    let wanted = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        near.write_all(&[5, 0xff])?;
        return Err(wrong("method"));
    }
    near.write_all(&[5, wanted])?;
    if let Some((user, password)) = login {
        if take(&mut near)? != [1] {
            return Err(wrong("version of the login"));
        }
        let given = (take_counted(&mut near)?, take_counted(&mut near)?);
        if (given.0.as_slice(), given.1.as_slice()) != (user.as_bytes(), password.as_bytes()) {
            near.write_all(&[1, 1])?;
            return Err(wrong("login"));
        }
        near.write_all(&[1, 0])?;
    }
    let [version, command, _, kind] = take(&mut near)?;
    if (version, command) != (5, 1) {
        near.write_all(&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0])?;
        return Err(wrong("command"));
    }
    let ip = match kind {
        1 => Ipv4Addr::from(take::<4>(&mut near)?).into(),
        4 => Ipv6Addr::from(take::<16>(&mut near)?).into(),
        _ => {
            near.write_all(&[5, 8, 0, 1, 0, 0, 0, 0, 0, 0])?;
            return Err(wrong("kind of address"));
        }
    };
    let target = SocketAddr::new(ip, u16::from_be_bytes(take(&mut near)?));
    // Only this machine, as everything in tests.
    let far = if target.ip().is_loopback() {
        TcpStream::connect(target)
    } else {
        Err(wrong("not loopback"))
    };
    match far {
        Ok(far) => {
            near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            Ok((near, far))
        }
        Err(error) => {
            near.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0])?;
            Err(error)
        }
    }
}

/// Passes bytes both ways until both sides have ended.
fn join(near: TcpStream, far: TcpStream) {
    let (Ok(mut from_near), Ok(mut from_far)) = (near.try_clone(), far.try_clone()) else {
        return;
    };
    let (mut near, mut far) = (near, far);
    let up = thread::spawn(move || {
        let _ = io::copy(&mut from_near, &mut far);
        let _ = far.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut from_far, &mut near);
    let _ = near.shutdown(Shutdown::Write);
    let _ = up.join();
}
