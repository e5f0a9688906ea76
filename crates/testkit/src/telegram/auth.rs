//! Signing in and out, and the take-out session.

use grammers_tl_types::{Serializable, enums, functions, types};
use serde_json::json;

use super::objects;
use super::rpc::{Call, Outcome};
use super::srp::Exchange;
use super::state::Refusal;

/// What proves that a code was asked for.
const CODE_HASH: &str = "the-hash-of-the-code";

/// The ticket that signs the account in at another data centre.
const TICKET: &[u8] = b"exported authorization";

fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

pub(super) fn send_code(call: &mut Call<'_>, request: &functions::auth::SendCode) -> Outcome {
    call.note(json!({}));
    let Some(login) = &call.state.login else {
        return Err(Refusal::new("PHONE_NUMBER_INVALID"));
    };
    if request.api_hash.is_empty() || request.api_id == 0 {
        return Err(Refusal::new("API_ID_INVALID"));
    }
    if digits(&request.phone_number) != digits(&login.phone) {
        return Err(Refusal::new("PHONE_NUMBER_INVALID"));
    }
    if let Some(dc) = login.dc.filter(|dc| *dc != call.dc) {
        return Err(Refusal::new(&format!("PHONE_MIGRATE_{dc}")));
    }
    let sent = types::auth::SentCode {
        r#type: types::auth::SentCodeTypeApp {
            length: login.code.chars().count() as i32,
        }
        .into(),
        phone_code_hash: CODE_HASH.to_owned(),
        next_type: None,
        timeout: Some(60),
    };
    Ok(enums::auth::SentCode::Code(sent).to_bytes())
}

pub(super) fn sign_in(call: &mut Call<'_>, request: &functions::auth::SignIn) -> Outcome {
    call.note(json!({}));
    let Some(login) = call.state.login.clone() else {
        return Err(Refusal::new("PHONE_NUMBER_INVALID"));
    };
    if digits(&request.phone_number) != digits(&login.phone) {
        return Err(Refusal::new("PHONE_NUMBER_INVALID"));
    }
    if request.phone_code_hash != CODE_HASH {
        return Err(Refusal::new("PHONE_CODE_EXPIRED"));
    }
    if request.phone_code.as_deref() != Some(login.code.as_str()) {
        return Err(Refusal::new("PHONE_CODE_INVALID"));
    }
    if login.password.is_some() {
        call.state.password_pending = true;
        return Err(Refusal::new("SESSION_PASSWORD_NEEDED"));
    }
    welcome(call)
}

/// Binds the account to the key.
fn welcome(call: &mut Call<'_>) -> Outcome {
    call.state.authorized.insert(call.dc);
    call.state.password_pending = false;
    Ok(enums::auth::Authorization::Authorization(authorization(call)).to_bytes())
}

fn authorization(call: &Call<'_>) -> types::auth::Authorization {
    let account = call.state.entities.get(&call.state.account);
    types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user: account.map_or_else(
            || {
                types::UserEmpty {
                    id: call.state.account,
                }
                .into()
            },
            |entity| objects::user(entity, true),
        ),
    }
}

pub(super) fn password(call: &mut Call<'_>, _request: &functions::account::GetPassword) -> Outcome {
    call.note(json!({}));
    let Some((password, hint)) = call
        .state
        .login
        .as_ref()
        .and_then(|login| Some((login.password.clone()?, login.hint.clone())))
    else {
        return Err(Refusal::new("PASSWORD_EMPTY"));
    };
    let exchange = Exchange::begin(&password);
    let offer = exchange.offer(hint);
    call.state.srp = Some(exchange);
    Ok(enums::account::Password::Password(offer).to_bytes())
}

pub(super) fn check_password(call: &mut Call<'_>, request: &functions::auth::CheckPassword) -> Outcome {
    call.note(json!({}));
    let enums::InputCheckPasswordSrp::Srp(proof) = &request.password else {
        return Err(Refusal::new("PASSWORD_HASH_INVALID"));
    };
    if !call.state.password_pending {
        return Err(Refusal::new("AUTH_KEY_UNREGISTERED"));
    }
    match call.state.srp.take() {
        Some(exchange) if exchange.verify(&proof.a, &proof.m1) => welcome(call),
        Some(_) => Err(Refusal::new("PASSWORD_HASH_INVALID")),
        None => Err(Refusal::new("SRP_ID_INVALID")),
    }
}

pub(super) fn log_out(call: &mut Call<'_>, _request: &functions::auth::LogOut) -> Outcome {
    call.state.authorized.clear();
    Ok(enums::auth::LoggedOut::Out(types::auth::LoggedOut {
        future_auth_token: None,
    })
    .to_bytes())
}

pub(super) fn export(call: &mut Call<'_>, request: &functions::auth::ExportAuthorization) -> Outcome {
    call.note(json!({"dc": request.dc_id}));
    if request.dc_id == call.dc {
        return Err(Refusal::new("DC_ID_INVALID"));
    }
    let ticket = types::auth::ExportedAuthorization {
        id: call.state.account,
        bytes: TICKET.to_vec(),
    };
    Ok(enums::auth::ExportedAuthorization::Authorization(ticket).to_bytes())
}

pub(super) fn import(call: &mut Call<'_>, request: &functions::auth::ImportAuthorization) -> Outcome {
    call.note(json!({"dc": call.dc}));
    if request.bytes != TICKET || request.id != call.state.account {
        return Err(Refusal::new("AUTH_BYTES_INVALID"));
    }
    welcome(call)
}

pub(super) fn login_token(call: &mut Call<'_>, request: &functions::auth::ExportLoginToken) -> Outcome {
    call.note(json!({}));
    if request.api_id == 0 || request.api_hash.is_empty() {
        return Err(Refusal::new("API_ID_INVALID"));
    }
    if !call.state.login_token_accepted {
        let expires = jiff::Timestamp::now().as_second() as i32 + 30;
        let token = types::auth::LoginToken {
            expires,
            token: b"a token to be scanned".to_vec(),
        };
        return Ok(enums::auth::LoginToken::Token(token).to_bytes());
    }
    if call
        .state
        .login
        .as_ref()
        .is_some_and(|login| login.password.is_some())
    {
        call.state.password_pending = true;
        return Err(Refusal::new("SESSION_PASSWORD_NEEDED"));
    }
    call.state.authorized.insert(call.dc);
    let success = types::auth::LoginTokenSuccess {
        authorization: authorization(call).into(),
    };
    Ok(enums::auth::LoginToken::Success(success).to_bytes())
}

pub(super) fn begin_takeout(
    call: &mut Call<'_>,
    _request: &functions::account::InitTakeoutSession,
) -> Outcome {
    call.note(json!({}));
    Ok(enums::account::Takeout::Takeout(types::account::Takeout { id: 4711 }).to_bytes())
}

pub(super) fn end_takeout(
    call: &mut Call<'_>,
    request: &functions::account::FinishTakeoutSession,
) -> Outcome {
    call.note(json!({"success": request.success}));
    Ok(true.to_bytes())
}
