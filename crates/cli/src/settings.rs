//! What the serving commands are told: flags over `LOGREC_*` over `logrec.toml` over defaults.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::Args;
use logrec_core::{Ring, RingOptions};
use logrec_server::Access;

use crate::{
    config::{Bind, Config, Rings, Size, parse_entries, parse_kept, parse_size},
    error::usage,
    say::Voice,
};

/// The port unless another is chosen.
pub(crate) const DEFAULT_PORT: u16 = 5050;

#[derive(Args, Debug)]
#[command(next_help_heading = "Serving")]
pub(crate) struct ServerArgs {
    /// Where to serve: PORT, HOST or HOST:PORT; port 0 takes a free one [default: 127.0.0.1:5050]
    ///
    /// Elsewhere than on this machine (127.0.0.1, ::1) logrec serves only with a token.
    #[arg(long, value_name = "ADDR", env = "LOGREC_BIND", hide_env_values = true)]
    bind: Option<String>,

    /// File whose content every request must bring as `Authorization: Bearer …`
    ///
    /// The token itself is also taken from the environment, as LOGREC_TOKEN; there is no flag for
    /// it, since every user of the machine can read the flags of a process.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Also answer requests to this host name (repeatable)
    #[arg(
        long = "allow-host",
        value_name = "NAME",
        env = "LOGREC_ALLOW_HOSTS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    allow_hosts: Vec<String>,

    /// Entries to keep; the oldest go first [default: 2000]
    #[arg(long, value_name = "N", env = "LOGREC_MAX_ENTRIES", hide_env_values = true, value_parser = parse_entries)]
    max_entries: Option<usize>,

    /// Memory to keep them in, such as 64MB [default: 4MB, or 1 kB an entry if that is more]
    #[arg(long, value_name = "SIZE", env = "LOGREC_MAX_BYTES", hide_env_values = true, value_parser = parse_size)]
    max_bytes: Option<usize>,

    /// Keep besides the N newest entries of WARNING and above, whatever else comes [default: 0]
    #[arg(long, value_name = "N", env = "LOGREC_KEEP_ERRORS", hide_env_values = true, value_parser = parse_kept)]
    keep_errors: Option<usize>,

    /// Settings file [default: ./logrec.toml if there is one]
    ///
    /// Keys: bind, token_file, allow_hosts, max_entries, max_bytes, keep_errors, files, rings. Flags
    /// and LOGREC_* variables go before it.
    #[arg(long, value_name = "FILE", env = "LOGREC_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,

    /// Write `host:port` to FILE once requests are answered
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,

    /// Say nothing on stderr, errors excepted
    #[arg(short, long)]
    quiet: bool,
}

/// The settings in force.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) bind: SocketAddr,
    /// Whether the user named the address: then another will not do.
    pub(crate) bind_is_chosen: bool,
    pub(crate) access: Access,
    pub(crate) ring: RingOptions,
    /// Files named in the settings file.
    pub(crate) files: Vec<PathBuf>,
    /// What the settings file says of recordings.
    pub(crate) rings: Option<Rings>,
    pub(crate) voice: Voice,
}

impl Settings {
    pub(crate) fn load(args: &ServerArgs) -> anyhow::Result<Self> {
        let config = Config::load(args.config.as_deref())?;
        // An empty variable is as none.
        let bind = args.bind.clone().filter(|bind| !bind.is_empty()).or_else(|| {
            config.bind.as_ref().map(|bind| match bind {
                Bind::Port(port) => port.to_string(),
                Bind::Address(address) => address.clone(),
            })
        });
        let token = token(args.token_file.as_deref(), config.token_file.as_deref())?;
        let hosts =
            if args.allow_hosts.is_empty() { &config.allow_hosts } else { &args.allow_hosts };
        let access =
            hosts.iter().fold(Access::default().with_token(token.as_deref()), |access, host| {
                access.with_host(host)
            });
        Ok(Self {
            bind: bind.as_deref().map_or(Ok(default_address()), parse_bind)?,
            bind_is_chosen: bind.is_some(),
            access,
            ring: ring_options(args, &config)?,
            files: config.files,
            rings: config.rings,
            voice: Voice { quiet: args.quiet },
        })
    }

