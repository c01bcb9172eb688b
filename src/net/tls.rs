//! Certificates: ours, those of whom we call, those of who calls us; read again when their files change. RFC 3261 §26.3, RFC 5922.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::SystemTime;

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Which files; all are PEM.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsFiles {
    /// Our certificate with those between it and its authority, and its key. Without them nobody can call us over TLS.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Whose certificates callers must show; none: callers need no certificate.
    pub client_ca: Option<PathBuf>,
    /// Whom the certificate of somebody we call may come from, besides the system's authorities.
    pub ca: Option<PathBuf>,
}

/// The certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("{file}: {what}. It must be a PEM file that this user may read")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// Certificate and key do not fit.
    #[error("the certificate in {file} cannot be used with its key: {what}")]
    Pair {
        /// The certificate's file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The reading was stopped.
    #[error("reading the certificates was stopped: {0}")]
    Stopped(String),
    /// There is a TLS listener and no certificate.
    #[error("a listener over TLS needs [sip.tls] certificate and key")]
    NoCertificate,
}

/// What a file looked like when it was read.
type Stamp = Option<(SystemTime, u64)>;

/// The certificates in use.
pub struct Tls {
    files: TlsFiles,
    loaded: RwLock<Loaded>,
}

struct Loaded {
    stamps: Vec<Stamp>,
    acceptor: Option<TlsAcceptor>,
    /// Made when first needed: the system's authorities are many.
    connector: Arc<OnceLock<TlsConnector>>,
}

impl Tls {
    /// Reads the files.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let loaded = RwLock::new(load(&files)?);
        Ok(Self { files, loaded })
    }

    /// Reads the files again. When they cannot be used the old certificates stay; connections that stand are not touched.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = load(&self.files)?;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Reads the files again if one has changed; true when that was so.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let now = stamps(&self.files);
        if self.loaded.read().unwrap_or_else(PoisonError::into_inner).stamps == now {
            return Ok(false);
        }
        let outcome = self.reload();
        if outcome.is_err() {
            // Said once; the next change of a file is the next try.
            self.loaded.write().unwrap_or_else(PoisonError::into_inner).stamps = now;
        }
        outcome.map(|()| true)
    }

    /// For who calls us; none without a certificate.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).acceptor.clone()
    }

    /// For whom we call.
    pub(super) fn connector(&self) -> Result<TlsConnector, TlsError> {
        let cell = Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner).connector);
        if let Some(connector) = cell.get() {
            return Ok(connector.clone());
        }
        let connector = TlsConnector::from(Arc::new(client(&self.files)?));
        Ok(cell.get_or_init(|| connector).clone())
    }
}

/// The name that a peer's certificate must have (RFC 5922 §4): the one that was looked up, or else its address.
pub(super) fn server_name(name: Option<&str>, address: std::net::IpAddr) -> ServerName<'static> {
    let named = name.and_then(|name| ServerName::try_from(name.to_owned()).ok());
    named.unwrap_or_else(|| ServerName::IpAddress(address.into()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn load(files: &TlsFiles) -> Result<Loaded, TlsError> {
    // The stamps first: a file that changes meanwhile is read once more.
    let stamps = stamps(files);
    let acceptor = match &files.own {
        Some((certificate, key)) => Some(TlsAcceptor::from(Arc::new(server(certificate, key, files.client_ca.as_deref())?))),
        None => None,
    };
    if let Some(ca) = &files.ca {
        certificates(ca)?;
    }
    Ok(Loaded { stamps, acceptor, connector: Arc::default() })
}

fn stamps(files: &TlsFiles) -> Vec<Stamp> {
    let own = files.own.iter().flat_map(|(certificate, key)| [certificate, key]);
    let all = own.chain(&files.client_ca).chain(&files.ca);
    all.map(|file| std::fs::metadata(file).ok().and_then(|data| Some((data.modified().ok()?, data.len())))).collect()
}

fn server(certificate: &Path, key: &Path, client_ca: Option<&Path>) -> Result<ServerConfig, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| pair(certificate, &error))?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let roots = Arc::new(authorities(ca)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| file(ca, &error))?)
        }
    };
    builder.with_single_cert(certificates(certificate)?, private_key(key)?).map_err(|error| pair(certificate, &error))
}

fn client(files: &TlsFiles) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(system.certs);
    if let Some(ca) = &files.ca {
        roots.extend(authorities(ca)?.roots);
    } else if added == 0 {
        tracing::warn!("the system has no certificate authorities: install ca-certificates, or name a file in [sip.tls] ca");
    }
    let place = files.own.as_ref().map_or(Path::new("TLS"), |(certificate, _)| certificate.as_path());
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| pair(place, &error))?.with_root_certificates(roots);
    match &files.own {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let own = builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?);
            own.map_err(|error| pair(certificate, &error))
        }
    }
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| file(path, &error))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(|error| file(path, &error))?;
    if found.is_empty() { Err(file(path, &"no certificate is in it")) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| file(path, &error))
}

fn file(path: &Path, what: &impl ToString) -> TlsError {
    TlsError::File { file: path.display().to_string(), what: what.to_string() }
}

fn pair(path: &Path, what: &impl ToString) -> TlsError {
    TlsError::Pair { file: path.display().to_string(), what: what.to_string() }
}
