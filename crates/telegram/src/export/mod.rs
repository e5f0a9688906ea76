//! The export formats: what a [`Message`](crate::model::Message) looks like in a file.
