//! Calls: unwraps what a client asks, records it, lets faults strike, and finds who answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grammers_tl_types::{
    Cursor, Deserializable, Identifiable, Serializable, enums, functions, name_for_id, types,
};
use serde_json::{Value, json};

use super::server::WithId;
use super::state::{Recorded, Refusal, State};
use super::{Shared, acting, auth, deleting, files, listing, members, messages, reacting, updates};

/// What goes back.
pub(super) struct Answer {
    pub body: Vec<u8>,
    pub delay: Duration,
    pub cut_at: Option<usize>,
}

/// What a method answers: the object's bytes, and what to record of the call.
pub(super) type Outcome = Result<Vec<u8>, Refusal>;

/// A call being answered.
pub(super) struct Call<'a> {
    pub state: &'a mut State,
    pub dc: i32,
    pub args: Value,
}

impl Call<'_> {
    /// Notes what matters of the parameters.
    pub fn note(&mut self, args: Value) {
        self.args = args;
    }
}

/// Answers one call.
pub(super) fn answer(shared: &Arc<Shared>, dc: i32, connection: u32, body: &[u8]) -> Answer {
    let mut takeout = false;
    let Some(query) = unwrap(body, &mut takeout) else {
        return refused(&Refusal::new("INPUT_FETCH_ERROR"), Duration::ZERO, None);
    };
    let mut cursor = Cursor::from_slice(query);
    let constructor = u32::deserialize(&mut cursor).unwrap_or_default();
    let method = schema_name(name_for_id(constructor));
    let mut state = shared.state();
    let stroke = state.faults.strike(&method);
    let mut call = Call {
        state: &mut state,
        dc,
        args: Value::Null,
    };
    // A call whose answer gets lost has been done; one that is refused has not.
    let outcome = match &stroke.error {
        Some(error) => Err(Refusal::new(error)),
        None => dispatch(&mut call, constructor, &mut cursor),
    };
    let args = std::mem::take(&mut call.args);
    state.requests.push(Recorded {
        method,
        args,
        error: outcome.as_ref().err().map(|refusal| refusal.0.clone()),
        at: Instant::now(),
        connection,
        takeout,
    });
    drop(state);
    match outcome {
        Ok(body) => Answer {
            body,
            delay: stroke.delay,
            cut_at: stroke.cut_at,
        },
        Err(refusal) => refused(&refusal, stroke.delay, stroke.cut_at),
    }
}

fn refused(refusal: &Refusal, delay: Duration, cut_at: Option<usize>) -> Answer {
    let error = types::RpcError {
        error_code: refusal.code(),
        error_message: refusal.0.clone(),
    };
    Answer {
        body: error.to_bytes_with_id(),
        delay,
        cut_at,
    }
}

/// `messages.GetHistory` as the schema writes it: `messages.getHistory`.
fn schema_name(name: &str) -> String {
    let name = name.trim_start_matches("grammers::").replace("::", ".");
    match name.rsplit_once('.') {
        Some((space, last)) => format!("{space}.{}", lower(last)),
        None => lower(&name),
    }
}

fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The query inside the envelopes a client may put around it.
fn unwrap<'a>(mut body: &'a [u8], takeout: &mut bool) -> Option<&'a [u8]> {
    loop {
        let mut cursor = Cursor::from_slice(body);
        let constructor = u32::deserialize(&mut cursor).ok()?;
        match constructor {
            // invokeWithLayer
            0xda9b_0d0d => {
                i32::deserialize(&mut cursor).ok()?;
            }
            // invokeWithoutUpdates
            0xbf94_59b7 => {}
            // invokeAfterMsg
            0xcb9f_372d => {
                i64::deserialize(&mut cursor).ok()?;
            }
            // invokeWithTakeout
            0xaca9_fd2e => {
                i64::deserialize(&mut cursor).ok()?;
                *takeout = true;
            }
            // initConnection
            0xc1cd_5ea9 => {
                let flags = u32::deserialize(&mut cursor).ok()?;
                i32::deserialize(&mut cursor).ok()?;
                for _ in 0..6 {
                    String::deserialize(&mut cursor).ok()?;
                }
                if flags & 1 != 0 {
                    enums::InputClientProxy::deserialize(&mut cursor).ok()?;
                }
                if flags & 2 != 0 {
                    enums::Jsonvalue::deserialize(&mut cursor).ok()?;
                }
            }
            _ => return Some(body),
        }
        body = body.get(cursor.pos()..)?;
    }
}

