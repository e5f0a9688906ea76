//! Signing in: code, two-step password, or a login code that another device scans.

use std::collections::HashSet;
use std::time::Duration;

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_client::client::PasswordToken;
use grammers_client::session::Session;
use grammers_client::{SignInError, tl};
use tl::enums;

use crate::client::{Failed, Repeat, Telegram, guard};
use crate::convert;
use crate::model::Peer;
use crate::pace::Pace;

/// A code that was asked for; kept between two runs where nobody can be asked within one.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct CodeSent {
    hash: String,
    /// The number it is for.
    pub phone: String,
    /// Where it went, in words.
    pub way: String,
}

/// How a sign-in went on.
#[derive(Debug)]
pub enum Step {
    /// Signed in.
    Done(Box<Peer>),
    /// The account has a two-step password.
    Password {
        /// The owner's hint.
        hint: Option<String>,
    },
}

/// Why a login did not go through. What was merely mistyped may be typed again; everything else starts anew.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The code from Telegram is another one, or was sent too long ago.
    #[error("the login code is wrong or too old")]
    WrongCode,
    /// The account's own password is another one.
    #[error("the two-step password is wrong")]
    WrongPassword,
    /// The account has a password, and there is nobody to ask for it.
    #[error("the account has a two-step password")]
    PasswordNeeded,
    /// Anything else.
    #[error(transparent)]
    Failed(Box<ToolError>),
}

impl From<ToolError> for LoginError {
    fn from(error: ToolError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl From<LoginError> for ToolError {
    fn from(error: LoginError) -> Self {
        let told = Self::new(ErrorKind::Unauthorised, error.to_string());
        match error {
            LoginError::WrongCode => told.code("code_wrong"),
            LoginError::WrongPassword => told.code("password_wrong"),
            LoginError::PasswordNeeded => told
                .code("password_needed")
                .hint("set `TELEGRAM_PASSWORD` and run the same command again"),
            LoginError::Failed(error) => *error,
        }
    }
}

/// A login code to scan.
#[derive(Debug, Clone)]
pub struct LoginToken {
    /// The link that the picture shows.
    pub url: String,
    /// Seconds since 1970 until which it holds.
    pub expires: i32,
}

impl Telegram {
    /// Asks Telegram to send a login code.
    pub async fn send_code(&self, phone: &str) -> ToolResult<CodeSent> {
        let request = tl::functions::auth::SendCode {
            phone_number: phone.to_owned(),
            api_id: self.settings.api_id,
            api_hash: self.settings.api_hash.reveal().to_owned(),
            settings: tl::types::CodeSettings {
                allow_flashcall: false,
                current_number: false,
                allow_app_hash: false,
                allow_missed_call: false,
                allow_firebase: false,
                logout_tokens: None,
                token: None,
                app_sandbox: None,
                unknown_number: false,
            }
            .into(),
        };
        let answer = self.at_home(&request).await?;
        match answer {
            enums::auth::SentCode::Code(code) => Ok(CodeSent {
                hash: code.phone_code_hash,
                phone: phone.to_owned(),
                way: match code.r#type {
                    enums::auth::SentCodeType::App(_) => "to your other Telegram programs",
                    enums::auth::SentCodeType::Sms(_) => "by SMS",
                    enums::auth::SentCodeType::EmailCode(_) => "by e-mail",
                    _ => "by telephone",
                }
                .to_owned(),
            }),
            _ => Err(ToolError::new(
                ErrorKind::ProviderRejected,
                "Telegram wants something else than a code for this number",
            )
            .from_source("telegram")),
        }
    }

    /// Signs in with the code.
    ///
    /// # Errors
    /// [`LoginError::WrongCode`] for a wrong or old code.
    pub async fn sign_in(&self, sent: &CodeSent, code: &str) -> Result<Step, LoginError> {
        let request = tl::functions::auth::SignIn {
            phone_number: sent.phone.clone(),
            phone_code_hash: sent.hash.clone(),
            phone_code: Some(code.to_owned()),
            email_verification: None,
        };
        match self.call_raw(Pace::Logins, Repeat::Never, &request).await {
            Ok(enums::auth::Authorization::Authorization(done)) => Ok(self.signed_in(&done.user)?),
            Ok(enums::auth::Authorization::SignUpRequired(_)) => {
                let text = "no Telegram account has this number";
                let error = ToolError::new(ErrorKind::Unauthorised, text).from_source("telegram");
                Err(error.into())
            }
            Err(failed) if failed.is("SESSION_PASSWORD_NEEDED") => Ok(self.password_step().await?),
            Err(failed) if failed.is("PHONE_CODE_*") => Err(LoginError::WrongCode),
            Err(failed) => Err(failed.told().into()),
        }
    }

    async fn password_step(&self) -> ToolResult<Step> {
        let enums::account::Password::Password(password) = self
            .call(
                Pace::Logins,
                Repeat::Safe,
                &tl::functions::account::GetPassword {},
            )
            .await?;
        Ok(Step::Password { hint: password.hint })
    }

    /// Proves the two-step password; it never leaves this machine.
    ///
    /// # Errors
    /// [`LoginError::WrongPassword`] for a wrong one.
    pub async fn check_password(&self, password: &app_core::Secret) -> Result<Peer, LoginError> {
        let enums::account::Password::Password(asked) = self
            .call(
                Pace::Logins,
                Repeat::Safe,
                &tl::functions::account::GetPassword {},
            )
            .await?;
        if asked.current_algo.is_none() || asked.srp_b.is_none() || asked.srp_id.is_none() {
            let text = "Telegram asks for the password in an unknown way";
            let error = ToolError::new(ErrorKind::ProviderRejected, text).from_source("telegram");
            return Err(error.into());
        }
        match self
            .client
            .check_password(PasswordToken::new(asked), password.reveal())
            .await
        {
            Ok(_) => {
                let users = self
                    .call(
                        Pace::Logins,
                        Repeat::Safe,
                        &tl::functions::users::GetUsers {
                            id: vec![enums::InputUser::UserSelf],
                        },
                    )
                    .await?;
                let user = users
                    .into_iter()
                    .next()
                    .ok_or_else(|| ToolError::internal("signed in as nobody"))?;
                match self.signed_in(&user)? {
                    Step::Done(peer) => Ok(*peer),
                    Step::Password { .. } => Err(ToolError::internal("asked for the password twice").into()),
                }
            }
            Err(SignInError::InvalidPassword(_)) => Err(LoginError::WrongPassword),
            Err(SignInError::Other(error)) => Err(crate::failure::failure(&error).into()),
            Err(_) => {
                let text = "Telegram did not accept the password";
                Err(ToolError::new(ErrorKind::Unauthorised, text).into())
            }
        }
    }

    fn signed_in(&self, user: &enums::User) -> ToolResult<Step> {
        let enums::User::User(user) = user else {
            return Err(ToolError::new(
                ErrorKind::ProviderRejected,
                "Telegram signed in an empty account",
            ));
        };
        if let Some(hash) = user.access_hash {
            let _ = self.storage.keep_hashes(&[(user.id, hash)]);
        }
        Ok(Step::Done(Box::new(convert::user(user))))
    }

    /// Asks for a login code to scan, or learns that it was scanned.
    pub async fn login_token(&self) -> ToolResult<Result<LoginToken, Step>> {
        use base64::Engine;
        let request = tl::functions::auth::ExportLoginToken {
            api_id: self.settings.api_id,
            api_hash: self.settings.api_hash.reveal().to_owned(),
            except_ids: Vec::new(),
        };
        match self.call_raw(Pace::Reads, Repeat::Safe, &request).await {
            Ok(enums::auth::LoginToken::Token(token)) => Ok(Ok(LoginToken {
                url: format!(
                    "tg://login?token={}",
                    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&token.token)
                ),
                expires: token.expires,
            })),
            Ok(enums::auth::LoginToken::Success(success)) => {
                let enums::auth::Authorization::Authorization(done) = success.authorization else {
                    return Err(ToolError::new(
                        ErrorKind::Unauthorised,
                        "no Telegram account was scanned in",
                    ));
                };
                Ok(Err(self.signed_in(&done.user)?))
            }
            Ok(enums::auth::LoginToken::MigrateTo(other)) => {
                self.move_home(other.dc_id).await?;
                let request = tl::functions::auth::ImportLoginToken { token: other.token };
                match self.call_raw(Pace::Logins, Repeat::Never, &request).await {
                    Ok(enums::auth::LoginToken::Success(success)) => {
                        let enums::auth::Authorization::Authorization(done) = success.authorization else {
                            return Err(ToolError::new(
                                ErrorKind::Unauthorised,
                                "no Telegram account was scanned in",
                            ));
                        };
                        Ok(Err(self.signed_in(&done.user)?))
                    }
                    Ok(_) => Err(ToolError::new(
                        ErrorKind::ProviderRejected,
                        "Telegram moves the login on and on",
                    )),
                    Err(failed) if failed.is("SESSION_PASSWORD_NEEDED") => {
                        Ok(Err(self.password_step().await?))
                    }
                    Err(failed) => Err(failed.told()),
                }
            }
            Err(failed) if failed.is("SESSION_PASSWORD_NEEDED") => Ok(Err(self.password_step().await?)),
            Err(failed) => Err(failed.told()),
        }
    }

