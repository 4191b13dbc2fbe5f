//! The token endpoint with its grant types.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{TokenError, assertion, device, discovery, new_id, scope, serve, shorten};
use crate::{
    duration::SECOND,
    guid::Guid,
    knobs,
    permissions::Claims,
    random,
    registrations::Registration,
    shell::Shell,
    signins::{Grant, GrantError},
    tenants::Tenants,
    world::World,
};

/// The parameters of a token request.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenForm {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion_type: Option<String>,
    client_assertion: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) device_code: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    username: Option<String>,
    password: Option<String>,
    client_info: Option<String>,
}

/// The accepted type of client assertions.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) async fn token(
    State(tenants): State<Tenants>,
    Path(segment): Path<String>,
    request: Request,
) -> Response {
    let decide =
        |shell: &Arc<Shell>, headers: &HeaderMap, form: TokenForm, app: &mut Option<Arc<str>>| {
            let shell = meant(&tenants, shell, &segment, &form);
            issue(&shell, &segment, headers, &form, app)
        };
    serve(&tenants, &segment, request, decide).await
}

/// The tenant of a request. Under `common` and `organizations` it is the tenant of the user, or the one that issued the
/// code or refresh token.
fn meant(tenants: &Tenants, shell: &Arc<Shell>, segment: &str, form: &TokenForm) -> Arc<Shell> {
    let general = ["common", "organizations"];
    if !general
        .iter()
        .any(|word| word.eq_ignore_ascii_case(segment))
    {
        return Arc::clone(shell);
    }
    let secrets = [&form.device_code, &form.code, &form.refresh_token];
    let concerned = |world: &World| {
        let user = form.username.as_deref();
        user.is_some_and(|user| world.tenant.find_any(user).is_ok())
            || secrets.iter().any(|secret| {
                secret
                    .as_deref()
                    .is_some_and(|secret| world.signins.knows(secret))
            })
    };
    let mut all = tenants.all().into_iter();
    let found = all.find(|shell| shell.with(|world, _| concerned(world)));
    found.unwrap_or_else(|| Arc::clone(shell))
}

fn issue(
    shell: &Shell,
    segment: &str,
    headers: &HeaderMap,
    form: &TokenForm,
    journal_app: &mut Option<Arc<str>>,
) -> Result<Value, TokenError> {
    let grant_type =
        text(form.grant_type.as_deref()).ok_or_else(|| TokenError::missing("grant_type"))?;
    let own = grant_type == "client_credentials";
    if !own
        && ![
            "urn:ietf:params:oauth:grant-type:device_code",
            "device_code",
            "authorization_code",
            "refresh_token",
            "password",
        ]
        .contains(&grant_type)
    {
        let text = format!(
            "The app requested an unsupported grant type '{}'.",
            shorten(grant_type)
        );
        return Err(TokenError::bad("unsupported_grant_type", 70_003, text));
    }
    if own && text(form.client_id.as_deref()).is_some() {
        // Entra checks the scope before the secret if the request names a client.
        scope::audience(headers, form.scope.as_deref())?;
    }
    let app = client(shell, segment, headers, form, own)?;
    *journal_app = Some(Arc::clone(&app.client_id));
    match grant_type {
        "client_credentials" => client_credentials(shell, headers, form, &app),
        "authorization_code" => authorization_code(shell, headers, form, &app),
        "refresh_token" => refresh_token(shell, headers, form, &app),
        "password" => password(shell, segment, headers, form, &app),
        _ => device::poll(shell, headers, form, &app),
    }
}

/// Identifies the application of a request, and verifies its secret or assertion if one is required or sent.
fn client(
    shell: &Shell,
    segment: &str,
    headers: &HeaderMap,
    form: &TokenForm,
    must_prove: bool,
) -> Result<Registration, TokenError> {
    let (basic_id, basic_secret) = basic_credentials(headers).unzip();
    let asserted = form
        .client_assertion
        .as_deref()
        .and_then(assertion::client_id);
    let client_id = form
        .client_id
        .clone()
        .filter(|id| !id.is_empty())
        .or(basic_id)
        .or(asserted);
    let client_id = client_id.ok_or_else(|| TokenError::missing("client_id"))?;
    let unauthenticated = |refusal| TokenError::unauthenticated(refusal, &client_id);
    if let Some(assertion) = text(form.client_assertion.as_deref()) {
        if form.client_assertion_type.as_deref() != Some(ASSERTION_TYPE) {
            let text = format!("The client assertion type must be '{ASSERTION_TYPE}'.");
            return Err(TokenError::bad("invalid_request", 50_027, text));
        }
        let (found, now) = shell.with(|world, now| (world.registrations.find(&client_id), now));
        let app = found.map_err(unauthenticated)?;
        assertion::check(
            assertion,
            &app,
            &[&shell.tenant_id, &shell.domain, segment],
            now,
        )?;
        return Ok(app);
    }
    let secret = form
        .client_secret
        .clone()
        .or(basic_secret)
        .filter(|secret| !secret.is_empty());
    if let Some(secret) = secret {
        let found = shell.with(|world, _| world.registrations.authenticate(&client_id, &secret));
        return found.map_err(unauthenticated);
    }
    let app = shell
        .with(|world, _| world.registrations.find(&client_id))
        .map_err(unauthenticated)?;
    // Some clients also send the device code in `code`: the grant type decides.
    let by_code = form.grant_type.as_deref() == Some("authorization_code");
    let unbound_code = by_code && form.code_verifier.is_none() && app.is_confidential();
    if must_prove || unbound_code {
        let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
        return Err(TokenError::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            7_000_218,
            text,
        ));
    }
    Ok(app)
}