    pub(crate) fn ring(&self) -> Arc<Ring> {
        Arc::new(Ring::new(self.ring))
    }
}

const fn default_address() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT)
}

fn ring_options(args: &ServerArgs, config: &Config) -> anyhow::Result<RingOptions> {
    let in_file = |key: &str, e: String| usage(format!("`{key}` in the settings file: {e}"));
    let max_entries = match (args.max_entries, config.max_entries) {
        (Some(n), _) => Some(n),
        (None, Some(n)) => {
            Some(parse_entries(&n.to_string()).map_err(|e| in_file("max_entries", e))?)
        }
        (None, None) => None,
    };
    let max_bytes = match (args.max_bytes, &config.max_bytes) {
        (Some(n), _) => Some(n),
        (None, Some(size)) => {
            let text = match size {
                Size::Bytes(n) => n.to_string(),
                Size::Text(text) => text.clone(),
            };
            Some(parse_size(&text).map_err(|e| in_file("max_bytes", e))?)
        }
        (None, None) => None,
    };
    let mut options = max_entries.map_or_else(RingOptions::default, RingOptions::with_max_entries);
    options.max_bytes = max_bytes.unwrap_or(options.max_bytes);
    options.keep_errors = match (args.keep_errors, config.keep_errors) {
        (Some(n), _) => n,
        (None, Some(n)) => parse_kept(&n.to_string()).map_err(|e| in_file("keep_errors", e))?,
        (None, None) => 0,
    };
    Ok(options)
}

/// The token: of the flag, else the environment, else the settings file.
pub(crate) fn token(flag: Option<&Path>, config: Option<&Path>) -> anyhow::Result<Option<String>> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let path = match flag {
        Some(path) => path.to_owned(),
        None => match (set("LOGREC_TOKEN"), set("LOGREC_TOKEN_FILE"), config) {
            (Some(token), ..) => {
                let token = token.into_string();
                return token.map(Some).map_err(|_| usage("LOGREC_TOKEN is no UTF-8"));
            }
            (None, Some(path), _) => path.into(),
            (None, None, Some(path)) => path.to_owned(),
            (None, None, None) => return Ok(None),
        },
    };
    let token = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read the token file {}", path.display()))?;
    let token = token.trim();
    if token.is_empty() {
        return Err(usage(format!(
            "the token file {} is empty; write a token into it",
            path.display()
        )));
    }
    Ok(Some(token.to_owned()))
}

/// Reads `PORT`, `HOST` or `HOST:PORT`. Of a name's addresses the first, IPv4 before IPv6.
fn parse_bind(text: &str) -> anyhow::Result<SocketAddr> {
    let wrong =
        |why: &str| usage(format!("`--bind` is `{text}`{why}; give PORT, HOST or HOST:PORT"));
    if text.bytes().all(|b| b.is_ascii_digit()) {
        // A resolver would take any number for an address.
        let port = text.parse::<u16>().map_err(|_| wrong(", which is no port"))?;
        return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, DEFAULT_PORT));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => {
            (host, port.parse::<u16>().map_err(|_| wrong(", whose port is none"))?)
        }
        None => (text, DEFAULT_PORT),
    };
    let found: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|e| wrong(&format!(", which is no address ({e})")))?
        .collect();
    let v4 = found.iter().find(|address| address.is_ipv4());
    v4.or(found.first()).copied().ok_or_else(|| wrong(", which has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("6060", "127.0.0.1:6060"),
            ("0", "127.0.0.1:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("::1", "[::1]:5050"),
            ("[::1]", "[::1]:5050"),
            ("[::1]:1", "[::1]:1"),
            ("localhost", "127.0.0.1:5050"),
            ("localhost:7", "127.0.0.1:7"),
        ] {
            assert_eq!(parse_bind(text).unwrap().to_string(), expected, "{text}");
        }
        for bad in ["", "65536", "localhost:x", "127.0.0.1:99999", ":"] {
            assert!(parse_bind(bad).is_err(), "{bad}");
        }
    }
}
