//! Errors of the service.

/// An error of the service.
#[derive(Debug, Clone)]
pub(in crate::telegram) struct Refusal(pub String);

impl Refusal {
    pub fn new(name: &str) -> Self {
        // Recorded cases carry the client's wording: `NAME (caused by ...)`.
        Self(name.split(' ').next().unwrap_or(name).to_owned())
    }

    /// The number that goes with the name.
    pub fn code(&self) -> i32 {
        let name = self.0.as_str();
        let is = |prefix: &str| name.starts_with(prefix);
        // Spelt so, and with this number, when the service is slow.
        if name == "Timeout" {
            return -503;
        }
        if name == "AUTH_KEY_DUPLICATED" {
            406
        } else if is("FLOOD_WAIT")
            || is("SLOWMODE_WAIT")
            || is("TAKEOUT_INIT_DELAY")
            || is("FLOOD_PREMIUM_WAIT")
        {
            420
        } else if name.contains("_MIGRATE_") {
            303
        } else if is("AUTH_KEY") || is("SESSION_") || is("USER_DEACTIVATED") {
            401
        } else if is("CHAT_WRITE_FORBIDDEN") || is("CHAT_ADMIN_REQUIRED") || is("MESSAGE_DELETE_FORBIDDEN") {
            403
        } else if is("RPC_CALL_FAIL") || is("INTERNAL") {
            500
        } else {
            400
        }
    }
}
