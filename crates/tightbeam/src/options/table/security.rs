//! Who may talk, and how that is kept secret.

use super::build::*;
use crate::options::Mechanism;

const NAME: &str = "text of 1 to 255 bytes";
const NAME_OR_NONE: &str = "text of 1 to 255 bytes, or none to clear it";
const KEY: &str = "a key: 32 bytes, or 40 characters of Z85";
const NAME_TYPE: &str = "int: 0 (host-based), 1 (user name) or 2 (Kerberos)";

pub(super) const ROWS: &[OptionSpec] = &[
    answer("MECHANISM", MECHANISM).default_int(0).read_only(|o| o.security.mechanism as i64),
    boolean("PLAIN_SERVER", PLAIN_SERVER).kept(
        |o| o.security.is_server(Mechanism::Plain).into(),
        |o, v| o.security.set_server(Mechanism::Plain, v != 0),
    ),
    cleared("PLAIN_USERNAME", PLAIN_USERNAME, 255, NAME_OR_NONE).stored(
        |o| o.security.plain_username.clone(),
        |o, v| o.security.set_plain(|s| &mut s.plain_username, v),
    ),
    cleared("PLAIN_PASSWORD", PLAIN_PASSWORD, 255, NAME_OR_NONE).stored(
        |o| o.security.plain_password.to_vec(),
        |o, v| o.security.set_plain(|s| &mut s.plain_password, v),
    ),
    boolean("CURVE_SERVER", CURVE_SERVER).kept(
        |o| o.security.is_server(Mechanism::Curve).into(),
        |o, v| o.security.set_server(Mechanism::Curve, v != 0),
    ),
    key("CURVE_PUBLICKEY", CURVE_PUBLICKEY).stored(
        |o| o.security.curve_publickey.to_vec(),
        |o, v| o.security.set_key(|s| &mut s.curve_publickey, v),
    ),
    key("CURVE_SECRETKEY", CURVE_SECRETKEY).stored(
        |o| o.security.curve_secretkey.to_vec(),
        |o, v| o.security.set_key(|s| &mut s.curve_secretkey, v),
    ),
    key("CURVE_SERVERKEY", CURVE_SERVERKEY).stored(
        |o| o.security.curve_serverkey.to_vec(),
        |o, v| {
            o.security.set_key(|s| &mut s.curve_serverkey, v);
            o.security.server = false;
        },
    ),
    text("ZAP_DOMAIN", ZAP_DOMAIN, NAME)
        .stored(|o| o.security.zap_domain.clone(), |o, v| o.security.zap_domain = v.to_vec()),
    truth("ZAP_ENFORCE_DOMAIN", ZAP_ENFORCE_DOMAIN, 0).kept(
        |o| o.security.zap_enforce_domain.into(),
        |o, v| o.security.zap_enforce_domain = v != 0,
    ),
    boolean("GSSAPI_SERVER", GSSAPI_SERVER).kept(
        |o| o.security.is_server(Mechanism::Gssapi).into(),
        |o, v| o.security.set_server(Mechanism::Gssapi, v != 0),
    ),
    text("GSSAPI_PRINCIPAL", GSSAPI_PRINCIPAL, NAME).stored(
        |o| o.security.gssapi_principal.clone(),
        |o, v| {
            o.security.gssapi_principal = v.to_vec();
            o.security.mechanism = Mechanism::Gssapi;
        },
    ),
    text("GSSAPI_SERVICE_PRINCIPAL", GSSAPI_SERVICE_PRINCIPAL, NAME).stored(
        |o| o.security.gssapi_service_principal.clone(),
        |o, v| {
            o.security.gssapi_service_principal = v.to_vec();
            o.security.mechanism = Mechanism::Gssapi;
            o.security.server = false;
        },
    ),
    boolean("GSSAPI_PLAINTEXT", GSSAPI_PLAINTEXT)
        .kept(|o| o.security.gssapi_plaintext.into(), |o, v| o.security.gssapi_plaintext = v != 0),
    int("GSSAPI_PRINCIPAL_NAMETYPE", GSSAPI_PRINCIPAL_NAMETYPE, 0, 2, NAME_TYPE, 0).kept(
        |o| o.security.gssapi_principal_nametype.into(),
        |o, v| o.security.gssapi_principal_nametype = small(v),
    ),
    int("GSSAPI_SERVICE_PRINCIPAL_NAMETYPE", GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, 0, 2, NAME_TYPE, 0)
        .kept(
            |o| o.security.gssapi_service_principal_nametype.into(),
            |o, v| o.security.gssapi_service_principal_nametype = small(v),
        ),
];

const fn key(name: &'static str, number: i32) -> OptionSpec {
    row(name, number, Kind::Key, KEY)
}
