//! The proxy that speaks TLS before a server, as offices run one, with a certificate of its own making.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use xunge_client_core::model::Sha256;
use xunge_client_core::transport::SpkiPin;

/// A running proxy; ends with its runtime.
#[derive(Debug)]
pub struct Tls {
    /// Where it listens.
    pub address: SocketAddr,
    /// What a phone pins.
    pub pin: SpkiPin,
    /// Bytes of its certificate, which every new connection is sent.
    pub certificate_bytes: usize,
}

impl Tls {
    /// Listens on a free port and hands what it hears to `server`.
    ///
    /// # Errors
    /// Without `openssl`, which makes the certificate.
    pub async fn open(server: SocketAddr) -> Result<Self, String> {
        let folder = tempfile::tempdir().expect("room for a folder");
        let (certificate, key, pin) = certificate(folder.path())?;
        let certificate_bytes = certificate.len();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key of the certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let _ = phone.set_nodelay(true);
                    let (Ok(mut phone), Ok(mut server)) =
                        (acceptor.accept(phone).await, TcpStream::connect(server).await)
                    else {
                        return;
                    };
                    let _ = server.set_nodelay(true);
                    let _ = copy_bidirectional(&mut phone, &mut server).await;
                });
            }
        });
        Ok(Self { address, pin, certificate_bytes })
    }
}

type Made = (CertificateDer<'static>, PrivateKeyDer<'static>, SpkiPin);

/// A new key on P-256, a certificate it signs itself, and its pin.
fn certificate(folder: &Path) -> Result<Made, String> {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let (key, certificate) = (key.to_str().expect("UTF-8"), certificate.to_str().expect("UTF-8"));
    let kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl(&[&kind[..], &["-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate]].concat())?;
    let public = openssl(&["pkey", "-in", key, "-pubout", "-outform", "DER"])?;
    let pem = |path: &str| std::fs::read(path).expect("openssl wrote it");
    let read = |error: rustls::pki_types::pem::Error| format!("what openssl wrote is no PEM: {error}");
    Ok((
        CertificateDer::from_pem_slice(&pem(certificate)).map_err(read)?,
        PrivateKeyDer::from_pem_slice(&pem(key)).map_err(read)?,
        SpkiPin(Sha256::of(&public)),
    ))
}

fn openssl(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let ran = Command::new("openssl").args(arguments).output().map_err(|_| "openssl is not installed".to_owned())?;
    if ran.status.success() {
        Ok(ran.stdout)
    } else {
        Err(format!("openssl {} ends with {}", arguments[0], ran.status))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use xunge_client_core::transport::{HttpTransport, Outgoing, Patience, Transport, TransportError, tcp};

    use super::*;
    use crate::sink;

    #[tokio::test]
    async fn a_phone_speaks_to_the_key_it_pins_and_to_no_other() {
        let tls = Tls::open(sink::open().await).await.unwrap();
        let ask = async |pin| {
            let (url, patience) = (format!("https://{}", tls.address), Patience::default());
            let transport = HttpTransport::new(&url, tcp(patience), pin, patience).unwrap();
            let headers = vec![];
            let get = Outgoing { method: "GET", path: "/".to_owned(), headers, body: Bytes::new(), answer_limit: 100 };
            transport.send(get).await.map(|answer| answer.status)
        };
        assert_eq!(ask(Some(tls.pin)).await, Ok(200));
        assert_eq!(ask(Some(SpkiPin(Sha256::of(b"another key")))).await, Err(TransportError::Pin));
        let unpinned = ask(None).await;
        assert!(matches!(unpinned, Err(TransportError::Connect(_))), "nobody vouches for it: {unpinned:?}");
    }
}