    /// Makes a request at the data centre that keeps the account, wherever that is.
    async fn at_home<R: tl::RemoteCall>(&self, request: &R) -> ToolResult<R::Return> {
        for _ in 0..3 {
            match self.call_raw(Pace::Logins, Repeat::Safe, request).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => match failed.migrate_to() {
                    Some(dc) => self.move_home(dc).await?,
                    None => return Err(failed.told()),
                },
            }
        }
        Err(ToolError::new(
            ErrorKind::ProviderRejected,
            "the data centres send each other for the account",
        ))
    }

    async fn move_home(&self, dc: i32) -> ToolResult<()> {
        self.storage
            .set_home_dc_id(dc)
            .await
            .map_err(|e| ToolError::new(ErrorKind::Io, "cannot write the session file").caused_by(&e))
    }

    /// Signs the account in at another data centre, once per connection.
    pub(crate) async fn sign_in_at(&self, dc: i32) -> ToolResult<()> {
        if self.storage.home_dc_id().unwrap_or_default() == dc || guard(&self.elsewhere).contains(&dc) {
            return Ok(());
        }
        let request = tl::functions::auth::ExportAuthorization { dc_id: dc };
        let enums::auth::ExportedAuthorization::Authorization(ticket) =
            self.call(Pace::Files, Repeat::Safe, &request).await?;
        let request = tl::functions::auth::ImportAuthorization {
            id: ticket.id,
            bytes: ticket.bytes,
        };
        self.call_in(Pace::Files, Repeat::Safe, async || {
            self.client.invoke_in_dc(dc, &request).await
        })
        .await
        .map_err(Failed::told)?;
        guard(&self.elsewhere).insert(dc);
        Ok(())
    }

    /// How long to wait between two looks at a login code.
    pub const LOGIN_POLL: Duration = Duration::from_secs(2);
}

/// Data centres where the account is signed in beside its home.
pub(crate) type Elsewhere = std::sync::Mutex<HashSet<i32>>;