fn client_credentials(
    shell: &Shell,
    headers: &HeaderMap,
    form: &TokenForm,
    app: &Registration,
) -> Result<Value, TokenError> {
    let aud = scope::audience(headers, form.scope.as_deref())?;
    let claims = Claims {
        aud,
        appid: app.client_id.to_string(),
        idtyp: "app".to_owned(),
        oid: app.object_id.to_string(),
        sub: app.object_id.to_string(),
        roles: app.roles.to_vec(),
        ..Claims::default()
    };
    let (token, lifetime) = sign(shell, claims)?;
    Ok(
        json!({ "token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token }),
    )
}

fn authorization_code(
    shell: &Shell,
    headers: &HeaderMap,
    form: &TokenForm,
    app: &Registration,
) -> Result<Value, TokenError> {
    let code = text(form.code.as_deref()).ok_or_else(|| TokenError::missing("code"))?;
    let uri =
        text(form.redirect_uri.as_deref()).ok_or_else(|| TokenError::missing("redirect_uri"))?;
    let verifier = form.code_verifier.as_deref();
    let redeemed = shell.with(|world, now| {
        world
            .signins
            .redeem(code, &app.client_id, uri, verifier, now)
    });
    let grant = redeemed.map_err(|spent| {
        let (number, text) = match spent {
            GrantError::Unknown | GrantError::Revoked => (
                9_002_313,
                "The authorization code is malformed or not known.",
            ),
            GrantError::Expired => (70_008, "The authorization code has expired."),
            GrantError::Used => (54_005, "The authorization code was already redeemed."),
            GrantError::RedirectUri => (
                500_112,
                "The reply address does not match the one of the authorization request.",
            ),
            GrantError::Verifier => (
                501_481,
                "The code verifier does not match the code challenge of the authorization request.",
            ),
        };
        TokenError::bad("invalid_grant", number, text)
    })?;
    delegated(shell, headers, &grant, form)
}

fn refresh_token(
    shell: &Shell,
    headers: &HeaderMap,
    form: &TokenForm,
    app: &Registration,
) -> Result<Value, TokenError> {
    let token =
        text(form.refresh_token.as_deref()).ok_or_else(|| TokenError::missing("refresh_token"))?;
    let found = shell.with(|world, now| world.signins.refresh(token, &app.client_id, now));
    let mut grant = found.map_err(|spent| {
        let (number, text) = match spent {
            GrantError::Expired => (700_082, "The refresh token has expired due to inactivity."),
            GrantError::Revoked => (
                50_173,
                "The provided grant has been revoked: a fresh sign-in is needed.",
            ),
            _ => (9_002_313, "The refresh token is malformed or not known."),
        };
        TokenError::bad("invalid_grant", number, text)
    })?;
    if text(form.scope.as_deref()).is_some() {
        // A refresh token is bound to user and client, not to the scopes of its first request.
        let (audience, mut scopes) = scope::delegated(headers, app, form.scope.as_deref())?;
        if !scopes.iter().any(|scope| scope == "offline_access") {
            scopes.push("offline_access".to_owned());
        }
        (grant.audience, grant.scopes) = (audience, scopes);
    }
    delegated(shell, headers, &grant, form)
}

fn password(
    shell: &Shell,
    segment: &str,
    headers: &HeaderMap,
    form: &TokenForm,
    app: &Registration,
) -> Result<Value, TokenError> {
    if ["common", "consumers"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(segment))
    {
        let text = "The grant type is not supported over the /common or /consumers endpoints. Use the /organizations or a tenant-specific endpoint.";
        return Err(TokenError::bad("invalid_request", 9_001_023, text));
    }
    let name = text(form.username.as_deref()).ok_or_else(|| TokenError::missing("username"))?;
    let given = text(form.password.as_deref()).ok_or_else(|| TokenError::missing("password"))?;
    let (audience, scopes) = scope::delegated(headers, app, form.scope.as_deref())?;
    let refused = |number, text: &str| Err(TokenError::bad("invalid_grant", number, text));
    let user = shell.with(|world, _| {
        let found = world.tenant.find_any(name).ok().and_then(|index| world.tenant.user(index));
        let Some(user) = found else {
            return refused(50_034, "The user account does not exist in the directory.");
        };
        if user.account.federated {
            let text = "The account is federated: its identity provider takes the password, not this endpoint.";
            return refused(50_126, text);
        }
        if user.account.password.as_deref() != Some(given) {
            return refused(50_126, "Error validating credentials due to invalid username or password.");
        }
        if user.account.second_factor {
            let text = "Due to a configuration change made by your administrator you must use multi-factor authentication.";
            return refused(50_076, text);
        }
        Ok(user.guid)
    })?;
    let grant = Grant {
        app: Arc::clone(&app.client_id),
        user,
        scopes,
        audience,
        nonce: None,
    };
    delegated(shell, headers, &grant, form)
}

/// The tokens for a grant of a user.
pub(super) fn delegated(
    shell: &Shell,
    headers: &HeaderMap,
    grant: &Grant,
    form: &TokenForm,
) -> Result<Value, TokenError> {
    let (id, name, upn) = shell.with(|world, _| signed_in(world, grant.user))?;
    let scp = scope::permissions(&grant.scopes);
    let claims = Claims {
        aud: grant.audience.clone(),
        appid: grant.app.to_string(),
        idtyp: "user".to_owned(),
        oid: id.clone(),
        sub: id.clone(),
        scp: Some(scp.clone()),
        name: Some(name.clone()),
        upn: Some(upn.clone()),
        ..Claims::default()
    };
    let (token, lifetime) = sign(shell, claims)?;
    let mut body = json!({
        "token_type": "Bearer",
        "scope": grant.scopes.join(" "),
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    });
    let asked = |scope: &str| grant.scopes.iter().any(|own| own == scope);
    if asked("offline_access") {
        let refresh = random::secret().map_err(|error| TokenError::internal(&error))?;
        shell.with(|world, now| {
            let expires =
                now.saturating_add(knobs::milliseconds(world.knobs.refresh_token_lifetime));
            world
                .signins
                .add_refresh(refresh.clone(), grant.clone(), expires);
        });
        body["refresh_token"] = json!(refresh);
    }
    if asked("openid") {
        let now = shell.clock().now_milliseconds() / SECOND;
        let mut claims = json!({
            "aud": &*grant.app,
            "iss": discovery::issuer(shell, headers),
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "name": name,
            "preferred_username": upn,
            "oid": id,
            "sub": id,
            "tid": shell.tenant_id,
            "ver": "2.0",
        });
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = json!(nonce);
        }
        body["id_token"] = json!(
            shell
                .keys()
                .sign(&claims)
                .map_err(|error| TokenError::internal(&error))?
        );
    }
    if form.client_info.is_some() {
        let info = json!({ "uid": id, "utid": shell.tenant_id }).to_string();
        body["client_info"] = json!(URL_SAFE_NO_PAD.encode(info));
    }
    Ok(body)
}

/// Object id, display name and sign-in name of a user who can sign in.
fn signed_in(world: &World, user: Guid) -> Result<(String, String, String), TokenError> {
    let found = world
        .tenant
        .find(user)
        .and_then(|index| world.tenant.user(index));
    let Some(user) = found else {
        return Err(TokenError::bad(
            "invalid_grant",
            50_034,
            "The user account does not exist in the directory.",
        ));
    };
    if user.profile.field("accountEnabled", &user.names()) == json!(false) {
        return Err(TokenError::bad(
            "invalid_grant",
            50_057,
            "The user account is disabled.",
        ));
    }
    Ok((
        user.id.to_string(),
        user.display_name.to_string(),
        user.user_principal_name.to_string(),
    ))
}

/// Completes and signs the claims of an access token; returns it with its lifetime in seconds.
fn sign(shell: &Shell, claims: Claims) -> Result<(String, i64), TokenError> {
    let (now, lifetime) =
        shell.with(|world, now| (now / SECOND, world.knobs.token_lifetime.as_secs()));
    let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX / SECOND);
    let claims = Claims {
        iss: format!("https://sts.windows.net/{}/", shell.tenant_id),
        iat: now,
        nbf: now,
        exp: now.saturating_add(lifetime),
        tid: shell.tenant_id.clone(),
        uti: new_id(),
        ver: "1.0".to_owned(),
        ..claims
    };
    let token = shell
        .keys()
        .sign(&claims)
        .map_err(|error| TokenError::internal(&error))?;
    Ok((token, lifetime))
}

fn text(value: Option<&str>) -> Option<&str> {
    value.filter(|text| !text.is_empty())
}

/// Client credentials from the `Authorization` header, which Entra accepts as well as those in the form.
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
