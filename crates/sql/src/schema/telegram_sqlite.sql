CREATE TABLE IF NOT EXISTS telegram_chats (
  id BIGINT PRIMARY KEY,
  title VARCHAR(255),
  username VARCHAR(255),
  chat_type VARCHAR(50),
  members_count INT,
  unread_count INT DEFAULT 0,
  last_message_date DATETIME,
  is_verified BOOLEAN DEFAULT FALSE,
  is_restricted BOOLEAN DEFAULT FALSE,
  is_creator BOOLEAN DEFAULT FALSE,
  is_admin BOOLEAN DEFAULT FALSE,
  created_at DATETIME DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS idx_chat_type ON telegram_chats (chat_type);
CREATE INDEX IF NOT EXISTS idx_username ON telegram_chats (username);
CREATE TABLE IF NOT EXISTS telegram_messages (
  id BIGINT NOT NULL,
  chat_id BIGINT NOT NULL,
  sender_id BIGINT,
  sender_name VARCHAR(255),
  message_text TEXT,
  date DATETIME,
  reply_to_msg_id BIGINT,
  forward_from_id BIGINT,
  views INT,
  forwards INT,
  reactions_count INT,
  reactions_json TEXT,
  media_type VARCHAR(20),
  PRIMARY KEY (chat_id, id)
);
CREATE INDEX IF NOT EXISTS idx_message_date ON telegram_messages (chat_id, date);