/// Methods that need no signed-in account.
fn open_to_all(constructor: u32) -> bool {
    [
        functions::help::GetConfig::CONSTRUCTOR_ID,
        functions::help::GetNearestDc::CONSTRUCTOR_ID,
        functions::auth::SendCode::CONSTRUCTOR_ID,
        functions::auth::ResendCode::CONSTRUCTOR_ID,
        functions::auth::SignIn::CONSTRUCTOR_ID,
        functions::auth::CheckPassword::CONSTRUCTOR_ID,
        functions::auth::ImportAuthorization::CONSTRUCTOR_ID,
        functions::auth::ExportLoginToken::CONSTRUCTOR_ID,
        functions::account::GetPassword::CONSTRUCTOR_ID,
    ]
    .contains(&constructor)
}

/// Reads the parameters of a method and answers it.
macro_rules! methods {
    ($call:ident, $constructor:ident, $cursor:ident, { $($method:path => $handler:path),+ $(,)? }) => {
        match $constructor {
            $(<$method>::CONSTRUCTOR_ID => {
                let request = <$method as Deserializable>::deserialize($cursor)
                    .map_err(|_| Refusal::new("INPUT_REQUEST_TOO_LONG"))?;
                $handler($call, &request)
            })+
            _ => Err(Refusal::new("METHOD_NOT_SERVED")),
        }
    };
}

fn dispatch(call: &mut Call<'_>, constructor: u32, cursor: &mut Cursor<'_>) -> Outcome {
    if !open_to_all(constructor) && !call.state.authorized.contains(&call.dc) {
        return Err(Refusal::new("AUTH_KEY_UNREGISTERED"));
    }
    methods!(call, constructor, cursor, {
        functions::help::GetConfig => config,
        functions::help::GetNearestDc => nearest,
        functions::auth::SendCode => auth::send_code,
        functions::auth::SignIn => auth::sign_in,
        functions::auth::CheckPassword => auth::check_password,
        functions::auth::LogOut => auth::log_out,
        functions::auth::ExportAuthorization => auth::export,
        functions::auth::ImportAuthorization => auth::import,
        functions::auth::ExportLoginToken => auth::login_token,
        functions::account::GetPassword => auth::password,
        functions::account::InitTakeoutSession => auth::begin_takeout,
        functions::account::FinishTakeoutSession => auth::end_takeout,
        functions::users::GetUsers => listing::users,
        functions::messages::GetDialogs => listing::dialogs,
        functions::messages::GetPeerDialogs => listing::peer_dialogs,
        functions::messages::GetDialogFilters => listing::folders,
        functions::messages::GetChats => listing::chats,
        functions::messages::GetFullChat => members::full_chat,
        functions::channels::GetChannels => listing::channels,
        functions::channels::GetParticipants => members::participants,
        functions::contacts::ResolveUsername => listing::resolve,
        functions::messages::GetForumTopics => listing::topics,
        functions::messages::GetHistory => messages::history,
        functions::messages::Search => messages::search,
        functions::messages::GetReplies => messages::replies,
        functions::messages::GetMessages => messages::by_id,
        functions::channels::GetMessages => messages::by_id_in_channel,
        functions::messages::GetMessageReactionsList => reacting::reaction_list,
        functions::messages::GetAvailableReactions => reacting::available_reactions,
        functions::messages::SendMessage => acting::send,
        functions::messages::SendMedia => acting::send_media,
        functions::messages::EditMessage => acting::edit,
        functions::messages::ForwardMessages => acting::forward,
        functions::messages::DeleteMessages => deleting::delete,
        functions::channels::DeleteMessages => deleting::delete_in_channel,
        functions::messages::SendReaction => reacting::react,
        functions::upload::GetFile => files::get,
        functions::upload::SaveFilePart => files::save,
        functions::upload::SaveBigFilePart => files::save_big,
        functions::updates::GetState => updates::state,
        functions::updates::GetDifference => updates::difference,
        functions::updates::GetChannelDifference => updates::channel_difference,
    })
}

fn nearest(_call: &mut Call<'_>, _request: &functions::help::GetNearestDc) -> Outcome {
    let nearest = types::NearestDc {
        country: "XX".to_owned(),
        this_dc: 1,
        nearest_dc: 1,
    };
    Ok(enums::NearestDc::Dc(nearest).to_bytes())
}

fn config(call: &mut Call<'_>, _request: &functions::help::GetConfig) -> Outcome {
    call.note(json!({}));
    let option = |(id, port): &(i32, u16)| {
        types::DcOption {
            ipv6: false,
            media_only: false,
            tcpo_only: false,
            cdn: false,
            r#static: true,
            this_port_only: false,
            id: *id,
            ip_address: "127.0.0.1".to_owned(),
            port: i32::from(*port),
            secret: None,
        }
        .into()
    };
    let now = jiff::Timestamp::now().as_second() as i32;
    let config = types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date: now,
        expires: now + 3600,
        test_mode: false,
        this_dc: call.dc,
        dc_options: call.state.ports.iter().map(option).collect(),
        dc_txt_domain_name: String::new(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".to_owned(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1024,
        message_length_max: 4096,
        webfile_dc_id: 4,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    };
    Ok(enums::Config::Config(config).to_bytes())
}
